"""Schedules in words, and their next times. Expected values: the calendar, and the day on which Vienna's clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from segue.scheduling.overview import group_lines, schedule_of
from segue.services.permissions import NOBODY, NotPermittedError

SATURDAY = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)
"""Noon in Vienna: the clocks are put back in the night that follows."""


def test_a_schedule_is_told_in_words_with_its_next_times_on_the_clocks_of_its_zone():
    schedule = schedule_of("0 6 * * *", "Europe/Vienna", now=SATURDAY)
    assert schedule.words == "At 06:00 every day"
    assert [f"{time:%d %H:%M %z}" for time in schedule.coming] == [
        "25 06:00 +0100",
        "26 06:00 +0100",
        "27 06:00 +0100",
        "28 06:00 +0100",
        "29 06:00 +0100",
    ]
    assert schedule.coming[0] == datetime(2026, 10, 25, 5, 0, tzinfo=UTC)
    assert schedule.coming[0].tzinfo == ZoneInfo("Europe/Vienna")


def test_an_offset_moves_the_times():
    plain = schedule_of("0 6 * * *", "UTC", now=SATURDAY)
    later = schedule_of("0 6 * * *", "UTC", now=SATURDAY, offset=600)
    assert [b - a for a, b in zip(plain.coming, later.coming, strict=True)] == [timedelta(minutes=10)] * 5


@pytest.mark.parametrize(("cron", "zone", "said"), [("0 6 * *", "UTC", "five fields"), ("0 6 * * *", "Wien", "IANA")])
def test_what_is_no_schedule_says_why(cron, zone, said):
    with pytest.raises(ValueError, match=said):
        schedule_of(cron, zone, now=SATURDAY)


def test_who_may_not_look_sees_no_group(site):
    assert group_lines(site.workspace) == ()
    with pytest.raises(NotPermittedError):
        group_lines(site.workspace.acting_as(NOBODY))
