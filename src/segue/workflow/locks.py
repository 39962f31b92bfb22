"""One run of an orchestration at a time, across processes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
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
def making_list(locks: Locks, name: str, *, stop: threading.Event) -> Iterator[None]:
    """Wait for the turn to look a list of this name up and to make it; whoever comes second finds it. Raises Interrupted.

    By name and not by account: a key that may not show its account would have a lock of its own. It is held for a few
    requests.
    """
    with _waiting(locks, f"new-list-{_mark(name)}", stop=stop):
        yield


@contextmanager
def counting_lists(locks: Locks, account_id: str, *, stop: threading.Event) -> Iterator[None]:
    """Wait for the turn to count the lists that were made in an account today and to make another. Raises Interrupted.

    Whoever takes it holds the turn on a name already, never the other way round: nobody waits in a circle.
    """
    with _waiting(locks, f"lists-a-day-{_mark(account_id)}", stop=stop):
        yield


@contextmanager
def _waiting(locks: Locks, name: str, *, stop: threading.Event) -> Iterator[None]:
    with ExitStack() as held:
        while not _taken(held, locks, name):
            if stop.wait(_AGAIN):
                raise Interrupted
        yield


class ListTurns:
    """One run at a time on one list, across orchestrations and processes, from the comparison to the record.

    Two runs at once would decide about the same leavers from what the other one is about to change: both would leave them
    to each other, or one would remove whom the other sends. So the second one waits, and then compares with what the first
    one recorded. A run that was interrupted holds nothing: what changed since is looked at again before it removes or forgets
    anybody. Not thread-safe.
    """

    def __init__(self, locks: Locks, *, stop: threading.Event, told: Callable[[str], None]) -> None:
        self._locks = locks
        self._stop = stop
        self._told = told
        self._held = ExitStack()
        self._marks: set[str] = set()

    def take(self, account_id: str, name: str, list_id: str | None) -> bool:
        """Wait for the turn on a list, by its name in the account while it has no id; whether somebody else had it, so that
        what was read of the list is out of date. Nothing happens when it is held. Raises Interrupted."""
        mark = f"list-{_mark(list_id or f'{account_id} {name}')}"
        if mark in self._marks:
            return False
        if list_id is None:
            # Who waits for a list that is not there yet holds no other: nobody waits in a circle.
            self.close()
        waited = False
        while not _taken(self._held, self._locks, mark):
            if not waited:
                self._told("Another run sends to the same list: this one waits until it has ended.")
            waited = True
            if self._stop.wait(_AGAIN):
                raise Interrupted
        self._marks.add(mark)
        return waited

    def close(self) -> None:
        """Let the next one."""
        self._held.close()
        self._marks.clear()


def _taken(held: ExitStack, locks: Locks, name: str) -> bool:
    with ExitStack() as attempt:
        if attempt.enter_context(locks.hold(name)):
            held.push(attempt.pop_all())
            return True
    return False


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
