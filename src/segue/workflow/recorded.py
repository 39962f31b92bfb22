"""The progress of a run that nobody's terminal shows: in the catalog, for whoever looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from segue import logs
from segue.catalog import Catalog
from segue.catalog.base import now as utc_now
from segue.catalog.runs import Task
from segue.delivery.budget import Interrupted
from segue.workflow.status import TaskStatus

_EVERY = 1.0
"""Seconds between two notes of one task."""


class RecordedProgress:
    """Writes how far a task is, once a second, and ends the task where the run is asked to stop.

    A task reports after each of its units is safe; so that is where it can stop at once and lose nothing.
    """

    def __init__(
        self, catalog: Catalog, run_id: str, *, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalog = catalog
        self._run = run_id
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._total: dict[str, tuple[int | None, str]] = {}
        self._noted: dict[str, float] = {}
        self._current: str | None = None
        self._told_until = 0.0

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """Note it."""
        with self._lock:
            self._total[task], self._current = (total, unit), task
            self._noted[task] = self._clock()
        self._note(task, 0)

    def advance(self, task: str, done: int) -> None:
        """Note it once a second. Raises Interrupted when the run is asked to stop."""
        if self._stop.is_set():
            raise Interrupted
        with self._lock:
            now = self._clock()
            if now - self._noted.get(task, -_EVERY) < _EVERY:
                return
            self._noted[task] = now
        self._note(task, done)

    def end(self, task: str, summary: str) -> None:
        """The task's outcome says it."""

    def waiting(self, endpoint: str, seconds: float) -> None:
        """Note which window is waited for, and until when; once for what waits at the same time."""
        with self._lock:
            task, until = self._current, self._clock() + seconds
            if task is None or until < self._told_until + _EVERY:
                return
            self._told_until = until
        opens = utc_now() + timedelta(seconds=seconds)
        with self._catalog.session() as session:
            row = session.get(Task, (self._run, task))
            if row is not None and row.status == TaskStatus.RUNNING:
                row.progress = {**(row.progress or {}), "waits_for": endpoint, "until": opens.isoformat()}

    def tell(self, text: str) -> None:
        """For the log."""
        logs.event("told", run=self._run, text=text)

    def _note(self, task: str, done: int) -> None:
        total, unit = self._total.get(task, (None, ""))
        with self._catalog.session() as session:
            if (row := session.get(Task, (self._run, task))) is not None:
                waits = {key: value for key, value in (row.progress or {}).items() if key in ("waits_for", "until")}
                row.progress = {"done": done, "total": total, "unit": unit, **waits}
