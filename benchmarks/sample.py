"""One measurement, and what a benchmark run shares between them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process import Finished
from benchmarks.workspace import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one scenario. seconds: wall; cpu: processor seconds of all its processes; peak,
    receiver_peak: bytes of resident memory; facts: what else was seen, such as numbers of requests."""

    rows: int
    seconds: float
    cpu: float
    peak: int
    receiver_peak: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def sample(
    finished: Finished, rows: int, *, seconds: float | None = None, cpu: float | None = None, **facts: Any
) -> Sample:
    """From a measured program. seconds, cpu: what the program timed itself, where its start is no part of the question."""
    return Sample(
        rows=rows,
        seconds=finished.seconds if seconds is None else seconds,
        cpu=finished.cpu if cpu is None else cpu,
        peak=finished.peak,
        receiver_peak=finished.receiver_peak,
        facts=facts,
    )


@dataclass(kw_only=True)
class Round:
    """One pass through the scenarios. rows: of the main ones; data: where generated data is kept; folder: this round's
    own; home: the workspace that a first run has filled, with the database it reads."""

    rows: int
    data: Path
    folder: Path
    home: Home | None = None
    database: Path | None = None


@contextmanager
def new_round(rows: int, data: Path) -> Iterator[Round]:
    """A round in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="round-", dir=data))
    try:
        yield Round(rows=rows, data=data, folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Measure = Callable[[Round], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is measured. title: for people; in_it: exactly what the time holds."""

    name: str
    title: str
    in_it: str
    measure: Measure
