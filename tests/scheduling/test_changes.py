"""only_if_changed: a run of a group whose sources are as they were is skipped."""

from __future__ import annotations

import os

import pytest

from segue.scheduling import GroupStatus, MemberResult, MemberStatus

from .site import Starts, utc

GROUP = {"name": "Group", "after_signal": "loaded", "only_if_changed": True, "members": [{"orchestration": "A"}]}
FAILED = MemberResult(run_id=None, status=MemberStatus.FAILED)


@pytest.fixture
def turns(site):
    """Each call is a signal and what came of it."""
    site.apply(GROUP)
    hours = iter(range(1, 24))

    def turn(start=None):
        hour = next(hours)
        site.signal("loaded", f"2026-01-10 {hour:02}:00")
        (run,) = site.turn(f"2026-01-10 {hour:02}:01", start)
        return run

    return turn


def test_unchanged_files_are_skipped_and_the_run_says_since_when(site, turns):
    first, start = turns(), Starts()
    second = turns(start)
    assert (first.status, second.status, start.names) == (GroupStatus.COMPLETED, GroupStatus.SKIPPED, [])
    assert second.warnings == (f"nothing changed since the run {first.id}",)
    assert turns().status is GroupStatus.SKIPPED


def test_a_file_of_another_size_is_a_change(site, turns):
    turns()
    before = site.people.stat()
    site.people.write_text("email\nada@shop-mail.test\nbob@shop-mail.test\n")
    os.utime(site.people, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert turns().status is GroupStatus.COMPLETED


def test_a_file_of_another_time_is_a_change(site, turns):
    turns()
    os.utime(site.people, ns=(1, 1))
    assert turns().status is GroupStatus.COMPLETED


def test_a_file_more_that_a_pattern_finds_is_a_change(site, turns):
    site.apply(GROUP, path="./people*.csv")
    turns()
    assert turns().status is GroupStatus.SKIPPED
    (site.folder / "people2.csv").write_text("email\n")
    assert turns().status is GroupStatus.COMPLETED


def test_other_sql_and_other_settings_are_a_change(site, turns):
    turns()
    site.apply(GROUP, sql="SELECT email FROM People WHERE email > 'b'", at=utc("2026-01-10 01:30"))
    assert turns().status is GroupStatus.COMPLETED
    assert turns().status is GroupStatus.SKIPPED


def test_after_a_failure_it_runs_though_nothing_changed(site, turns):
    turns()
    os.utime(site.people, ns=(1, 1))
    assert turns(Starts(A=FAILED)).status is GroupStatus.FAILED
    assert turns().status is GroupStatus.COMPLETED


def test_what_changes_while_it_runs_is_sent_the_next_time(site, turns):
    def start(turn):
        os.utime(site.people, ns=(1, 1))
        return MemberResult(run_id=turn.orchestration, status=MemberStatus.COMPLETED)

    turns(start)
    assert turns().status is GroupStatus.COMPLETED
    assert turns().status is GroupStatus.SKIPPED


def test_by_hand_it_runs_always(site, turns):
    turns()
    start = Starts()
    assert site.scheduler().run_now("Group", start).status is GroupStatus.COMPLETED
    assert start.names == ["A"]


def test_a_skipped_run_starts_no_group_after_it(site, turns):
    site.apply(GROUP, {"name": "Then", "after_group": "Group", "members": [{"orchestration": "B"}]})
    site.signal("loaded", "2026-01-10 01:00")
    site.turn("2026-01-10 01:01")
    assert [run.group for run in site.turn("2026-01-10 01:02")] == ["Then"]
    site.signal("loaded", "2026-01-10 02:00")
    assert [run.status for run in site.turn("2026-01-10 02:01")] == [GroupStatus.SKIPPED]
    assert site.due("2026-01-10 02:02") == []
