# ruff: noqa: D103 -- the name of a test says what it shows
"""Arithmetic of the goals, by hand."""

from __future__ import annotations

import pytest

from benchmarks.goals import judge, ratio
from benchmarks.limits import churn_minimum, fewest_seconds
from benchmarks.sample import Sample
from segue.database.churn import ChurnCounts


def _sample(seconds: float, *, rows: int = 1_000_000, peak: int = 0, **facts: object) -> Sample:
    return Sample(rows=rows, seconds=seconds, cpu=seconds, peak=peak, facts=facts)


@pytest.mark.parametrize(("jobs", "seconds"), [(1, 0.0), (100, 9.9), (150, 14.9), (151, 60.0), (1000, 360 + 9.9)])
def test_fewest_seconds_at_ten_a_second_and_150_a_minute(jobs: int, seconds: float) -> None:
    assert fewest_seconds(jobs) == pytest.approx(seconds)


def test_fewest_requests_of_a_churn() -> None:
    """7,500 rows of 500 bytes fit one job; 2,500 people lose a standard field; 2,500 leave: 25 look-ups, 3 removals."""
    fewest = churn_minimum(ChurnCounts(added=2500, changed=2500, cleared=2500, removed=2500))
    assert (fewest["jobs"], fewest["clears"], fewest["look-ups"], fewest["removes"]) == (1, 2500, 25, 3)
    assert sum(fewest.values()) == 2532


def test_a_ratio_compares_what_ran_side_by_side() -> None:
    """The machine was three times as slow in the second round: the ratio is 2 all the same."""
    assert ratio([_sample(2), _sample(6)], [_sample(1), _sample(3)], lambda s: s.seconds) == 2


def test_rounds_that_were_broken_off_do_not_count() -> None:
    """The last round measured the floor alone, in a moment of its own."""
    assert ratio([_sample(2), _sample(6)], [_sample(1), _sample(3), _sample(60)], lambda s: s.seconds) == 2


def test_what_is_measured_once_is_compared_with_the_last_round() -> None:
    """Ten times the rows are measured beside the third first run, which took 5."""
    assert ratio([_sample(50)], [_sample(1), _sample(3), _sample(5)], lambda s: s.seconds) == 10


@pytest.mark.parametrize(("made", "met"), [(2531, False), (2532, True), (2534, True), (2535, False)])
def test_fewer_requests_than_the_fewest_are_no_merit(made: int, met: bool) -> None:
    """Something that had to be done was left out."""
    [judged] = judge({"churn": [_sample(1, requests_total=made, minimum_total=2532)]})
    assert judged.met is met


def test_goals_are_met_or_missed() -> None:
    results = {
        "floor": [_sample(1)],
        "encode_submit": [_sample(2.5)],
        "first_run": [_sample(4)],
        "large": [_sample(44, peak=1_600_000_000)],
        "rerun": [_sample(1, requests={"GET /api/accounts": 1, "POST /api/lists": 1})],
        "churn": [_sample(1, requests_total=2534, minimum_total=2532)],
        "windows": [_sample(12, share=0.94, throttled=0)],
    }
    met = {judged.goal: judged.met for judged in judge(results)}
    assert met == {
        "encode and submit <= 2 x the COPY floor": False,
        "first run <= 4 x the COPY floor": True,
        "ten times the rows <= 11 x the time": True,
        "encode and submit >= 300,000 rows/s": True,
        "rerun without a change: 0 writes": False,
        "1 % churn: the fewest requests + 2": True,
        "real windows: >= 95 % of the ceiling": False,
        "ten times the rows: <= 1.5 GB in all processes": False,
    }
