"""Expected moments are worked out by hand from the tz database.

Europe/Vienna: UTC+1, summer time UTC+2; at 2026-03-29 01:00 UTC the clock goes from 02:00 to 03:00, at 2026-10-25 01:00 UTC from
03:00 back to 02:00. Australia/Lord_Howe: at 2026-10-03 15:30 UTC from 02:00 (UTC+10:30) to 02:30 (UTC+11). Asia/Beirut: at
2026-03-28 22:00 UTC from 00:00 (UTC+2) to 01:00 (UTC+3). Pacific/Apia had no 2011-12-30 at all: UTC-10 became UTC+14.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.timetable import Timetable, check_cron, check_timezone


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron, zone, start, count):
    return [f"{time:%m-%d %H:%M}" for time in islice(Timetable(cron=cron, timezone=zone).after(utc(start)), count)]


def test_a_time_is_local_in_winter_and_in_summer():
    assert times("0 6 * * *", "Europe/Vienna", "2026-01-10 00:00", 2) == ["01-10 05:00", "01-11 05:00"]
    assert times("0 6 * * *", "Europe/Vienna", "2026-07-10 00:00", 2) == ["07-10 04:00", "07-11 04:00"]


def test_a_moment_is_not_after_itself():
    assert times("0 6 * * *", "Europe/Vienna", "2026-01-10 05:00", 1) == ["01-11 05:00"]
    assert times("0 6 * * *", "Europe/Vienna", "2026-01-10 04:59:59.999", 1) == ["01-10 05:00"]


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("30 2 * * *", "Europe/Vienna", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:30"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02 20:00", ["10-03 15:30", "10-04 15:15"]),
        ("0 0 * * *", "Asia/Beirut", "2026-03-28 12:00", ["03-28 22:00", "03-29 21:00"]),
        # 06:00 of the 30th never was: the next minute is 00:00 of the 31st, 10:00 UTC of the 30th.
        ("0 6 * * *", "Pacific/Apia", "2011-12-29 15:00", ["12-29 16:00", "12-30 10:00", "12-30 16:00"]),
        # Four times that do not exist meet at one minute, and count once.
        ("*/15 2 * * *", "Europe/Vienna", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:00"]),
        # Nor does one of them double a time that exists.
        ("0 2,3 * * *", "Europe/Vienna", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:00", "03-30 01:00"]),
    ],
)
def test_a_local_time_that_does_not_exist_runs_at_the_next_minute_that_does(cron, zone, start, expected):
    assert times(cron, zone, start, len(expected)) == expected


@pytest.mark.parametrize("start", ["2026-10-24 12:00", "2026-10-25 00:29"])
def test_a_local_time_that_exists_twice_runs_once_the_first_time(start):
    assert times("30 2 * * *", "Europe/Vienna", start, 2) == ["10-25 00:30", "10-26 01:30"]


def test_asked_between_the_two_the_second_is_not_given():
    assert times("30 2 * * *", "Europe/Vienna", "2026-10-25 00:31", 1) == ["10-26 01:30"]
    assert times("30 2 * * *", "Europe/Vienna", "2026-10-25 01:10", 1) == ["10-26 01:30"]


def test_a_line_without_an_hour_goes_on_through_both_changes():
    assert times("30 * * * *", "Europe/Vienna", "2026-10-24 23:00", 4) == [
        "10-24 23:30", "10-25 00:30", "10-25 01:30", "10-25 02:30"
    ]  # fmt: skip
    assert times("30 * * * *", "Europe/Vienna", "2026-03-28 23:00", 3) == ["03-28 23:30", "03-29 00:30", "03-29 01:30"]


@given(
    minute=st.sampled_from(["0", "30", "*/20", "7,52"]),
    hour=st.sampled_from(["*", "2", "1-3", "*/2", "23,0"]),
    zone=st.sampled_from(["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
    seconds=st.integers(0, 365 * 86400),
)
def test_times_rise_and_none_is_left_out_or_added_whoever_asks(minute, hour, zone, seconds):
    table = Timetable(cron=f"{minute} {hour} * * *", timezone=zone)
    moment = utc("2026-01-01") + timedelta(seconds=seconds)
    row = list(islice(table.after(moment), 8))
    assert row == sorted(set(row))
    asked = []
    for _ in row:
        moment = next(table.after(moment))
        asked.append(moment)
    assert asked == row


def test_between_counts_and_gives_the_first_and_the_latest():
    table = Timetable(cron="0 6 * * *", timezone="Europe/Vienna")
    found = table.between(utc("2026-01-10 05:00"), utc("2026-01-13 05:00"))
    assert (found.count, found.first, found.latest) == (3, utc("2026-01-11 05:00"), utc("2026-01-13 05:00"))
    assert table.between(utc("2026-01-10 05:00"), utc("2026-01-11 04:59")).count == 0


def test_the_latest_of_very_many_is_found_though_they_are_not_all_counted():
    table = Timetable(cron="* * * * *", timezone="Europe/Vienna")
    found = table.between(utc("2020-01-01 00:00"), utc("2026-01-13 05:00"))
    assert (found.count, found.latest) == (1000, utc("2026-01-13 05:00"))


def test_the_latest_of_a_rare_time_is_found():
    table = Timetable(cron="0 6 29 2 *", timezone="UTC")
    found = table.between(utc("2018-01-01 00:00"), utc("2026-01-13 05:00"))
    assert (found.count, found.latest) == (2, utc("2024-02-29 06:00"))


def test_cron_in_words():
    assert Timetable(cron="0 6 * * MON-FRI", timezone="UTC").words == "At 06:00 on Monday through Friday"


@pytest.mark.parametrize("text", ["0 6 * * *", "*/5 9-17 * * 1-5", "0 0 1 JAN,JUL *", "0 12 L * *"])
def test_good_expressions(text):
    assert check_cron(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 6 * *", "five fields"),
        ("0 0 6 * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 6 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 6 * * FUN", "bad day-of-week"),
        ("0 6 31 2 *", "bad day-of-month"),
        ("", "five fields"),
    ],
)
def test_bad_expressions_say_what_is_wrong(text, said):
    with pytest.raises(ValueError, match=said):
        check_cron(text)


def test_time_zones():
    assert check_timezone("America/Argentina/Buenos_Aires") == "America/Argentina/Buenos_Aires"
    with pytest.raises(ValueError, match='did you mean "Europe/Vienna"'):
        check_timezone("europe/viena")
    for text in ("../../etc/passwd", "", "CEST"):
        with pytest.raises(ValueError, match="takes an IANA time zone"):
            check_timezone(text)
