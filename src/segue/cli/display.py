"""How a run shows what it does: a live display on a terminal, plain lines elsewhere, nothing where JSON is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from segue.delivery.progress import Progress

_EVERY = 5.0
"""Seconds between two plain lines about one task."""


@contextmanager
def watching(*, quiet: bool) -> Iterator[Progress]:
    """The progress of a run on stderr, so that stdout holds results alone."""
    from rich.console import Console  # noqa: PLC0415 -- loads half of rich

    from segue.delivery.progress import Quiet  # noqa: PLC0415

    console = Console(stderr=True)
    if quiet:
        yield Quiet()
    elif console.is_terminal:
        with Live(console) as live:
            yield live
    else:
        yield Lines()


@dataclass(slots=True)
class Lines:
    """One line when a task ends, one every few seconds while it goes on, one for a wait."""

    _total: dict[str, tuple[int | None, str]] = field(default_factory=dict)
    _said: float = field(default_factory=time.monotonic)

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """Remember what is counted."""
        self._total[task] = (total, unit)

    def advance(self, task: str, done: int) -> None:
        """Say so every few seconds."""
        if time.monotonic() - self._said >= _EVERY:
            total, unit = self._total.get(task, (None, ""))
            self._say(f"{task}: {done:,}{f' of {total:,}' if total else ''} {unit}")

    def end(self, task: str, summary: str) -> None:
        """Say what came of it."""
        self._say(f"{task}: {summary or 'done'}")

    def waiting(self, endpoint: str, seconds: float) -> None:
        """Say why nothing moves."""
        self._say(f"waiting {seconds:.0f} s for the window of {endpoint}")

    def tell(self, text: str) -> None:
        """Say it."""
        self._say(text)

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        typer.echo(text, err=True)


class Live:
    """A bar a task, with rows, rate and time left; below it the window that is waited for."""

    def __init__(self, console: object) -> None:
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}", markup=True),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("[yellow]{task.fields[note]}"),
            console=console,  # type: ignore[arg-type]
        )
        self._ids: dict[str, TaskID] = {}
        self._current: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """A bar of its own."""
        if task in self._ids:
            self._bars.update(self._ids[task], total=total, unit=unit)
        else:
            self._ids[task] = self._bars.add_task(task, total=total, unit=unit, note="")
        self._current = self._ids[task]

    def advance(self, task: str, done: int) -> None:
        """Move the bar; what was waited for is over."""
        if task in self._ids:
            self._bars.update(self._ids[task], completed=done, note="")

    def end(self, task: str, summary: str) -> None:  # noqa: ARG002 -- lines show it
        """Fill the bar. A task that had nothing to count shows none: the report says what it did."""
        if task in self._ids:
            bar = self._bars.tasks[self._ids[task]]
            self._bars.update(self._ids[task], total=bar.total or bar.completed, note="")

    def waiting(self, endpoint: str, seconds: float) -> None:
        """Say which window is waited for, and how long."""
        if self._current is not None:
            self._bars.update(self._current, note=f"waiting {seconds:.0f} s for the window of {endpoint}")

    def tell(self, text: str) -> None:
        """Say it above the bars."""
        self._bars.console.print(text)
