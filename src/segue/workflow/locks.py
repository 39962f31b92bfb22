"""One run of an orchestration at a time, across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from segue.catalog.locks import Locks
from segue.delivery.budget import Interrupted
from segue.errors import BusyError

_AGAIN = 0.5
"""Seconds between two looks at a lock that somebody else holds."""
_SERVER = "server"


@contextmanager
def only_run(locks: Locks, orchestration_id: str, name: str) -> Iterator[None]:
    """Hold the lock of an orchestration. It is dropped when the process dies, however it dies.

    Raises BusyError when another process holds it.
    """
    with locks.hold(orchestration_id) as ours:
        if not ours:
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
def turn(locks: Locks, orchestration_id: str, name: str, *, stop: threading.Event) -> Iterator[None]:
    """Wait for the lock of an orchestration and hold it. Raises Interrupted when stop is set meanwhile."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(only_run(locks, orchestration_id, name))
                break
            except BusyError:
                if stop.wait(_AGAIN):
                    raise Interrupted from None
        yield


@contextmanager
def only_server(locks: Locks) -> Iterator[None]:
    """Hold the lock of the one server of a workspace whose metadata is a file. Raises BusyError when there is another."""
    with locks.hold(_SERVER) as ours:
        if not ours:
            raise BusyError(
                "Another `segue serve` works in this workspace.",
                code="server_running",
                steps=("Stop that one first; one is enough: it carries out the runs of every orchestration.",),
            )
        yield


@contextmanager
def among_servers(locks: Locks) -> Iterator[None]:
    """Be one of the servers of a workspace whose metadata is shared."""
    with locks.hold(_SERVER, shared=True):
        yield


def server_is_up(locks: Locks) -> bool:
    """Whether a server or a worker works in this workspace."""
    return locks.is_held(_SERVER)


def run_is_under_way(locks: Locks, orchestration_id: str) -> bool:
    """Whether some process holds the lock of an orchestration."""
    return locks.is_held(orchestration_id)
