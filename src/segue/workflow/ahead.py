"""The next baseline, written while its rows are on their way, for the usual case that all of them arrive.

Sending waits for the network while a core has nothing to do, and the segment takes longer to write than anything that follows.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from segue.audience.snapshot import RELEASED_FILE, delta_rows_sql, write_segment
from segue.audience.workbench import DeltaFile, Workbench, sync_folder
from segue.errors import StateError
from segue.services.staged import Staged

AHEAD_FILE = "ahead.parquet"
"""In a run's folder: the segment that the run leaves if every row of its delta is acknowledged."""


@contextmanager
def writing_ahead(folder: Path, staged: Staged, *, memory_bytes: int) -> Iterator[None]:
    """Write the segment beside what the block does, and wait for it at the block's end; a block that fails ends it.

    It writes nothing where a run does more than send rows: then the segment depends on what comes of the rest.
    """
    path = folder / AHEAD_FILE
    if path.exists() or not _sends_only(folder, staged):
        yield
        return
    with Workbench(folder, memory_bytes=memory_bytes, threads=1) as bench:
        thread = threading.Thread(target=_write, args=(bench, folder / "delta.arrow", path), name="write-ahead")
        thread.start()
        try:
            yield
        except BaseException:
            bench.interrupt()
            raise
        finally:
            thread.join()


def take_ahead(folder: Path, path: Path) -> bool:
    """Move the segment that was written ahead to ``path``. False: there is none, and the delta has to be folded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        (folder / AHEAD_FILE).replace(path)
    except OSError:
        return False
    sync_folder(path.parent)
    return True


def _sends_only(folder: Path, staged: Staged) -> bool:
    counts = staged.delta.counts
    others = (counts.slow_rows, counts.rebased, counts.removed, staged.foreign, staged.released)
    special = (folder / name for name in ("restore.parquet", RELEASED_FILE))
    return bool(staged.delta.chunks) and not any(others) and not any(path.exists() for path in special)


def _write(bench: Workbench, delta: Path, path: Path) -> None:
    # A worker that was slow and is replaced may still write beside the one that took its place.
    own = path.with_stem(f"{path.stem}-{secrets.token_hex(4)}")
    try:
        bench.show("delta", DeltaFile(delta).read())
        write_segment(bench, delta_rows_sql("delta"), own)
        own.replace(path)
    except (duckdb.Error, StateError, OSError):
        # Whatever it is, folding meets it again and says it.
        own.unlink(missing_ok=True)
