"""One run of an orchestration at a time, across processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.errors import BusyError


@contextmanager
def only_run(folder: Path, orchestration_id: str, name: str) -> Iterator[None]:
    """Hold the lock of an orchestration. The system drops it when the process dies, however it dies.

    Raises BusyError when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{orchestration_id}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f'A run of "{name}" is under way in another process.',
                code="run_under_way",
                steps=("Wait until it has ended: segue runs", "Then run again."),
            ) from None
        yield
