"""The routes of groups, signals, notifications, resolutions and rejects, by the client."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import segue
from segue.alerts import Kind, record_activity
from segue.client import Refused
from segue.services.permissions import Scope

from .conftest import KEY, NAME


@pytest.fixture
def client(shop):
    with segue.Client(shop.url, token=shop.token(Scope.ADMIN)) as made:
        yield made


def refused(call, *arguments, **options):
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    return caught.value.status, caught.value.code


def group_ended(client, run_id):
    client.wait(client.run(member_run(client, run_id)))
    while (run := client.group_run(run_id)).ended_at is None:
        pass
    return run


def member_run(client, run_id):
    while (found := client.group_run(run_id).members) == () or found[0].run_id is None:
        pass
    return found[0].run_id


def test_a_group_is_made_run_and_read(client, shop, emulator):
    entry = {
        "name": "Night",
        "schedule": {"cron": "30 6 * * *", "timezone": "Europe/Vienna"},
        "members": [{"orchestration": NAME}],
    }
    client.orchestration_groups.create(entry)
    times = client.group_times("Night", count=3)
    assert [(time.hour, time.minute) for time in times] == [(6, 30)] * 3
    assert times[0] > datetime.now(UTC)
    first = client.run_group("Night", key="once")
    ended = group_ended(client, first.group_run_id)
    assert (ended.status, ended.cause) == ("completed", "manual")
    assert client.run(ended.members[0].run_id).counts["added"] == 2
    assert client.run_group("Night", key="once").group_run_id == first.group_run_id
    second = group_ended(client, client.run_group("Night").group_run_id)
    assert [run.group_run_id for run in client.group_runs("Night", page=1)] == [
        second.group_run_id,
        first.group_run_id,
    ]
    assert set(emulator.admin.emails("People")) == {"ana@mail.shop", "bo@mail.shop"}
    assert refused(client.group_run, "g-none") == (404, "unknown_group_run")
    assert refused(client.run_group, "Nigth") == (404, "unknown_orchestration_group")


def test_signals_are_written_down(client):
    client.orchestration_groups.create({"name": "G", "after_signal": "loaded", "members": [{"orchestration": NAME}]})
    assert client.signal("loaded").due == ("G",)
    nobody = client.signal("laoded")
    assert (nobody.due, "loaded" in nobody.hint) == ((), True)
    assert [signal.name for signal in client.signals(page=1)] == ["laoded", "loaded"]
    assert [signal.name for signal in client.signals(name="loaded")] == ["loaded"]
    assert refused(client.signal, " ") == (422, "bad_signal")


def test_tasks_that_have_not_begun_wait(client, shop):
    shop.people()  # the fuse of an empty result
    run = client.wait(client.start(NAME))
    assert run.status == "failed"
    told = [(task.name, task.status) for task in client.tasks(run.run_id)]
    assert told[2:5] == [("compare", "succeeded"), ("fuses", "failed"), ("list", "waiting")]
    assert {status for _, status in told[4:]} == {"waiting"}
    assert len(told) == 11
    shop.people("ana@mail.shop")
    well = client.wait(client.start(NAME))
    assert {task.status for task in client.tasks(well.run_id)} == {"succeeded"}


def test_a_failed_run_is_resolved(client, shop, emulator):
    emulator.admin.fault("status", "POST /api/lists", status=400, count=1)
    run = client.wait(client.start(NAME))
    offered = client.resolutions(run.run_id)
    assert (offered.code, offered.task, offered.actions[0].action) == ("list_refused", "list", "restart")
    assert refused(client.resolve, run.run_id, "choose_list", list_id="x") == (409, "unfit_action")
    ended = client.wait(client.resolve(run.run_id, "retry"))
    assert ended.error is None
    assert (ended.run_id, ended.status) == (run.run_id, "completed")
    assert set(emulator.admin.emails("People")) == {"ana@mail.shop", "bo@mail.shop"}
    assert refused(client.resolutions, run.run_id) == (409, "run_over")


def test_a_new_key_needs_the_right_to_change_credentials(client, shop, emulator):
    emulator.admin.fault("status", "POST /api/profile-bulk-import-jobs", status=401, count=1)
    run = client.wait(client.start(NAME))
    with segue.Client(shop.url, token=shop.token(Scope.RUN)) as runner:
        assert refused(runner.resolve, run.run_id, "update_credential", api_key=KEY) == (403, "not_permitted")
    assert refused(client.resolve, run.run_id, "update_credential", api_key="pk_wrong") == (424, "key_refused")
    ended = client.wait(client.resolve(run.run_id, "update_credential", api_key=KEY))
    assert (ended.run_id, ended.status) == (run.run_id, "completed")


def test_an_undo_takes_back_who_was_added(client, shop, emulator):
    first = client.wait(client.start(NAME))
    undone = client.wait(client.undo(first.run_id, allow=["max_remove_share"], key="back"))
    assert (undone.undoes, undone.error) == (first.run_id, None)
    assert emulator.admin.emails("People") == []
    again = client.undo(first.run_id, allow=["max_remove_share"], key="back")
    assert again.run_id == undone.run_id
    assert refused(client.undo, "none") == (404, "unknown_run")


def test_rejects_come_page_by_page(client, shop, emulator):
    shop.people("ana@mail.shop", "nobody", "nowhere", "nothing")
    shop.make("data-templates", name="Lax", destination="Klaviyo", list_name="Lax", max_reject_share=1.0)
    shop.make("orchestrations", name="Lax", query="People", destination="Klaviyo", data_template="Lax")
    run = client.wait(client.start("Lax"))
    found = list(client.list_rejects(run.run_id, page=2))
    assert [(reject.row, reject.value, reject.reason) for reject in found] == [
        (2, "nobody", "email_malformed"),
        (3, "nowhere", "email_malformed"),
        (4, "nothing", "email_malformed"),
    ]
    bad = shop.call("GET", f"/api/v1/runs/{run.run_id}/rejects?cursor=x")
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_cursor")
    runs = shop.call("GET", f"/api/v1/runs/{run.run_id}/rejects", scope=Scope.READ)
    assert runs.status_code == 403


def test_requests_of_a_run_over_time_and_a_sample_of_them(client, shop, emulator):
    jobs = "POST /api/profile-bulk-import-jobs"
    emulator.admin.fault("status", jobs, status=503, count=1)
    run = client.wait(client.start(NAME))
    told = client.run_requests(run.run_id[:-1])
    assert (told.run_id, told.width) == (run.run_id, 1)
    assert {(line.status, line.outcome, line.calls) for line in told.items if line.endpoint == jobs} == {
        (503, "failed", 1),
        (202, "done", 1),
    }
    assert sum(line.calls for line in told.items) == sum(client.run(run.run_id).requests.values())
    assert all(run.started_at.replace(microsecond=0) <= line.at <= run.ended_at for line in told.items)
    sampled = client.exchanges(run.run_id)
    failed, done = (exchange for exchange in sampled if exchange.endpoint == jobs)
    assert (failed.status, failed.outcome, failed.attempt) == (503, "failed", 1)
    assert (done.status, done.outcome, done.attempt, done.rows) == (202, "done", 2, 2)
    assert "ana@mail.shop" in done.request_body.text
    assert KEY not in repr(sampled)
    assert refused(client.run_requests, "none") == (404, "unknown_run")
    assert refused(client.exchanges, "none") == (404, "unknown_run")
    reading = shop.call("GET", f"/api/v1/runs/{run.run_id}/exchanges", scope=Scope.READ)
    assert reading.status_code == 403
    assert shop.call("GET", f"/api/v1/runs/{run.run_id}/requests", scope=Scope.READ).status_code == 200


def test_notifications_are_read_and_seen(client, shop):
    run = client.wait(client.start(NAME))
    record_activity(shop.workspace.catalog, Kind.WARNING, "Look at this.")
    lines = list(client.notifications(page=1))
    assert [(line.kind, line.run_id, line.seen) for line in lines] == [
        ("warning", None, False),
        ("completed", run.run_id, False),
    ]
    client.mark_seen([lines[0].id])
    assert [line.id for line in client.notifications(unseen=True)] == [lines[1].id]


def test_an_alert_is_tried(client, shop):
    alert = {"name": "Nobody", "url": "json://127.0.0.1:9/", "when": ["failed"]}
    made = client.alerts.create(alert)
    assert "url" not in made.entry
    assert refused(client.test_alert, "Nobody") == (424, "alert_unsent")
    assert refused(client.test_alert, "None") == (404, "unknown_alert")
    client.alerts.delete(made)


def test_how_a_query_stands(client, shop):
    assert client.query_status("People").status == "activated"
    run = client.wait(client.start(NAME))
    status = client.query_status("People")
    assert (status.status, status.last_run_id, status.row_count) == ("completed", run.run_id, 2)
    assert status.last_run_at == run.started_at
    shop.people()
    failed = client.wait(client.start(NAME))
    after = client.query_status("People")
    assert (after.status, after.last_run_id, after.row_count) == ("error", failed.run_id, 2)
    client.queries.create({"name": "Draft", "database": "shop", "sql": "SELECT 1"})
    assert [(s.query, s.status) for s in client.query_statuses()] == [("Draft", "draft"), ("People", "error")]
