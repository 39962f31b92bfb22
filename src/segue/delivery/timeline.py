"""When a destination was called: attempts by endpoint and answer, in slots of time that widen as the time gets longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

MOST_LINES = 400
"""Lines of a timeline. With more of them slots become twice as wide, so minutes and hours take the same room."""
NO_ANSWER = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Attempts of one endpoint with one answer in one slot. at: when the slot begins, seconds since 1970; status: of HTTP,
    None where there was no answer; waited: seconds for which the attempts were held back, added up."""

    at: int
    endpoint: str
    status: int | None
    calls: int
    waited: float


class Timeline:
    """width: seconds of a slot, a power of two. Slots begin at multiples of it since 1970, whoever counts: so the timelines of
    several processes add up."""

    def __init__(self, *, width: int = 1) -> None:
        self.width = width
        self._lines: dict[tuple[int, str, int | None], tuple[int, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, at: float, endpoint: str, status: int | None, *, calls: int = 1, waited: float = 0.0) -> None:
        """Count attempts at a moment, seconds since 1970."""
        key = (int(at) // self.width, endpoint, status)
        before = self._lines.get(key, (0, 0.0))
        self._lines[key] = (before[0] + calls, before[1] + waited)
        while len(self._lines) > MOST_LINES:
            self.widen(self.width * 2)

    def widen(self, width: int) -> None:
        """Make slots so wide; a power of two, and not less than now."""
        lines = self.lines()
        self.width, self._lines = width, {}
        for line in lines:
            self.add(line.at, line.endpoint, line.status, calls=line.calls, waited=line.waited)

    def absorb(self, other: Timeline) -> None:
        """Count what another one counted here too."""
        if other.width > self.width:
            self.widen(other.width)
        for line in other.lines():
            self.add(line.at, line.endpoint, line.status, calls=line.calls, waited=line.waited)

    def lines(self) -> tuple[Line, ...]:
        """What was counted, the oldest first."""
        found = (
            Line(at=slot * self.width, endpoint=endpoint, status=status, calls=calls, waited=round(waited, 3))
            for (slot, endpoint, status), (calls, waited) in self._lines.items()
        )
        return tuple(sorted(found, key=lambda line: (line.at, line.endpoint, line.status or 0)))

    def as_rows(self) -> list[list[Any]]:
        """The lines as JSON: at, endpoint, status, calls, waited."""
        return [[line.at, line.endpoint, line.status, line.calls, line.waited] for line in self.lines()]

    @classmethod
    def of_rows(cls, width: int, rows: Sequence[Sequence[Any]]) -> Self:
        """What ``as_rows`` gave, with the width of that time."""
        made = cls(width=width)
        for at, endpoint, status, calls, waited in rows:
            made.add(at, endpoint, status, calls=calls, waited=waited)
        return made
