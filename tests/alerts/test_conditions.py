"""What a run means for each condition, as a sequence of runs."""

from __future__ import annotations

import pytest

from segue.alerts.conditions import Condition, Outcome, State, judge, parse_conditions


def outcome(*, succeeded=True, seconds=1.0, source: int | None = 100, code: str | None = None) -> Outcome:
    return Outcome(
        orchestration_id="o",
        orchestration="O",
        run_id="r",
        succeeded=succeeded,
        seconds=seconds,
        source=source,
        code=code,
        text="It ended.",
    )


def said(condition: Condition, *runs: Outcome) -> list[bool]:
    """Whether each run of a sequence says something."""
    state: State | None = None
    result = []
    for run in runs:
        verdict = judge(condition, run, state)
        result.append(bool(verdict and verdict.says))
        state = verdict.state if verdict else state
    return result


GOOD, BAD = outcome(), outcome(succeeded=False, code="unavailable")
BLOWN = outcome(succeeded=False, code="fuse_blown")


@pytest.mark.parametrize(
    ("kind", "runs", "expected"),
    [
        ("failed", [GOOD, BAD, BAD, GOOD, BAD], [False, True, False, False, True]),
        ("failed", [BAD], [True]),
        ("recovered", [GOOD, BAD, BAD, GOOD, GOOD], [False, False, False, True, False]),
        ("succeeded", [GOOD, GOOD, BAD, GOOD], [True, False, False, True]),
        ("fuse_blown", [GOOD, BLOWN, BLOWN, BAD, BLOWN], [False, True, False, False, True]),
        ("missed", [GOOD, BAD], [False, False]),
    ],
)
def test_one_message_for_a_change_of_state(kind, runs, expected):
    assert said(Condition(kind=kind), *runs) == expected


def test_longer_than():
    (condition,) = parse_conditions([{"longer_than": "2h"}])
    slow, quick = outcome(seconds=7200.5), outcome(seconds=7200)
    assert said(condition, quick, slow, slow, quick, slow) == [False, True, False, False, True]


def test_query_threshold_bounds():
    (condition,) = parse_conditions([{"query_threshold": {"at_least": 50, "at_most": 200}}])
    runs = [outcome(source=n) for n in (50, 49, 30, 200, 201)]
    assert said(condition, *runs) == [False, True, False, False, True]
    assert said(condition, outcome(source=None)) == [False]


def test_query_threshold_moves():
    # 20 % of 100 is 20: 120 is within, 121 is not.
    (condition,) = parse_conditions(["query_threshold"])
    assert said(condition, outcome(source=100), outcome(source=120)) == [False, False]
    assert said(condition, outcome(source=100), outcome(source=121), outcome(source=121)) == [False, True, False]
    assert said(condition, outcome(source=100), outcome(source=79)) == [False, True]


@pytest.mark.parametrize(
    "when",
    [
        [],
        "failed",
        ["faild"],
        ["longer_than"],
        [{"longer_than": "soon"}],
        [{"longer_than": "2h", "failed": 1}],
        [{"query_threshold": {}}],
        [{"query_threshold": {"at_least": "many"}}],
        [{"query_threshold": {"at_least": 1.5}}],
        [{"query_threshold": {"under": 5}}],
        [None],
    ],
)
def test_what_makes_no_sense_is_refused(when):
    with pytest.raises(ValueError, match="takes"):
        parse_conditions(when)
