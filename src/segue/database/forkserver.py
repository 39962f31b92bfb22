"""The process that query processes are forked from: ``python -I forkserver.py CHILD SECONDS``; see ``forks``.

It has loaded what the script CHILD needs, and forks for each query a process that runs its ``main()``: loading DuckDB and
pyarrow takes longer than most queries. Nothing of one query can be in the next, since all of them begin as copies of a process
that has run none.

Standard input is a socket. Each message on it brings four descriptors: standard input, output and error of a query's process,
and a socket for this one query. On that we say the process id, then the exit code; a byte there means: kill it. The
end of standard input, or so many SECONDS without a query, is the end of this process.
"""

from __future__ import annotations

import gc
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

_NUMBER = struct.Struct("=i")
_DESCRIPTORS = 4096
"""More than are ever open here: one for each query that runs, and a few."""


class Forkserver:
    """Forks processes, kills them and says how they ended. Has one thread only, or a fork would copy half a process."""

    def __init__(self, main: Callable[[], None], seconds: float) -> None:
        self._main = main
        self._seconds = seconds
        self._orders = socket.socket(fileno=0)
        self._running: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes us up
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
        self._selector.register(self._orders, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the parent is gone, or nothing was asked for long enough."""
        while events := self._selector.select(None if self._running else self._seconds):
            for key, _ in events:
                if key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                elif key.fileobj is not self._orders:
                    self._kill(key.data)
                elif not self._take():
                    return

    def _take(self) -> bool:
        """Begin one query; False when there will be no more."""
        order, descriptors, _, _ = socket.recv_fds(self._orders, 1, 4)
        if not order:
            return False
        pid = os.fork()
        if pid == 0:
            self._be(descriptors)
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        control = socket.socket(fileno=descriptors[3])
        self._running[pid] = control
        self._selector.register(control, selectors.EVENT_READ, pid)
        self._say(control, pid)
        return True

    def _be(self, descriptors: list[int]) -> NoReturn:
        """Become the query's process: nothing of ours stays open in it."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._orders.detach()
            for number, descriptor in enumerate(descriptors[:3]):
                os.dup2(descriptor, number)
            os.closerange(3, _DESCRIPTORS)
            self._main()
            code = 0
        except BaseException:  # noqa: BLE001 -- this is where a process ends
            traceback.print_exc()
        os._exit(code)

    def _kill(self, pid: int) -> None:
        """The parent wants it dead; or has gone, and then it sees the end of its input, and leaves in order."""
        if pid not in self._running:
            return
        control = self._running[pid]
        self._selector.unregister(control)
        with suppress(ConnectionResetError):
            if control.recv(1):
                os.kill(pid, signal.SIGKILL)  # it is not reaped yet: the number is still its own

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            control = self._running.pop(pid)
            with suppress(KeyError):
                self._selector.unregister(control)
            self._say(control, os.waitstatus_to_exitcode(status))
            control.close()

    @staticmethod
    def _say(control: socket.socket, number: int) -> None:
        with suppress(OSError):  # the parent has gone
            control.sendall(_NUMBER.pack(number))


def main() -> None:
    """Load what queries need, then serve."""
    loaded = runpy.run_path(sys.argv[1], run_name="child")["main"]
    gc.freeze()  # a collection in a fork would copy what is only read
    Forkserver(loaded, float(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
