"""Lists and segments: named groups of profiles with a history of who joined and left when."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Members:
    """Who is in a group, now and at any earlier time.

    Joins are appended and never moved: a cursor is a position, pages stay stable while people come and go, and a
    read of the past (eventual consistency) needs no copy.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._joined = array("d")
        self._left: dict[int, float] = {}
        self._left_times = array("d")
        self._position: dict[str, int] = {}
        self._earlier: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids) - len(self._left)

    def __contains__(self, profile_id: str) -> bool:
        position = self._position.get(profile_id)
        return position is not None and position not in self._left

    def __iter__(self) -> Iterator[str]:
        left = self._left
        return (profile_id for position, profile_id in enumerate(self._ids) if position not in left)

    def add(self, profile_id: str, now: float) -> bool:
        """Let a profile join; False when it is a member already."""
        position = self._position.get(profile_id)
        if position is not None:
            if position not in self._left:
                return False
            self._earlier[profile_id] = position
        self._position[profile_id] = len(self._ids)
        self._ids.append(profile_id)
        self._joined.append(now)
        return True

    def discard(self, profile_id: str, now: float) -> bool:
        """Let a profile leave; False when it is no member."""
        if profile_id not in self:
            return False
        self._left[self._position[profile_id]] = now
        self._left_times.append(now)
        return True

    def count(self, at: float) -> int:
        """Members at a time."""
        return bisect_right(self._joined, at) - bisect_right(self._left_times, at)

    def find(self, profile_id: str, at: float) -> int | None:
        """The position of a profile that is a member at a time."""
        for positions in (self._position, self._earlier):
            position = positions.get(profile_id)
            if position is not None and self._visible(position, at):
                return position
        return None

    def entry(self, position: int) -> tuple[str, float]:
        """Profile id and time of joining, in seconds."""
        return self._ids[position], self._joined[position]

    def walk(
        self, at: float, *, span: range | None = None, after: int | None = None, backwards: bool = False
    ) -> Iterator[int]:
        """Positions of the members at a time, in order of joining or backwards, beyond the position ``after``.

        span: only positions within it.
        """
        first, end = (span.start, span.stop) if span is not None else (0, len(self._ids))
        end = min(end, bisect_right(self._joined, at))
        if backwards:
            positions = range((end if after is None else min(end, after)) - 1, first - 1, -1)
        else:
            positions = range(first if after is None else max(first, after + 1), end)
        return (position for position in positions if self._visible(position, at))

    def joined(self, operator: str, moment: float) -> range:
        """Positions whose time of joining is ``greater-than``, ``less-or-equal``, ... a moment. Times never fall."""
        if operator in ("greater-than", "less-or-equal"):
            cut = bisect_right(self._joined, moment)
        else:
            cut = bisect_left(self._joined, moment)
        return range(cut, len(self._ids)) if operator.startswith("greater") else range(cut)

    def _visible(self, position: int, at: float) -> bool:
        return self._joined[position] <= at < self._left.get(position, float("inf"))


class Group:
    """A list or a segment."""

    def __init__(self, group_id: str, name: str, now: float, *, opt_in_process: str = "single_opt_in") -> None:
        self.id = group_id
        self.name = name
        self.created = now
        self.updated = now
        self.opt_in_process = opt_in_process
        self.members = Members()
