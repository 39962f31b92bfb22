"""The recent activity: what runs leave there, and what counts as seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from segue.alerts import Kind, mark_seen, recent_activity, record_activity
from segue.scheduling.records import GroupRecord, MemberRecord
from segue.scheduling.status import Cause, GroupStatus, MemberStatus
from segue.scheduling.telling import tell_missed
from segue.services.workspace import open_workspace
from segue.workflow.announce import announce_failure
from tests.e2e.shop import NAME, Shop


def using(shop: Shop, use: Any) -> Any:
    workspace = open_workspace(shop.settings)
    try:
        return use(workspace)
    finally:
        workspace.close()


def lines(shop: Shop, **options: Any) -> list[tuple[str, str, str | None]]:
    return [(e.kind, e.text, e.run_id) for e in using(shop, lambda w: recent_activity(w.catalog, **options))]


def test_each_run_leaves_one_line(shop: Shop) -> None:
    empty = shop.run()
    shop.generate(2)
    good = shop.run()
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    shop.configure(max_reject_share=1.0)
    warned = shop.run()
    undone = shop.undo(good.id, allowed=["max_remove_share"])
    found = lines(shop)
    assert [(kind, run) for kind, _, run in found] == [
        ("warning", undone.id),
        ("warning", warned.id),
        ("completed", good.id),
        ("error", empty.id),
    ]
    assert found[2][1] == f'"{NAME}" completed: 2 added, 0 changed, 0 removed.'
    assert found[3][1].endswith(f". See: segue resolve {empty.id}")
    assert ".." not in found[3][1]
    assert found[1][1].startswith(f'"{NAME}" completed with 1 warning: ')
    assert found[0][1].startswith(f"The undo of {good.id} completed with")


def test_a_message_without_a_full_stop_gets_one(shop: Shop) -> None:
    shop.generate(2)
    shop.sql = "SELECT email, CAST(tier AS boolean) AS tier FROM People"
    shop.configure()
    run = shop.run()
    [(_, text, _)] = lines(shop)
    assert text == f'"{NAME}" failed: a value cannot be converted to BOOLEAN. See: segue resolve {run.id}'


def test_a_run_that_died_is_still_running_until_it_is_taken_up(shop: Shop) -> None:
    shop.generate(2)
    shop.killed_at("import-accepted-after")
    assert [(kind, text) for kind, text, _ in lines(shop)] == [("running", f'"{NAME}" is running.')]
    shop.run()
    assert [kind for kind, _, _ in lines(shop)] == ["completed"]


def test_what_was_shown_is_seen(shop: Shop) -> None:
    def fill(workspace: Any) -> None:
        for number in range(3):
            record_activity(workspace.catalog, Kind.ERROR, f"Line {number}.", run_id=f"r{number}")
        record_activity(workspace.catalog, Kind.RUNNING, "Going on.", run_id="r9")

    using(shop, fill)
    assert len(json.loads(shop.command("activity", "--unseen", "--json").stdout)) == 4
    shown = shop.command("activity", "--limit", "2").stdout.splitlines()
    assert [line.split("  ")[-2] for line in shown] == ["Going on.", "Line 2."]
    # A run that goes on will have something else to say.
    assert [text for _, text, _ in lines(shop, unseen=True, reader="local operator")] == [
        "Going on.",
        "Line 1.",
        "Line 0.",
    ]
    using(shop, lambda w: mark_seen(w.catalog, range(100), reader="local operator"))
    assert [text for _, text, _ in lines(shop, unseen=True, reader="local operator")] == ["Going on."]


def test_what_somebody_saw_is_new_to_others(shop: Shop) -> None:
    using(shop, lambda w: record_activity(w.catalog, Kind.ERROR, "A line.", run_id=None))
    for _ in range(2):  # saying it twice says nothing more
        using(shop, lambda w: mark_seen(w.catalog, range(100), reader="ana"))
    seen = {
        who: using(shop, lambda w, who=who: recent_activity(w.catalog, reader=who))[0].seen for who in ("ana", "bo")
    }
    assert seen == {"ana": True, "bo": False}
    assert lines(shop, unseen=True, reader="ana") == []
    assert lines(shop, unseen=True, reader="bo") == [("error", "A line.", None)]


def test_a_missed_time_of_a_group_is_told(shop: Shop) -> None:
    moment = datetime(2026, 1, 1, 6, tzinfo=UTC)
    member = MemberRecord(orchestration=NAME, after=(), status=MemberStatus.WAITING, run_id=None, message="")
    run = GroupRecord(
        id="g",
        group_id="i",
        group="Nightly",
        cause=Cause.SCHEDULE,
        trigger="",
        status=GroupStatus.MISSED,
        due_at=moment,
        started_at=None,
        ended_at=moment,
        fingerprint=None,
        warnings=("missed run: nothing watched at 06:00", "another"),
        members=(member,),
    )
    using(shop, lambda w: tell_missed(w, run))
    assert lines(shop) == [("warning", 'Group "Nightly": missed run: nothing watched at 06:00', None)]


def test_a_failure_of_a_run_that_nobody_is_at_is_told(shop: Shop) -> None:
    run = shop.run()
    using(shop, lambda w: announce_failure(w, run.id))
    assert [(kind, run_id) for kind, _, run_id in lines(shop)] == [("error", run.id), ("error", run.id)]
    shop.generate(2)
    good = shop.run()
    using(shop, lambda w: announce_failure(w, good.id))
    assert len(lines(shop)) == 3
