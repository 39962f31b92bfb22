"""Alerts of real runs, at a mail server and a web server; and what a broken one does."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from segue.alerts import Alerts, Outcome, recent_activity
from segue.errors import DestinationError, UsageError
from segue.scheduling.telling import tell_missed
from segue.services.configuration import ConfigurationError, apply_files, export_yaml, list_entries
from segue.services.editing import create
from segue.services.workspace import open_workspace
from segue.workflow.grouping import scheduler_of
from segue.workflow.status import RunStatus
from tests.alerts.receivers import Hook, mail_server, web_server
from tests.e2e.shop import NAME, Shop


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as running:
        yield running


def alert(shop: Shop, url: str, *when: Any, name: str = "Team", **more: Any) -> None:
    entry = {"name": name, "url": "${ALERT_URL}", "when": list(when), **more}
    path = shop.folder / "alerts.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "alerts": [entry]}), encoding="utf-8")
    workspace = open_workspace(shop.settings)
    try:
        report = apply_files(workspace, [path], environ={"ALERT_URL": url})
        assert not report.warnings
    finally:
        workspace.close()


def using(shop: Shop, use: Any) -> Any:
    workspace = open_workspace(shop.settings)
    try:
        return use(workspace)
    finally:
        workspace.close()


def told(shop: Shop) -> list[tuple[str, str]]:
    return using(shop, lambda w: [(line.kind, line.text) for line in recent_activity(w.catalog)])


def test_a_web_address_hears_of_each_change_once(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "failed", "recovered")
    shop.generate(3)
    shop.run()
    assert hook.posts == []
    shop.admin.fault("status", "GET /api/accounts", status=410, count=2)
    failed = shop.run()
    shop.run()
    assert hook.titles == [f"Segue: {NAME}: failed"]
    assert failed.id in hook.posts[0]["message"]
    assert "410" in hook.posts[0]["message"]
    shop.run()
    shop.run()
    assert hook.titles == [f"Segue: {NAME}: failed", f"Segue: {NAME}: recovered"]
    assert [post["type"] for post in hook.posts] == ["failure", "success"]


def test_a_mail_arrives(shop: Shop) -> None:
    with mail_server() as box:
        alert(
            shop, f"mailto://127.0.0.1:{box.port}/?from=segue@shop.example&to=team@shop.example", "fuse_blown", "failed"
        )
        run = shop.run()
    assert (run.error or {})["code"] == "fuse_blown"
    [message] = box.messages
    assert message["subject"] == f"Segue: {NAME}: fuse blown"
    assert "team@shop.example" in message["to"]
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert "The query has no rows" in body.get_content()


def test_only_named_orchestrations_are_watched(shop: Shop, hook: Hook) -> None:
    with pytest.raises(ConfigurationError, match="there is no orchestration"):
        alert(shop, hook.url, "failed", orchestrations=["Another"])
    alert(shop, hook.url, "failed", orchestrations=[NAME])
    shop.run()
    assert len(hook.posts) == 1


def test_a_broken_alert_is_a_warning_and_is_tried_again(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "succeeded")
    shop.generate(3)
    hook.status = 500
    run = shop.run()
    assert run.status is RunStatus.COMPLETED
    kinds = told(shop)
    assert [kind for kind, _ in kinds] == ["warning", "completed"]
    assert kinds[0][1].startswith('The alert "Team" could not be sent.')
    assert "T0PS3CRET" not in str(kinds)
    hook.status = 200
    shop.run()
    assert hook.titles == [f"Segue: {NAME}: succeeded"]


def test_the_count_of_the_query_is_watched(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, {"query_threshold": {"at_least": 3, "moves": 0.5}})
    shop.generate(4)
    shop.run()
    shop.generate(7)
    shop.run()
    shop.configure(max_remove_share=1.0)
    shop.generate(2)
    shop.run()
    assert hook.titles == [
        f"Segue: {NAME}: the query has 7 rows, after 4",
        f"Segue: {NAME}: the query has 2 rows, not at least 3",
    ]


def test_a_run_that_takes_too_long_is_told_of_while_it_runs(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, {"longer_than": "1s"})
    shop.generate(3)
    # The job waits for the emulator's clock, which moves on when the message has arrived.
    shop.admin.settings(job_delay=3600)

    def go_on() -> None:
        assert hook.arrived.wait(60)
        shop.admin.settings(job_delay=0)
        shop.admin.advance(3600)
        shop.admin.settle()

    import threading

    watcher = threading.Thread(target=go_on)
    watcher.start()
    run = shop.run()
    watcher.join()
    assert run.status is RunStatus.COMPLETED
    assert hook.titles == [f"Segue: {NAME}: runs longer than 0:00:01 (h:mm:ss)"]
    assert "is running" in hook.posts[0]["message"]


def test_a_missed_time_is_told_to_those_of_its_members_before_the_run_begins(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "missed", orchestrations=[NAME])

    def miss(workspace: Any) -> None:
        keys = {"cron": "0 * * * *", "timezone": "Europe/Vienna", "missed": "skip"}
        members = [{"orchestration": NAME}]
        create(workspace, "orchestration_groups", {"name": "Hourly", "schedule": keys, "members": members})
        scheduler = scheduler_of(workspace, stop=threading.Event())
        first = datetime(2026, 1, 1, 6, 30, tzinfo=UTC)
        scheduler.due(first)
        scheduler.due(first + timedelta(hours=3))
        [missed] = scheduler.records.missed_at(first + timedelta(hours=3))
        assert missed.members == ()
        tell_missed(workspace, missed)

    using(shop, miss)
    assert hook.titles == ["Segue: Hourly missed"]


def test_a_missed_run_is_told_of(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "missed", orchestrations=[NAME])

    def miss(workspace: Any) -> None:
        alerts = Alerts(workspace.catalog, workspace.box)
        alerts.missed("Nightly", "The group Nightly missed 06:00.", orchestrations=[NAME])
        alerts.missed("Weekly", "The group Weekly missed 07:00.", orchestrations=["Another"])

    using(shop, miss)
    assert hook.titles == ["Segue: Nightly missed"]
    assert hook.posts[0]["type"] == "warning"
    assert [kind for kind, _ in told(shop)] == ["warning", "warning"]


def test_states_are_kept_for_each_orchestration(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "failed")

    def fail(workspace: Any) -> None:
        for name in ("one", "two", "one"):
            outcome = Outcome(
                orchestration_id=name,
                orchestration=name,
                run_id="r",
                succeeded=False,
                seconds=1,
                source=None,
                code="x",
                text="It failed.",
            )
            Alerts(workspace.catalog, workspace.box).ended(outcome)

    using(shop, fail)
    assert hook.titles == ["Segue: one: failed", "Segue: two: failed"]


def test_the_command_sends_a_test(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "failed")
    done = shop.command("alert", "test", "Team")
    assert (done.returncode, done.stdout) == (0, "sent\n")
    assert hook.titles == ["Segue: test"]
    hook.status = 404
    done = shop.command("alert", "test", "Team")
    assert done.returncode == 1
    assert done.stderr.startswith('error: The alert "Team" could not be sent.')
    assert "T0PS3CRET" not in done.stderr
    with pytest.raises(UsageError, match="there is no alert"):
        using(shop, lambda w: Alerts(w.catalog, w.box).test("Tem"))
    with pytest.raises(DestinationError):
        using(shop, lambda w: Alerts(w.catalog, w.box).test("Team"))


def test_an_address_is_sealed_and_never_shown(shop: Shop, hook: Hook) -> None:
    alert(shop, hook.url, "failed", {"longer_than": "2h"}, orchestrations=[NAME])
    assert using(shop, lambda w: list_entries(w, "alerts"))["alerts"] == [
        {"name": "Team", "url": "****", "when": ["failed", {"longer_than": "2h"}], "orchestrations": [NAME]}
    ]
    exported = using(shop, export_yaml)
    assert 'url: "${TEAM_ALERT_URL}"' in exported
    assert "T0PS3CRET" not in exported
    again = shop.folder / "again.yaml"
    again.write_text(exported, encoding="utf-8")
    report = using(shop, lambda w: apply_files(w, [again], environ={}))
    assert not report.changed
    with closing(sqlite3.connect(shop.settings.home / "segue.db")) as database:
        assert "T0PS3CRET" not in "\n".join(database.iterdump())
    assert using(shop, lambda w: apply_files(w, [shop.folder / "segue.yaml"], environ={}, prune=True)).changed


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"name": "A", "when": ["failed"]}, '"url" is missing'),
        ({"name": "A", "url": "${NOT_SET}", "when": ["failed"]}, "NOT_SET is not set"),
        ({"name": "A", "url": "${URL}", "when": ["fails"]}, "takes failed, recovered"),
        ({"name": "A", "url": "${BAD}", "when": ["failed"]}, "takes an address such as mailto"),
    ],
)
def test_mistakes_in_a_file_are_named(shop: Shop, entry: dict[str, Any], problem: str) -> None:
    path = shop.folder / "alerts.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "alerts": [entry]}), encoding="utf-8")
    environ = {"URL": "json://127.0.0.1", "BAD": "carrier-pigeon"}
    with pytest.raises(ConfigurationError, match=r"alerts\.yaml:") as caught:
        using(shop, lambda w: apply_files(w, [path], environ=environ))
    assert problem in str(caught.value.message)
