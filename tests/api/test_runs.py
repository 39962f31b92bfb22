from __future__ import annotations

import json
import threading

import pytest

from segue.api.background import WorkerStarter
from segue.errors import BusyError, UsageError
from segue.services.permissions import Scope
from segue.services.run_starts import start_once
from segue.workflow.locks import only_run
from segue.workflow.requests import Options

from .conftest import NAME

RUNS = f"/api/v1/orchestrations/{NAME}/runs"


def emails(emulator):
    return set(emulator.admin.emails("People"))


def test_a_plan_says_what_a_run_would_do_and_sends_nothing(shop, emulator):
    answer = shop.call("POST", f"/api/v1/orchestrations/{NAME}/plan", scope=Scope.RUN)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert (plan["source"], plan["added"], plan["removed"]) == (2, 2, 0)
    assert {fuse["name"]: fuse["blown"] for fuse in plan["fuses"]}["allow_empty"] is False
    assert "People" not in [found["name"] for found in emulator.admin.lists()]


def test_a_plan_shows_people_of_each_kind_where_they_are_asked_for(shop):
    path = f"/api/v1/orchestrations/{NAME}/plan"
    assert shop.call("POST", path).json()["samples"] is None
    samples = shop.call("POST", f"{path}?samples=true", scope=Scope.RUN).json()["samples"]
    assert {row["key"] for row in samples["added"]} == {"ana@mail.shop", "bo@mail.shop"}
    assert (samples["changed"], samples["cleared"], samples["removed"], samples["rejected"]) == ([], [], [], [])


def test_a_run_makes_the_list_true(shop, emulator):
    answer = shop.call("POST", RUNS, scope=Scope.RUN)
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert answer.headers["location"] == f"/api/v1/runs/{run_id}"
    run = shop.ended(run_id)
    assert (run["status"], run["started_by"]) == ("completed", "api")
    assert run["counts"]["added"] == 2
    assert [task["status"] for task in run["tasks"]] == ["succeeded"] * len(run["tasks"])
    assert emails(emulator) == {"ana@mail.shop", "bo@mail.shop"}
    counts = {c["endpoint"]: c["calls"] for c in shop.call("GET", "/api/v1/requests").json()["items"]}
    assert counts == run["requests"]


def test_a_plan_that_is_no_longer_true_is_not_run(shop, emulator):
    plan = shop.call("POST", f"/api/v1/orchestrations/{NAME}/plan").json()
    shop.people("ana@mail.shop", "cy@mail.shop")
    run = shop.run(plan_id=plan["id"])
    assert run["status"] == "failed"
    assert "People" not in [found["name"] for found in emulator.admin.lists()]


def test_the_same_key_gives_the_same_run(shop):
    key = {"Idempotency-Key": "night 1"}
    first = shop.call("POST", RUNS, headers=key).json()["run_id"]
    shop.ended(first)
    again = shop.call("POST", RUNS, headers=key)
    assert (again.status_code, again.json()["run_id"]) == (202, first)
    other = shop.call("POST", RUNS, headers=key, json={"restart": True})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    # Another caller has keys of its own.
    assert shop.call("POST", RUNS, headers=key, scope=Scope.RUN).json()["run_id"] != first


def test_a_start_that_failed_leaves_its_key_free(office):
    def fail() -> str:
        raise BusyError("no")

    once = {"token_id": "t", "key": "k", "request": "r"}
    with pytest.raises(BusyError):
        start_once(office.workspace, **once, start=fail)
    assert start_once(office.workspace, **once, start=lambda: "run-1") == ("run-1", True)
    assert start_once(office.workspace, **once, start=fail) == ("run-1", False)


def test_two_starts_with_one_key_at_once_are_one_run(office):
    once = {"token_id": "t", "key": "k", "request": "r"}

    def meanwhile() -> str:
        with pytest.raises(BusyError, match="being started"):
            start_once(office.workspace, **once, start=lambda: "run-2")
        with pytest.raises(UsageError, match="another request"):
            start_once(office.workspace, **{**once, "request": "s"}, start=lambda: "run-2")
        return "run-1"

    assert start_once(office.workspace, **once, start=meanwhile) == ("run-1", True)


def test_a_second_run_at_once_is_refused(shop):
    orchestration = shop.call("GET", f"/api/v1/orchestrations/{NAME}").json()["id"]
    with only_run(shop.workspace.locks, orchestration, NAME):
        assert shop.call("POST", RUNS).status_code == 202
        answer = shop.call("POST", RUNS)
    assert (answer.status_code, answer.json()["code"]) == (409, "run_under_way")


def test_a_run_can_be_stopped_and_is_finished_by_the_next(shop, emulator):
    orchestration = shop.call("GET", f"/api/v1/orchestrations/{NAME}").json()["id"]
    # The run waits for the lock, which nobody gives it before it is told to stop.
    tools = shop.app.state.tools
    locks = shop.workspace.locks
    put = threading.Event()
    work = tools.starter.work
    tools.starter.work = lambda run_id: (put.wait(60), work(run_id))
    run_id = shop.call("POST", RUNS).json()["run_id"]
    with only_run(locks, orchestration, NAME):
        put.set()
        stopped = shop.call("POST", f"/api/v1/runs/{run_id}/stop")
        assert stopped.status_code == 202
        assert shop.ended(run_id)["status"] == "stopped"
    del tools.starter.work
    assert "People" not in [found["name"] for found in emulator.admin.lists()]
    assert shop.run()["status"] == "completed"
    over = shop.call("POST", f"/api/v1/runs/{run_id}/stop")
    assert (over.status_code, over.json()["code"]) == (409, "run_over")


def test_the_events_of_a_run_tell_every_task_and_how_it_ended(shop):
    run_id = shop.call("POST", RUNS).json()["run_id"]
    answer = shop.call("GET", f"/api/v1/runs/{run_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [part.split("\n") for part in answer.text.strip().split("\n\n") if not part.startswith(":")]
    told = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]
    ended = {task["name"] for kind, task in told if kind == "task" and task["status"] == "succeeded"}
    run = shop.call("GET", f"/api/v1/runs/{run_id}").json()
    assert ended == {task["name"] for task in run["tasks"]}
    assert told[-1] == ("run", run)
    assert run["status"] == "completed"


def test_runs_are_listed_page_by_page(shop):
    ids = [shop.run()["run_id"] for _ in range(3)][::-1]
    first = shop.call("GET", "/api/v1/runs?limit=2").json()
    second = shop.call("GET", f"/api/v1/runs?limit=2&cursor={first['next']}").json()
    assert [run["run_id"] for run in (*first["items"], *second["items"])] == ids
    assert second["next"] is None
    assert shop.call("GET", "/api/v1/runs?status=failed").json()["items"] == []
    assert shop.call("GET", "/api/v1/runs?orchestration=Other").json()["items"] == []
    bad = shop.call("GET", "/api/v1/runs?cursor=x")
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_cursor")


def test_rejects_are_downloaded_as_csv(office, emulator):
    office.people("ana@mail.shop", "nobody")
    office.configure(url=emulator.url, max_reject_share=1.0)
    run = office.run()
    assert run["counts"]["rejected"] == 1
    answer = office.call("GET", f"/api/v1/runs/{run['run_id']}/rejects.csv", scope=Scope.RUN)
    assert answer.headers["content-type"].startswith("text/csv")
    names, row = answer.text.strip().split("\n")
    assert names == '"row","key","field","value","reason","source","detail"'
    assert '"nobody"' in row
    assert '"email_malformed"' in row


def test_the_history_of_a_person(shop):
    run = shop.run()
    answer = shop.call("POST", "/api/v1/history", json={"email": " ANA@mail.shop"}, scope=Scope.RUN)
    (entry,) = answer.json()["items"]
    assert (entry["run_id"], entry["actions"]) == (run["run_id"], ["added"])
    assert entry["payload"]["first_name"] == "Ana"


def test_an_unknown_run_is_not_there(shop):
    for path in ("", "/events", "/rejects.csv"):
        answer = shop.call("GET", f"/api/v1/runs/none{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run")


def test_a_draft_is_not_run(shop):
    etag = {"If-Match": "*"}
    shop.call("PUT", "/api/v1/queries/People", json={"database": "shop", "sql": "SELECT 1"}, headers=etag)
    answer = shop.call("POST", RUNS)
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_query")


def test_a_run_that_waits_for_a_worker_can_be_stopped(shop):
    run_id = WorkerStarter().start(shop.workspace, NAME, Options()).run.id
    stopped = shop.call("POST", f"/api/v1/runs/{run_id}/stop").json()
    # Nobody has taken it up: it is stopped at once, without a task.
    assert stopped["status"] == "stopped"
    assert {task["status"] for task in stopped["tasks"]} == {"waiting"}
