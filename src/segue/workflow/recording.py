"""What a run asked of its destination, written down while it goes on: a timeline, and a sample of exchanges."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from segue import logs
from segue.catalog import Catalog
from segue.catalog.timelines import RunTimeline
from segue.delivery.exchanges import FIRST, MOST, Exchange
from segue.delivery.timeline import Timeline
from segue.services.exchange_files import add_exchanges, read_exchanges

_EVERY = 2.0
"""Seconds between two writes while a task goes on: so much of it a kill may take along."""


class RunRecorder:
    """See ``segue.delivery.exchanges.Recorder``. Several processes may work on a run one after the other: each adds to what
    is there. Nothing that goes wrong here fails the run: it is told to the log, and tried again with what comes then."""

    def __init__(
        self, catalog: Catalog, run_id: str, folder: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalog = catalog
        self._run = run_id
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._timeline = Timeline()
        self._exchanges: list[Exchange] = []
        self._saved_at = clock()
        kept = (stored.exchange for stored in read_exchanges(folder))
        self._kept = Counter((exchange.endpoint, exchange.status) for exchange in kept)

    def count(self, endpoint: str, status: int | None, *, at: float, waited: float) -> bool:
        """Count an attempt; its exchange is wanted when it is one of the first with this answer."""
        with self._lock:
            self._timeline.add(at, endpoint, status, waited=waited)
            wanted = self._kept[endpoint, status] < FIRST and self._kept.total() < MOST
            self._kept[endpoint, status] += wanted
            due = self._clock() - self._saved_at >= _EVERY
        if due and self._saving.acquire(blocking=False):
            try:
                self._save()
            finally:
                self._saving.release()
        return wanted

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange until the next write."""
        with self._lock:
            self._exchanges.append(exchange)

    def save(self) -> None:
        """Write down what came since the last time."""
        with self._saving:
            self._save()

    def _save(self) -> None:
        with self._lock:
            timeline, exchanges = self._timeline, self._exchanges
            self._timeline, self._exchanges, self._saved_at = Timeline(), [], self._clock()
        try:
            if timeline or exchanges:
                self._write(timeline, exchanges)
        except Exception as error:  # noqa: BLE001 -- what is remembered must not decide what becomes of a run
            logs.event("requests not recorded", run=self._run, error=type(error).__name__)
            with self._lock:
                self._timeline.absorb(timeline)
                self._exchanges = [*exchanges, *self._exchanges]

    def _write(self, timeline: Timeline, exchanges: list[Exchange]) -> None:
        # The session refuses a worker whose run is another one's by now, and so keeps it from the file too.
        with self._catalog.session() as session:
            row = session.get(RunTimeline, self._run)
            if row is None:
                row = RunTimeline(run_id=self._run, width=timeline.width, lines=[])
                session.add(row)
            whole = Timeline.of_rows(row.width, row.lines)
            whole.absorb(timeline)
            row.width, row.lines = whole.width, whole.as_rows()
            if exchanges:
                add_exchanges(self._folder, exchanges)
