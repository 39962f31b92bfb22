"""When a group is due. Europe/Vienna is UTC+1 in January: 06:00 there is 05:00 UTC."""

from __future__ import annotations

from typing import Any

import pytest

from segue.errors import UsageError
from segue.scheduling import GroupStatus, MemberResult, MemberStatus

from .site import Starts, utc

SCHEDULE: dict[str, Any] = {"cron": "0 6 * * *", "timezone": "Europe/Vienna"}
ONE = [{"orchestration": "A"}]
DAILY: dict[str, Any] = {"name": "Daily", "schedule": SCHEDULE, "members": ONE}
WAITS = {"name": "Waits", "after_signal": "loaded", "members": ONE}
FAILED = MemberResult(run_id=None, status=MemberStatus.FAILED, message="no")


def test_a_time_of_the_schedule_makes_the_group_due_once(site):
    site.apply(DAILY)
    assert site.due("2026-01-10 04:59") == []
    assert site.due("2026-01-10 05:00") == [("Daily", "schedule")]
    (ended,) = site.turn("2026-01-10 05:00:15")
    assert (ended.status, ended.due_at) == (GroupStatus.COMPLETED, utc("2026-01-10 05:00"))
    assert site.due("2026-01-10 05:00:30") == []
    assert site.due("2026-01-11 05:00") == [("Daily", "schedule")]


def test_asked_again_before_it_is_started_it_is_the_same_run(site):
    site.apply(DAILY)
    site.due("2026-01-10 04:59")
    first = site.scheduler().due(utc("2026-01-10 05:00"))
    again = site.scheduler().due(utc("2026-01-10 05:00"))
    assert [run.id for run in first] == [run.id for run in again]
    start = Starts()
    scheduler = site.scheduler()
    assert scheduler.run_group(first[0], start) is not None
    assert scheduler.run_group(again[0], start) is None
    assert start.names == ["A"]


def test_the_offset_is_waited_for(site):
    site.apply({**DAILY, "offset": "10m"})
    site.due("2026-01-10 04:00")
    assert site.due("2026-01-10 05:09:59") == []
    (ended,) = site.turn("2026-01-10 05:10")
    assert ended.due_at == utc("2026-01-10 05:10")
    assert ended.warnings == ()
    assert site.due("2026-01-10 05:11") == []


def test_before_the_first_scheduler_nothing_was_missed(site):
    site.apply(DAILY)
    assert site.due("2026-01-10 12:00") == []


def test_missed_times_run_once_with_a_warning_that_counts_them(site):
    site.apply(DAILY)
    site.due("2026-01-10 04:00")
    (ended,) = site.turn("2026-01-12 12:00")
    assert ended.status is GroupStatus.WARNINGS
    assert ended.warnings == (
        "missed run: nothing watched 3 times from 2026-01-10 06:00 to 2026-01-12 06:00 (Europe/Vienna); it runs once now",
    )
    assert site.due("2026-01-12 12:01") == []


def test_missed_times_may_be_skipped_with_a_warning(site):
    site.apply({**DAILY, "schedule": {**SCHEDULE, "missed": "skip"}})
    site.due("2026-01-10 04:00")
    assert site.due("2026-01-10 12:00") == []
    (run,) = site.runs("Daily")
    assert run.status is GroupStatus.MISSED
    assert run.warnings == ("missed run: nothing watched at 2026-01-10 06:00 (Europe/Vienna)",)
    assert [r.id for r in site.scheduler().records.missed_at(utc("2026-01-10 12:00"))] == [run.id]
    assert site.scheduler().records.missed_at(utc("2026-01-10 12:01")) == ()
    # The next time is kept.
    assert site.due("2026-01-11 05:00") == [("Daily", "schedule")]


def test_a_time_that_is_noticed_two_minutes_late_was_missed_and_not_before(site):
    site.apply({**DAILY, "schedule": {**SCHEDULE, "missed": "skip"}})
    site.due("2026-01-10 04:59:50")
    (ended,) = site.turn("2026-01-10 05:01:59")
    assert ended.warnings == ()
    site.due("2026-01-11 04:59:50")
    assert site.due("2026-01-11 05:02") == []


def test_a_missed_time_before_one_that_is_kept_is_told(site):
    site.apply(DAILY)
    site.due("2026-01-10 04:00")
    (ended,) = site.turn("2026-01-11 05:00")
    assert ended.due_at == utc("2026-01-11 05:00")
    assert ended.warnings == ("missed run: nothing watched at 2026-01-10 06:00 (Europe/Vienna)",)


def test_a_group_made_while_the_scheduler_was_down_misses_its_time(site):
    site.apply()
    site.due("2026-01-10 03:00")
    site.apply(DAILY, at=utc("2026-01-10 04:30"))
    assert site.due("2026-01-10 05:30") == [("Daily", "schedule")]


def test_a_changed_schedule_counts_from_the_change(site):
    site.apply(DAILY)
    site.due("2026-01-10 05:30")
    site.apply({**DAILY, "schedule": {**SCHEDULE, "cron": "45 6 * * *"}}, at=utc("2026-01-10 05:50"))
    assert site.due("2026-01-10 05:51") == []


def test_a_clock_that_is_put_back_starts_nothing_twice(site):
    site.apply(DAILY)
    site.due("2026-01-10 04:59")
    assert len(site.turn("2026-01-10 05:00")) == 1
    assert site.due("2026-01-10 04:58") == []
    assert site.due("2026-01-10 05:01") == []


def test_the_hour_that_comes_twice_makes_one_run_and_the_one_that_does_not_makes_one_too(site):
    site.apply({**DAILY, "schedule": {**SCHEDULE, "cron": "30 2 * * *"}})
    site.due("2026-03-28 12:00")
    (spring,) = site.turn("2026-03-29 01:00")
    assert spring.due_at == utc("2026-03-29 01:00")
    site.due("2026-10-24 12:00")
    site.turn("2026-10-24 12:00")
    (autumn,) = site.turn("2026-10-25 00:30")
    assert autumn.due_at == utc("2026-10-25 00:30")
    assert site.due("2026-10-25 01:30") == []


def test_a_disabled_group_is_never_due_and_has_nothing_to_make_up_for(site):
    both = {**DAILY, "after_signal": "loaded"}
    site.apply({**both, "enabled": False})
    site.due("2026-01-10 04:00")
    assert site.signal("loaded", "2026-01-10 04:30") == []
    assert site.due("2026-01-10 06:00") == []
    site.apply(both, at=utc("2026-01-10 07:00"))
    assert site.due("2026-01-10 07:01") == []
    site.signal("loaded", "2026-01-10 08:00")
    assert site.due("2026-01-10 08:01") == [("Daily", "signal")]


def test_a_run_that_waits_is_given_up_when_the_group_is_disabled_or_deleted(site):
    site.apply(WAITS, {**WAITS, "name": "Goes"})
    site.signal("loaded", "2026-01-10 04:30")
    assert sorted(site.due("2026-01-10 05:00")) == [("Goes", "signal"), ("Waits", "signal")]
    site.apply({**WAITS, "enabled": False}, at=utc("2026-01-10 05:01"))
    assert site.due("2026-01-10 05:02") == []
    (run,) = site.runs("Waits")
    assert (run.status, run.warnings) == (GroupStatus.SKIPPED, ("the group was disabled",))
    assert site.scheduler().records.open() == ()


def test_a_signal_makes_those_who_wait_for_it_due_once(site):
    site.apply(WAITS, {**WAITS, "name": "Other", "after_signal": "else"}, DAILY)
    assert site.due("2026-01-10 10:00") == []
    assert site.signal("loaded", "2026-01-10 10:01") == ["Waits"]
    assert site.due("2026-01-10 10:02") == [("Waits", "signal")]
    assert [run.group for run in site.turn("2026-01-10 10:02")] == ["Waits"]
    assert site.due("2026-01-10 10:03") == []
    site.signal("loaded", "2026-01-10 11:00")
    assert site.due("2026-01-10 11:01") == [("Waits", "signal")]


def test_a_signal_before_the_first_scheduler_counts_one_before_the_group_does_not(site):
    site.signal("loaded", "2025-12-31 10:00")
    site.apply(WAITS)
    assert site.due("2026-01-10 10:00") == []
    site.signal("loaded", "2026-01-10 10:01")
    assert site.due("2026-01-12 10:00") == [("Waits", "signal")]


def test_a_signal_waits_for_the_offset(site):
    site.apply({**WAITS, "offset": "1h30m"})
    site.signal("loaded", "2026-01-10 10:00")
    assert site.due("2026-01-10 11:29:59") == []
    assert site.due("2026-01-10 11:30") == [("Waits", "signal")]


def test_signals_at_once_make_one_run(site):
    site.apply(WAITS)
    for second in range(3):
        site.signal("loaded", f"2026-01-10 10:00:0{second}")
    assert len(site.turn("2026-01-10 10:01")) == 1
    assert site.due("2026-01-10 10:02") == []


def test_a_signal_while_a_run_waits_adds_none_and_is_written_down(site):
    site.apply(WAITS)
    site.signal("loaded", "2026-01-10 10:00")
    site.due("2026-01-10 10:01")
    site.signal("loaded", "2026-01-10 10:02")
    assert site.due("2026-01-10 10:03") == [("Waits", "signal")]
    first, second = site.runs("Waits")
    assert (first.status, second.status) == (GroupStatus.WAITING, GroupStatus.SKIPPED)
    assert second.warnings == ("another run of the group was waiting already",)


def test_a_signal_while_the_group_runs_runs_it_again_afterwards(site):
    site.apply(WAITS)
    site.signal("loaded", "2026-01-10 10:00")
    seen = []

    def start(turn):
        site.signal("loaded", "2026-01-10 10:01")
        seen.append(site.due("2026-01-10 10:02"))
        return MemberResult(run_id=turn.orchestration, status=MemberStatus.COMPLETED)

    site.turn("2026-01-10 10:00:30", start)
    assert seen == [[]]
    assert site.due("2026-01-10 10:03") == [("Waits", "signal")]


@pytest.mark.parametrize("name", ["", " ", " loaded", "a\nb", "x" * 256])
def test_a_signal_needs_a_name(site, name):
    with pytest.raises(UsageError, match="needs a name"):
        site.signal(name, "2026-01-10 10:00")


def test_a_group_after_another_is_due_when_that_has_completed(site):
    site.apply(WAITS, {"name": "Then", "after_group": "Waits", "offset": "5m", "members": [{"orchestration": "B"}]})
    site.signal("loaded", "2026-01-10 10:00")
    site.turn("2026-01-10 10:01")
    assert site.due("2026-01-10 10:05:59") == []
    assert site.due("2026-01-10 10:06") == [("Then", "group")]
    (ended,) = site.turn("2026-01-10 10:06")
    assert ended.trigger == site.runs("Waits")[0].id
    assert site.due("2026-01-10 10:07") == []


def test_a_group_after_one_that_failed_is_not_due(site):
    site.apply(WAITS, {"name": "Then", "after_group": "Waits", "members": [{"orchestration": "B"}]})
    site.signal("loaded", "2026-01-10 10:00")
    (ended,) = site.turn("2026-01-10 10:01", Starts(A=FAILED))
    assert ended.status is GroupStatus.FAILED
    assert site.due("2026-01-10 10:02") == []


def test_a_group_may_wait_for_several_things(site):
    site.apply({**DAILY, "after_signal": "loaded"})
    site.due("2026-01-10 04:00")
    site.signal("loaded", "2026-01-10 04:30")
    assert [run.cause for run in site.turn("2026-01-10 04:31")] == ["signal"]
    assert [run.cause for run in site.turn("2026-01-10 05:00")] == ["schedule"]
