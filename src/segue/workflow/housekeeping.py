"""``segue serve`` removes what has expired, once a day."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from segue import logs
from segue.catalog.base import now
from segue.errors import SegueError
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.garbage import collect

_EVERY = 24 * 3600.0
_LOOK = 60.0
"""Seconds between two looks at the time of the last collection; nothing is collected in the first of them."""


@contextmanager
def keeping_house(workspace: Workspace, settings: Settings, *, look: float = _LOOK) -> Iterator[None]:
    """Collect in a thread when a day has passed since the last time, by whichever process, until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(workspace, settings, stop, look), name="segue-housekeeping")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(workspace: Workspace, settings: Settings, stop: threading.Event, look: float) -> None:
    """Whatever goes wrong, it is tried again: people's data must not stay because a file could not be removed once."""
    while not stop.wait(look):
        try:
            with workspace.locks.hold("housekeeping") as ours:
                if ours:
                    collect_daily(workspace, settings)
        except SegueError as error:
            logs.event("collection troubled", level=logging.WARNING, error=error.code)
        except Exception as error:  # noqa: BLE001 -- a thread has no caller
            logs.event("collection failed", level=logging.ERROR, error=type(error).__name__)


def collect_daily(workspace: Workspace, settings: Settings) -> bool:
    """Collect unless that was done within a day; whether it was done now."""
    done, moment = workspace.layout.home / "collected", now()
    if done.exists() and moment.timestamp() - done.stat().st_mtime < _EVERY:
        return False
    collect(workspace, settings, at=moment)
    done.touch()
    return True
