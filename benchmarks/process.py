"""Programs started, measured and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import psutil

EVERY = 0.1
"""Seconds between two looks at the memory: looking costs some 3 ms of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One measured program. seconds: from its start to its end; cpu: seconds of processor, its children's included;
    peak: the largest sum of resident memory of it and its children, bytes (what they share counts for each);
    receiver_peak: the same of the receiver; output: its stdout."""

    seconds: float
    cpu: float
    peak: int
    receiver_peak: int
    output: str


def measured(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    receiver: Receiver | None = None,
    accepted: Sequence[int] = (0,),
) -> Finished:
    """Run a program to its end. Raises RuntimeError for an exit code that is not ``accepted``."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(environment or {})})
        with _watching(process.pid) as tree, _watching(receiver.pid if receiver else None) as other:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepted:
            raise RuntimeError(
                f"{' '.join(command)} ended with {process.returncode}:\n{_text(out)}{_text(err)[-4000:]}"
            )
        return Finished(
            seconds=seconds,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=tree.peak,
            receiver_peak=other.peak,
            output=_text(out),
        )


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


class _Watch:
    def __init__(self, pid: int | None) -> None:
        self.peak = 0
        self.done = threading.Event()
        self._pid = pid

    def look(self) -> None:
        """Until it is done."""
        if self._pid is None:
            return
        with suppress(psutil.Error):
            top = psutil.Process(self._pid)
            while not self.done.wait(EVERY):
                self.peak = max(self.peak, sum(_resident(p) for p in (top, *top.children(recursive=True))))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended since it was listed
        return 0


@contextmanager
def _watching(pid: int | None) -> Iterator[_Watch]:
    watch = _Watch(pid)
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.done.set()
        thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A running server."""

    url: str
    pid: int


@contextmanager
def receiving(command: Sequence[str]) -> Iterator[Receiver]:
    """A server that prints a line with its URL when it is ready, stopped at the end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        yield Receiver(url=url, pid=process.pid)
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()
