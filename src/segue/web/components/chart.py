"""Curves over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nicegui import ui


class LineChart(ui.element, component="chart.js"):
    """Curves. label: what they show, for those who do not see them; curves: name and points, the oldest first."""

    def __init__(self, label: str, curves: Sequence[tuple[str, Sequence[tuple[datetime, int]]]]) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["curves"] = [
            {"name": name, "points": [[at.timestamp() * 1000, value] for at, value in points]}
            for name, points in curves
        ]
