"""Running the members of a group."""

from __future__ import annotations

import threading

import pytest

from segue.errors import BusyError, UsageError
from segue.scheduling import GroupStatus, MemberResult, MemberStatus
from segue.scheduling.order import blocked, ready
from segue.scheduling.scheduler import group_lock

from .site import Starts, utc

DIAMOND = [
    {"orchestration": "A"},
    {"orchestration": "B", "after": ["A"]},
    {"orchestration": "C", "after": ["A"]},
    {"orchestration": "D", "after": ["B", "C"]},
]
GROUP = {"name": "Group", "after_signal": "loaded", "members": DIAMOND}
OK, WARNED = MemberStatus.COMPLETED, MemberStatus.WARNINGS
FAILED, SKIPPED, STOPPED, WAITING = (
    MemberStatus.FAILED,
    MemberStatus.SKIPPED,
    MemberStatus.STOPPED,
    MemberStatus.WAITING,
)


def result(status, message=""):
    return MemberResult(run_id="r", status=status, message=message)


def statuses(run):
    return {member.orchestration: member.status for member in run.members}


@pytest.mark.parametrize(
    ("now", "begin", "never"),
    [
        ({}, ["A"], {}),
        ({"A": OK}, ["B", "C"], {}),
        ({"A": OK, "B": WARNED}, ["C"], {}),
        ({"A": OK, "B": OK, "C": MemberStatus.RUNNING}, [], {}),
        ({"A": OK, "B": OK, "C": OK}, ["D"], {}),
        ({"A": OK, "B": FAILED}, ["C"], {"D": "B"}),
        ({"A": FAILED}, [], {"B": "A", "C": "A"}),
        ({"A": STOPPED}, [], {}),
    ],
)
def test_who_may_begin_and_who_never_will(now, begin, never):
    after = {"A": (), "B": ("A",), "C": ("A",), "D": ("B", "C")}
    standing = {**dict.fromkeys(after, WAITING), **now}
    assert list(ready(after, standing)) == begin
    assert blocked(after, standing) == never


def test_members_run_in_the_order_that_they_wait_for_and_the_run_has_their_runs(site):
    site.apply(GROUP)
    start = Starts()
    run = site.scheduler().run_now("Group", start)
    assert (start.names[0], set(start.names[1:3]), start.names[3]) == ("A", {"B", "C"}, "D")
    assert (run.status, run.cause) == (GroupStatus.COMPLETED, "manual")
    assert {m.orchestration: m.run_id for m in run.members} == {name: f"run-{name}" for name in "ABCD"}


def test_members_that_do_not_wait_for_each_other_run_at_the_same_time(site):
    site.apply(GROUP)
    both = threading.Barrier(2, timeout=30)

    def start(turn):
        if turn.orchestration in ("B", "C"):
            both.wait()
        return result(OK)

    assert site.scheduler(parallel=2).run_now("Group", start).status is GroupStatus.COMPLETED


def test_no_more_run_at_once_than_allowed(site):
    site.apply({"name": "Group", "members": [{"orchestration": name} for name in "ABCD"]})
    lock = threading.Lock()

    def start(turn):
        assert lock.acquire(blocking=False)
        lock.release()
        return result(OK)

    assert site.scheduler(parallel=1).run_now("Group", start).status is GroupStatus.COMPLETED


def test_a_failing_member_stops_those_after_it_alone_and_the_run_says_which(site):
    site.apply(
        {"name": "Group", "members": [*DIAMOND[:2], {"orchestration": "C"}, {"orchestration": "D", "after": ["B"]}]}
    )
    start = Starts(A=result(FAILED, "the list is gone"))
    run = site.scheduler().run_now("Group", start)
    assert run.status is GroupStatus.FAILED
    assert statuses(run) == {"A": FAILED, "B": SKIPPED, "C": OK, "D": SKIPPED}
    assert {m.orchestration: m.message for m in run.members} == {
        "A": "the list is gone",
        "B": 'not started: "A" did not succeed',
        "C": "",
        "D": 'not started: "B" did not succeed',
    }
    assert set(start.names) == {"A", "C"}


def test_warnings_of_a_member_are_warnings_of_the_run(site):
    site.apply(GROUP)
    assert site.scheduler().run_now("Group", Starts(C=result(WARNED))).status is GroupStatus.WARNINGS


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BusyError("A run is under way."), "A run is under way."),
        (RuntimeError("ada@shop-mail.test is odd"), "failed unexpectedly (RuntimeError)"),
    ],
)
def test_a_member_that_cannot_be_run_fails_without_telling_what_a_stranger_said(site, error, message):
    site.apply(GROUP)
    run = site.scheduler().run_now("Group", Starts(A=error))
    assert (run.status, run.members[0].message) == (GroupStatus.FAILED, message)


def test_a_member_whose_run_somebody_stopped_counts_as_failed(site):
    site.apply(GROUP)
    site.signal("loaded", "2026-01-10 10:00")
    (run,) = site.turn("2026-01-10 10:00", Starts(B=result(STOPPED)))
    assert run.status is GroupStatus.FAILED
    assert statuses(run) == {"A": OK, "B": FAILED, "C": OK, "D": SKIPPED}
    assert site.due("2026-01-10 10:01") == []


def test_a_stop_lets_members_end_and_the_run_goes_on_later_without_those_that_ended(site):
    site.apply(GROUP)
    site.signal("loaded", "2026-01-10 10:00")
    stop = threading.Event()

    def start(turn):
        stop.set()
        return result(OK)

    (run,) = site.turn("2026-01-10 10:00", start, stop)
    assert (run.status, run.ended_at) == (GroupStatus.WAITING, None)
    assert statuses(run) == {"A": OK, "B": WAITING, "C": WAITING, "D": WAITING}
    again = Starts()
    (ended,) = site.turn("2026-01-10 11:00", again)
    assert (ended.id, ended.status) == (run.id, GroupStatus.COMPLETED)
    assert set(again.names) == {"B", "C", "D"}


def test_a_run_that_a_person_stopped_is_not_gone_on_with(site):
    site.apply(GROUP)
    stop = threading.Event()

    def start(turn):
        stop.set()
        return result(STOPPED)

    run = site.scheduler(stop=stop).run_now("Group", start)
    assert run.status is GroupStatus.STOPPED
    assert statuses(run)["A"] is STOPPED
    assert site.due("2026-01-10 10:00") == []
    start = Starts()
    assert site.scheduler().run_now("Group", start).id != run.id
    assert len(start.names) == 4


def test_a_group_runs_once_at_a_time(site):
    site.apply(GROUP)
    site.signal("loaded", "2026-01-10 10:00")
    (due,) = site.scheduler().due(utc("2026-01-10 10:00"))
    with site.workspace.locks.hold(group_lock(due.group_id)) as ours:
        assert ours
        with pytest.raises(BusyError, match='the group "Group" is being run'):
            site.scheduler().run_now("Group", Starts())
        assert site.scheduler().run_group(due, Starts()) is None
        assert site.due("2026-01-10 10:01") == []


def test_a_disabled_group_runs_by_hand(site):
    site.apply({**GROUP, "enabled": False})
    assert site.scheduler().run_now("Group", Starts()).status is GroupStatus.COMPLETED


def test_an_unknown_group_is_named_with_the_nearest_one(site):
    site.apply(GROUP)
    with pytest.raises(UsageError, match='there is no orchestration group "Grup"; did you mean "Group"'):
        site.scheduler().run_now("Grup", Starts())
