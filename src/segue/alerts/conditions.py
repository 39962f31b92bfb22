"""When an alert speaks: conditions as they are written, and what a run means for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from segue.settings import parse_duration

WORDS = ("failed", "recovered", "succeeded", "missed", "fuse_blown", "query_threshold", "longer_than")
"""The conditions; of several that a run meets, the first of failed and its kin names the message."""
_MOVES = 0.2
"""How far a row count may move when ``query_threshold`` stands alone, as a share of the last one."""
_BOUNDS = ("at_least", "at_most", "moves")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """kind: one of WORDS; seconds: of longer_than; at_least, at_most: rows; moves: share of the last row count."""

    kind: str
    seconds: float | None = None
    at_least: int | None = None
    at_most: int | None = None
    moves: float | None = None

    @property
    def key(self) -> str:
        """Tells the conditions of one alert apart."""
        return self.kind if self.seconds is None else f"{self.kind} {self.seconds:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run, as far as conditions ask. source: rows of the query, None when it did not get so far;
    code: of the error; text: what came of it, a sentence for people."""

    orchestration_id: str
    orchestration: str
    run_id: str
    succeeded: bool
    seconds: float
    source: int | None
    code: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a condition stood. name: a word; count: source rows at that time."""

    name: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a condition stands now. says: the headline of the message, None when there is nothing new to say."""

    state: State
    says: str | None = None


def parse_conditions(items: object) -> tuple[Condition, ...]:
    """The conditions of ``when``. Raises ValueError with a sentence about the first that makes no sense."""
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        raise ValueError(f'"when" takes a list of at least one of: {", ".join(WORDS)}')
    return tuple(_condition(item) for item in items)


def _condition(item: object) -> Condition:
    if isinstance(item, Mapping) and len(item) == 1:
        ((word, value),) = item.items()
        if word == "longer_than":
            return Condition(kind=word, seconds=_seconds(value))
        if word == "query_threshold" and isinstance(value, Mapping):
            return _threshold(value)
    if item == "query_threshold":
        return Condition(kind=item, moves=_MOVES)
    if isinstance(item, str) and item in WORDS and item != "longer_than":
        return Condition(kind=item)
    raise ValueError(f'"when" takes {", ".join(WORDS[:-1])} or `longer_than: 2h`')


def _seconds(value: object) -> float:
    try:
        return parse_duration(str(value))
    except ValueError as error:
        raise ValueError(f'"longer_than" {error}') from None


def _threshold(bounds: Mapping[Any, Any]) -> Condition:
    good = bool(bounds) and all(
        name in _BOUNDS and isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        for name, value in bounds.items()
    )
    if not good or any(not isinstance(bounds.get(name, 0), int) for name in ("at_least", "at_most")):
        raise ValueError('"query_threshold" takes at_least and at_most (rows) and moves (a share: 20 % is 0.2)')
    return Condition(kind="query_threshold", **bounds)


def judge(condition: Condition, outcome: Outcome, before: State | None) -> Verdict | None:
    """How a run leaves a condition. before: how it stood after the last one. None: this run says nothing about it."""
    was = before.name if before else None
    match condition.kind:
        case "failed" | "recovered" | "succeeded":
            return _ended(condition.kind, was, succeeded=outcome.succeeded)
        case "fuse_blown":
            blown = outcome.code == "fuse_blown"
            return _change(was, "blown" if blown else "whole", says="fuse blown" if blown else None)
        case "longer_than":
            slow = outcome.seconds > (condition.seconds or 0)
            return _change(was, "slow" if slow else "in time", says=slow_headline(condition) if slow else None)
        case "query_threshold" if outcome.source is not None:
            return _counted(condition, before, outcome.source)
    return None


def slow_headline(condition: Condition) -> str:
    """What is said of a run that takes too long."""
    return f"runs longer than {timedelta(seconds=condition.seconds or 0)} (h:mm:ss)"


def _ended(kind: str, was: str | None, *, succeeded: bool) -> Verdict:
    name = "well" if succeeded else "failed"
    says = {
        "failed": name == "failed",
        "recovered": name == "well" and was == "failed",
        "succeeded": name == "well",
    }[kind]
    return _change(was, name, says=kind if says else None)


def _change(was: str | None, name: str, *, says: str | None) -> Verdict:
    return Verdict(state=State(name=name), says=says if name != was else None)


def _counted(condition: Condition, before: State | None, count: int) -> Verdict:
    low, high, last = condition.at_least, condition.at_most, before.count if before else None
    outside = (low is not None and count < low) or (high is not None and count > high)
    state = State(name="outside" if outside else "inside", count=count)
    if outside and (before is None or before.name != "outside"):
        least = f"at least {low:,}" if low is not None else ""
        most = f"at most {high:,}" if high is not None else ""
        return Verdict(
            state=state, says=f"the query has {count:,} rows, not {' and '.join(filter(None, (least, most)))}"
        )
    # Each jump is a change of its own: the count that it is measured against moves along.
    if condition.moves is not None and last and abs(count - last) / last > condition.moves:
        return Verdict(state=state, says=f"the query has {count:,} rows, after {last:,}")
    return Verdict(state=state)
