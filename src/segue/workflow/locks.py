"""One run of an orchestration at a time, across processes."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from segue.delivery.budget import Interrupted
from segue.errors import BusyError

_AGAIN = 0.5
"""Seconds between two looks at a lock that somebody else holds."""
_SERVER = "server.lock"


@contextmanager
def only_run(folder: Path, orchestration_id: str, name: str) -> Iterator[None]:
    """Hold the lock of an orchestration. The system drops it when the process dies, however it dies.

    Raises BusyError when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{orchestration_id}.lock").open("a") as file:
        if not _free(file):
            raise under_way(name)
        yield


def under_way(name: str) -> BusyError:
    """The error for a second run at once."""
    return BusyError(
        f'A run of "{name}" is under way in another process.',
        code="run_under_way",
        steps=("Wait until it has ended: segue runs", "Then run again."),
    )


@contextmanager
def turn(folder: Path, orchestration_id: str, name: str, *, stop: threading.Event) -> Iterator[None]:
    """Wait for the lock of an orchestration and hold it. Raises Interrupted when stop is set meanwhile."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(only_run(folder, orchestration_id, name))
                break
            except BusyError:
                if stop.wait(_AGAIN):
                    raise Interrupted from None
        yield


@contextmanager
def only_server(folder: Path) -> Iterator[None]:
    """Hold the lock of the one server of a workspace whose metadata is a file. Raises BusyError when there is another."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _SERVER).open("a") as file:
        if not _free(file):
            raise BusyError(
                "Another `segue serve` works in this workspace.",
                code="server_running",
                steps=("Stop that one first; one is enough: it carries out the runs of every orchestration.",),
            )
        yield


def server_is_up(folder: Path) -> bool:
    """Whether a server works in this workspace."""
    return _is_held(folder / _SERVER)


def run_is_under_way(folder: Path, orchestration_id: str) -> bool:
    """Whether some process holds the lock of an orchestration."""
    return _is_held(folder / f"{orchestration_id}.lock")


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            return not _free(file)
    except FileNotFoundError:
        return False


def _free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
