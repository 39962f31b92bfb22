"""Numbers over time, of a few kinds, as bars on each other."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui


class TimeBars(ui.element, component="time_bars.js"):
    """Bars. label: what they count, for those who do not see them; kinds: name and tone (as of a status) of each,
    three at most."""

    def __init__(self, label: str, kinds: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["kinds"] = [{"name": name, "tone": tone} for name, tone in kinds]
        self.fill((), width=1)

    def fill(self, slots: Sequence[tuple[int, Sequence[int]]], *, width: int) -> None:
        """Show these numbers. slots: seconds since 1970 at which each begins, and a number of each kind; width: seconds of
        a slot."""
        self.props["slots"] = [[at * 1000, list(numbers)] for at, numbers in slots]
        self.props["wide"] = width * 1000
