"""Groups where a server works: started by the clock, a signal or a person, their members are runs of the workers."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import yaml
from sqlalchemy import update

from segue.alerts import recent_activity
from segue.catalog.base import now
from segue.catalog.groups import GroupCursor, OrchestrationGroup
from segue.scheduling import GroupRecord, GroupRecords, GroupStatus, find_group, record_signal
from segue.services.configuration import apply_files
from segue.services.workspace import Workspace
from segue.workflow.records import RunRecords
from tests.e2e.shop import NAME, Shop
from tests.service.server import opened, orchestrations, serving, until


def group(shop: Shop, name: str, *members: Any, **keys: Any) -> None:
    """A group; a member is a name, or a name and those before it."""
    named = [m if isinstance(m, tuple) else (m,) for m in members]
    entry = {"name": name, **keys, "members": [{"orchestration": n, "after": list(after)} for n, *after in named]}
    path = shop.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "orchestration_groups": [entry]}), encoding="utf-8")
    with opened(shop) as workspace:
        apply_files(workspace, [path], environ={})


def runs_of(workspace: Workspace, name: str) -> tuple[GroupRecord, ...]:
    with workspace.catalog.session(read_only=True) as session:
        found = find_group(session, name)
    return GroupRecords(workspace.catalog).latest(found.id, limit=10)


def over(workspace: Workspace, name: str, count: int = 1) -> GroupRecord:
    """The latest run of a group, once so many of them have ended."""
    until(lambda: sum(run.ended_at is not None for run in runs_of(workspace, name)) >= count, f"run {count} of {name}")
    return runs_of(workspace, name)[0]


def test_a_signal_starts_a_group_whose_members_are_runs_of_the_worker(shop: Shop) -> None:
    shop.generate(10)
    orchestrations(shop, "B", "C")
    group(shop, "Night", NAME, ("B", NAME), ("C", "B"), after_signal="loaded", only_if_changed=True)
    group(shop, "After", "C", after_group="Night")
    with opened(shop) as workspace, serving(shop):
        record_signal(workspace.catalog, "loaded")
        night = over(workspace, "Night")
        assert night.status is GroupStatus.COMPLETED
        records = RunRecords(workspace.catalog)
        runs = [records.get(member.run_id or "") for member in night.members]
        assert [(run.orchestration, run.started_by) for run in runs] == [(n, "signal") for n in (NAME, "B", "C")]
        assert all(run.worker_id for run in runs)
        assert [a.ended_at <= b.started_at for a, b in pairwise(runs) if a.ended_at] == [True, True]
        assert len(shop.members("C")) == 10
        after = over(workspace, "After")
        assert (after.cause, records.get(after.members[0].run_id or "").started_by) == ("group", "schedule")
        record_signal(workspace.catalog, "loaded")
        again = over(workspace, "Night", 2)
        assert again.status is GroupStatus.SKIPPED
        assert again.warnings == (f"nothing changed since the run {night.id}",)
        shop.generate(11)
        record_signal(workspace.catalog, "loaded")
        assert over(workspace, "Night", 3).status is GroupStatus.COMPLETED
    assert len(shop.members("C")) == 11


def test_a_failing_member_stops_its_dependants_only_and_the_group_says_which(shop: Shop) -> None:
    shop.generate(10)
    orchestrations(shop, "B", "C")
    group(shop, "Night", NAME, ("B", NAME), "C", enabled=False)
    shop.configure(max_reject_share=0)
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    with serving(shop):
        done = shop.command("group", "run", "Night", "--json")
    assert done.returncode == 1, done.stderr
    members = {m["orchestration"]: m for m in json.loads(done.stdout)["members"]}
    assert {name: m["status"] for name, m in members.items()} == {
        NAME: "failed",
        "B": "skipped",
        "C": "completed with warnings",
    }
    assert members["B"]["message"] == f'not started: "{NAME}" did not succeed'
    assert "B" not in [found["name"] for found in shop.admin.lists()]
    assert len(shop.members("C")) == 10
    with opened(shop) as workspace:
        assert RunRecords(workspace.catalog).get(members["C"]["run_id"]).started_by == "user"
        texts = [line.text for line in recent_activity(workspace.catalog)]
    assert f'Group "Night" failed: {NAME} failed, B skipped.' in texts


def test_a_group_goes_on_with_the_runs_of_a_server_that_was_killed(shop: Shop) -> None:
    shop.generate(10)
    orchestrations(shop, "B")
    group(shop, "Night", NAME, ("B", NAME), after_signal="loaded")
    with opened(shop) as workspace:
        record_signal(workspace.catalog, "loaded")
        with serving(shop, SEGUE_FAILPOINT="import-accepted-after") as server:
            server.died()
        assert runs_of(workspace, "Night")[0].status is GroupStatus.RUNNING
        with serving(shop):
            night = over(workspace, "Night")
        assert night.status is GroupStatus.COMPLETED, night
        # One run a member: the one that the first server began was waited for.
        runs = RunRecords(workspace.catalog).recent()
        assert {run.id for run in runs} == {member.run_id for member in night.members}
    assert len(shop.admin.jobs()) == 2
    assert len(shop.members("B")) == 10


def test_a_missed_time_is_told_at_once_and_made_up_for(shop: Shop) -> None:
    shop.generate(10)
    keys = {"cron": "0 * * * *", "timezone": "Europe/Vienna"}
    group(shop, "Hourly", NAME, schedule={**keys, "missed": "run_once"})
    group(shop, "Skipping", NAME, schedule={**keys, "missed": "skip"})
    with opened(shop) as workspace:
        with serving(shop):
            until(lambda: _watched(workspace, 2), "the first look")
        _asleep(workspace, hours=3)
        with serving(shop):
            assert over(workspace, "Hourly").status is GroupStatus.WARNINGS
            assert over(workspace, "Skipping").status is GroupStatus.MISSED
            texts = [line.text for line in recent_activity(workspace.catalog)]
        hourly = runs_of(workspace, "Hourly")
        assert len(hourly) == 1
        assert RunRecords(workspace.catalog).get(hourly[0].members[0].run_id or "").started_by == "schedule"
    assert sum(text.startswith('Group "Hourly": missed run: nothing watched') for text in texts) == 1
    assert sum(text.startswith('Group "Skipping": missed run: nothing watched') for text in texts) == 1
    assert len(shop.members()) == 10


def _watched(workspace: Workspace, groups: int) -> bool:
    with workspace.catalog.session(read_only=True) as session:
        return session.query(GroupCursor).count() == groups


def _asleep(workspace: Workspace, *, hours: int) -> None:
    """As if the last look had been so long ago."""
    ago = now() - timedelta(hours=hours)
    with workspace.catalog.session() as session:
        session.execute(update(OrchestrationGroup).values(created_at=ago, updated_at=ago))
        session.execute(update(GroupCursor).values(looked_until=ago, since=ago))
