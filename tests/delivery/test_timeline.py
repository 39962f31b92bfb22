from __future__ import annotations

from segue.delivery.timeline import MOST_LINES, Timeline

START = 1_800_000_000


def calls(timeline: Timeline, status: int | None) -> int:
    return sum(line.calls for line in timeline.lines() if line.status == status)


def test_a_few_seconds_are_told_second_by_second():
    timeline = Timeline()
    timeline.add(START + 0.2, "POST /a", 202, waited=0.5)
    timeline.add(START + 0.9, "POST /a", 202, waited=0.25)
    timeline.add(START + 1.0, "POST /a", 429)
    told = [(line.at, line.status, line.calls, line.waited) for line in timeline.lines()]
    assert (timeline.width, told) == (1, [(START, 202, 2, 0.75), (START + 1, 429, 1, 0.0)])


def test_hours_take_no_more_room_than_minutes_and_lose_no_call():
    timeline = Timeline()
    for second in range(6 * 3600):
        timeline.add(START + second, "POST /a", 202, waited=0.5)
        timeline.add(START + second, "GET /a", 200)
    assert len(timeline.lines()) <= MOST_LINES
    # 6 h of two endpoints in 400 lines are 200 slots: 108 s, and the next power of two.
    assert timeline.width == 128
    assert (calls(timeline, 202), calls(timeline, 200)) == (21_600, 21_600)
    assert sum(line.waited for line in timeline.lines()) == 10_800
    assert all(line.at % 128 == 0 for line in timeline.lines())


def test_a_run_that_rests_for_days_is_not_made_coarse_by_it():
    timeline = Timeline()
    timeline.add(START, "POST /a", 202)
    timeline.add(START + 3 * 86_400, "POST /a", 202)
    assert (timeline.width, len(timeline.lines())) == (1, 2)


def test_what_several_processes_counted_adds_up():
    first, second = Timeline(width=4), Timeline()
    first.add(START + 2, "POST /a", 202, calls=3)
    second.add(START + 3, "POST /a", 202)
    second.add(START + 4, "POST /a", None)
    first.absorb(second)
    assert [(line.at, line.status, line.calls) for line in first.lines()] == [(START, 202, 4), (START + 4, None, 1)]
    third = Timeline()
    third.absorb(first)
    assert (third.width, third.lines()) == (4, first.lines())


def test_it_comes_back_from_its_rows():
    timeline = Timeline(width=2)
    timeline.add(START, "POST /a", 202, waited=1.5)
    timeline.add(START, "POST /a", None)
    again = Timeline.of_rows(2, timeline.as_rows())
    assert again.lines() == timeline.lines()
