"""Processes for queries, forked from one that has loaded what they need; see ``forkserver``."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

_FORKSERVER = Path(__file__).with_name("forkserver.py")
_NUMBER = struct.Struct("=i")
_IDLE_SECONDS = 60.0
"""After so long without a query the process that they are forked from ends: it holds some 70 MB."""
_END_SECONDS = 5.0
"""What takes longer to end is not ending."""
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the other pools reserve memory ahead, which the limit would count
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # what has several threads cannot be forked
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}
"""All that queries get to see of the environment."""


class Fork:
    """A process that runs ``main()`` of a script. stdin, stdout, stderr: our ends of its pipes; pid: None where it
    did not start, with the exit code of what should have started it."""

    def __init__(self, ends: list[int], control: socket.socket, pid: int | None, *, code: int | None) -> None:
        self.stdin: IO[bytes] = os.fdopen(ends[0], "wb")
        self.stdout: IO[bytes] = os.fdopen(ends[1], "rb")
        self.stderr: IO[bytes] = os.fdopen(ends[2], "rb")
        self.pid = pid
        self._control = control
        self._code = code

    def kill(self) -> None:
        """End it at once, from any thread; nothing happens where it has ended."""
        with contextlib.suppress(OSError):
            self._control.send(b"k")
        # What it was forked from may have died meanwhile: the end of its input ends it too.
        self._end_input()

    def wait(self) -> int:
        """Its exit code once it has ended; a negative signal number, as ``subprocess`` has it, where that ended it."""
        if self._code is None:
            code = _number(self._control)
            # None: nobody is left to say it, or a Ctrl-C came between. It was, or will be, killed.
            self._code = -signal.SIGKILL if code is None else code
        return self._code

    def close(self) -> None:
        """Kill it, wait for its end, close everything."""
        self.kill()
        self.wait()
        self._control.close()
        self.stdout.close()
        self.stderr.close()

    def _end_input(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # what was written was never read
            self.stdin.close()


class Forks:
    """Starts processes of one script. The one that they are forked from is started when the first is asked for."""

    def __init__(self, script: Path, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._arguments = [sys.executable, "-I", str(_FORKSERVER), str(script), str(idle_seconds)]
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._owner = 0

    def start(self) -> Fork:
        """A process that has begun."""
        with self._lock:
            control, pid, ends = self._ask()
            if pid is None:  # it had been idle for too long, or was killed
                _discard(control, ends)
                self._see_off()
                control, pid, ends = self._ask()
            code = self._server.wait() if pid is None and self._server is not None else None
        return Fork(ends, control, pid, code=code)

    def close(self) -> None:
        """End the process that they are forked from, and with it those that still run."""
        if self._orders is not None and self._server is not None and self._owner == os.getpid():
            self._orders.close()
            self._server.wait()
        self._orders = self._server = None

    def _see_off(self) -> None:
        """What ends has let go of its socket before it is seen to have ended: asked now, it would not answer again."""
        if self._server is not None and self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_END_SECONDS)

    def _ask(self) -> tuple[socket.socket, int | None, list[int]]:
        if self._server is None or self._owner != os.getpid() or self._server.poll() is not None:
            self._begin()
        ours, theirs = socket.socketpair()
        (stdin, write), (read, stdout), (errors, stderr) = os.pipe(), os.pipe(), os.pipe()
        given = [stdin, stdout, stderr, theirs.detach()]
        try:
            if self._orders is not None:
                socket.send_fds(self._orders, [b"q"], given)
        except BrokenPipeError:
            pass
        finally:
            for descriptor in given:
                os.close(descriptor)
        return ours, _number(ours), [write, read, errors]

    def _begin(self) -> None:
        self.close()
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603 -- our own interpreter and file
                self._arguments,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
            )
        self._owner = os.getpid()


def _number(control: socket.socket) -> int | None:
    try:
        said = control.recv(_NUMBER.size, socket.MSG_WAITALL)
    except ConnectionResetError:  # it died and left something unread
        return None
    return int(_NUMBER.unpack(said)[0]) if len(said) == _NUMBER.size else None


def _discard(control: socket.socket, ends: list[int]) -> None:
    control.close()
    for descriptor in ends:
        os.close(descriptor)


QUERIES = Forks(Path(__file__).with_name("child.py"))
"""Processes that run one query each."""
atexit.register(QUERIES.close)
