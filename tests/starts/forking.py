"""The process that ``segue`` is forked from: ``python -m tests.starts.forking DESCRIPTOR``, of a socket that listens.

It has loaded what commands and servers need, and has opened nothing. It ends with its standard input.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.starts.segue import NUMBER

LOADED = ("segue.app", "segue.cli.main", "segue.cli.local", "segue.web", "segue.api", "psycopg")


class Forking:
    """Forks, hands signals on and says how a process ended. One thread only: a fork would copy half of several."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._running: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes us up
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the tests, which end us
        for waited in (0, self._woken, listener):
            self._selector.register(waited, selectors.EVENT_READ)

    def serve(self) -> list[str] | None:
        """In a fork its arguments; None once there will be no more."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                elif key.fileobj is not self._listener:
                    self._hand_on(key.data)
                elif (arguments := self._fork()) is not None:
                    return arguments

    def _fork(self) -> list[str] | None:
        connection, _ = self._listener.accept()
        said, descriptors, _, _ = socket.recv_fds(connection, NUMBER.size, 3)
        if len(said) < NUMBER.size:  # killed at its start
            connection.close()
            return None
        order = json.loads(connection.recv(NUMBER.unpack(said)[0], socket.MSG_WAITALL))
        pid = os.fork()
        if pid == 0:
            connection.close()
            self._be(order, descriptors)
            arguments: list[str] = order["arguments"]
            return arguments
        for descriptor in descriptors:
            os.close(descriptor)
        self._running[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, pid)
        return None

    def _be(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Become the other process: nothing of ours stays open in it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()  # signals reach it once: handed on
        self._selector.close()
        for connection in (self._listener, *self._running.values()):
            connection.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        sys.argv = ["segue", *order["arguments"]]
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)

    def _hand_on(self, pid: int) -> None:
        if pid not in self._running:
            return
        try:
            numbers = self._running[pid].recv(16)
        except ConnectionResetError:
            numbers = b""
        if not numbers:  # who started it was killed
            self._selector.unregister(self._running[pid])
        for number in numbers or [signal.SIGKILL]:
            os.kill(pid, number)  # it is not reaped yet: the number is still its own

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._running.pop(pid) as connection:
                with suppress(KeyError):
                    self._selector.unregister(connection)
                with suppress(OSError):
                    connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))


def main() -> int:
    """Serve; in a fork, be ``segue``."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    for name in LOADED:
        importlib.import_module(name)
    threads = Path("/proc/self/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "what has several threads cannot be forked"
    gc.freeze()  # a collection in a fork would copy what is only read
    if Forking(listener).serve() is None:
        return 0
    from segue.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
