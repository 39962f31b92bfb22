"""Requests of a run in words and numbers: no elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from segue.delivery.exchanges import Answered, Body, answered_how
from segue.delivery.timeline import Timeline
from segue.delivery.words import counted
from segue.services.exchanges import Head, RunRequests
from segue.web.pages.run_words import duration

KINDS: tuple[tuple[Answered, str], ...] = (
    (Answered.DONE, "good"),
    (Answered.SLOWED_DOWN, "warn"),
    (Answered.FAILED, "bad"),
)
"""How requests may be answered, with the tone of each."""
_MOST_BARS = 60
_ENDS = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Requests of one slot. at: when it begins, seconds since 1970; numbers: in the order of KINDS; waited: seconds."""

    at: int
    numbers: tuple[int, ...]
    waited: float


def slots(told: RunRequests) -> tuple[int, tuple[Slot, ...]]:
    """The width in seconds, and the slots with requests: few enough to be seen beside each other."""
    timeline = Timeline.of_rows(told.width, [(li.at, "", li.status, li.calls, li.waited) for li in told.lines])
    while (times := [line.at for line in timeline.lines()]) and times[-1] - times[0] >= _MOST_BARS * timeline.width:
        timeline.widen(timeline.width * 2)
    found: dict[int, list[float]] = {}
    order = [kind for kind, _ in KINDS]
    for line in timeline.lines():
        numbers = found.setdefault(line.at, [0, 0, 0, 0])
        numbers[order.index(answered_how(line.status))] += line.calls
        numbers[-1] += line.waited
    return timeline.width, tuple(
        Slot(at=at, numbers=tuple(int(number) for number in numbers[:-1]), waited=numbers[-1])
        for at, numbers in sorted(found.items())
    )


def waited(found: Sequence[Slot]) -> str:
    """How long requests were held back, where they were."""
    seconds = sum(slot.waited for slot in found)
    return (
        f"Held back for {duration(timedelta(seconds=seconds))} in all, so as not to ask too often"
        if seconds >= 1
        else ""
    )


def head_line(head: Head) -> str:
    """What is good to know of an exchange besides address and answer."""
    parts = [f"{1000 * head.seconds:,.0f} ms"]
    if head.rows is not None:
        parts.append(counted(head.rows, "person", "people"))
    if head.attempt > 1:
        parts.append(f"attempt {head.attempt}")
    return ", ".join(parts)


def answer_of(head: Head) -> str:
    """The answer's status, or why there was none."""
    return str(head.status) if head.status is not None else f"no answer ({head.problem})"


def readable(body: Body) -> str:
    """The text of a body, indented where it is JSON; one that is cut is closed first."""
    try:
        return orjson.dumps(orjson.loads(body.text + _closing(body.text)), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.text


def _closing(text: str) -> str:
    """The brackets that a JSON text leaves open, between two of its items."""
    open_ones: list[str] = []
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in _ENDS:
            open_ones.append(_ENDS[character])
        elif open_ones and character == open_ones[-1]:
            open_ones.pop()
    return "".join(reversed(open_ones))
