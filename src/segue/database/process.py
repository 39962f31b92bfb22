"""One running query: the child process, the pipes to it, and the verdict on how it ended."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from segue.database.failures import (
    cancelled_failure,
    database_failure,
    died_failure,
    memory_failure,
    timeout_failure,
)
from segue.database.forks import QUERIES, Fork
from segue.errors import SegueError


class QueryProcess:
    """A query in a process of its own, from start to verdict.

    ``stop`` may be called from any thread; the rest belongs to the thread that reads.
    """

    def __init__(self, database: str, spec: Mapping[str, Any], *, digest: Callable[[str], None] | None = None) -> None:
        self._database = database
        self._digest = digest
        self._seconds = float(spec["seconds"])
        self._stopped: SegueError | None = None
        self.failure: SegueError | None = None
        """Why the stream broke off; None while it has not."""
        self._spill = tempfile.mkdtemp(prefix="segue-query-")
        try:
            self._process = _start({**spec, "spill": self._spill})
        except BaseException:
            shutil.rmtree(self._spill, ignore_errors=True)
            raise
        self._timer = threading.Timer(self._seconds, self.stop, (timeout_failure(database, self._seconds),))
        self._timer.daemon = True
        self._timer.start()

    def stop(self, reason: SegueError | None = None) -> None:
        """Kill the query; the reader raises reason (default: cancelled)."""
        if self._stopped is None:
            self._stopped = reason or cancelled_failure(self._database)
        self._process.kill()

    def reader(self) -> pa.RecordBatchReader:
        """The rows. Waits for the first answer of the child; raises what went wrong."""
        try:
            stream = pa.ipc.open_stream(self._process.stdout)
        except (pa.ArrowInvalid, OSError):
            raise self._fail() from None
        return pa.RecordBatchReader.from_batches(stream.schema, self._batches(stream))

    def _batches(self, stream: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        rows = 0
        try:
            for batch in stream:
                rows += batch.num_rows
                yield batch
        except (pa.ArrowInvalid, OSError):
            raise self._fail() from None
        # An Arrow stream that breaks off between two batches looks whole: only the child's own count says that it is.
        said = self._said()
        if said.get("rows") != rows:
            raise self._fail()
        if self._digest is not None:
            count, hashes = said["digest"]
            self._digest(f"{count:x}-{hashes % 2**64:016x}")

    def _said(self) -> dict[str, Any]:
        """The last line of the child, once it has ended; empty when it had no time to speak."""
        if not hasattr(self, "_last_words"):
            self._last_words = self._process.stderr.read().decode("utf-8", "replace")
        try:
            said = json.loads(self._last_words.strip().rpartition("\n")[2])
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def _fail(self) -> SegueError:
        """The verdict, kept in ``failure``: what we did to the child goes before what it said, and that before its end."""
        said = self._said()
        if self._stopped is not None:
            self.failure = self._stopped
        elif "error" in said:
            self.failure = database_failure(self._database, str(said["error"]), str(said.get("message", "")))
        else:
            self.failure = self._death()
        return self.failure

    def _death(self) -> SegueError:
        code = self._process.wait()
        if code == -signal.SIGALRM:
            return timeout_failure(self._database, self._seconds)
        if "bad_alloc" in self._last_words or "MemoryError" in self._last_words:
            return memory_failure(self._database)
        if code < 0:
            return died_failure(self._database, f"signal {signal.Signals(-code).name}")
        return died_failure(self._database, f"exit code {code}")

    def close(self) -> None:
        """End the process, the pipes, the timer and the spill files."""
        self._timer.cancel()
        self._process.close()
        shutil.rmtree(self._spill, ignore_errors=True)


def _start(spec: Mapping[str, Any]) -> Fork:
    """Start the child and hand it the spec; its stdin stays open, for its end tells the child that we are gone."""
    process = QUERIES.start()
    try:
        process.stdin.write(json.dumps(spec).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:  # it died at once: reading finds out why
        pass
    return process
