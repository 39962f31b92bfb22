"""The DuckDB in which one run stages, compares and folds its rows. It sees Segue's own files only, never a user's SQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from segue.audience.layout import patch_path, read_layout
from segue.audience.packing import without_rows
from segue.audience.text import literal
from segue.errors import StateError


class Workbench:
    """A connection with a memory limit and a spill folder under ``folder``.

    memory_bytes: DuckDB's limit; what does not fit is spilled. threads: None leaves DuckDB its default.
    """

    def __init__(self, folder: Path, *, memory_bytes: int, threads: int | None = None) -> None:
        self._connection = duckdb.connect()
        self._set("memory_limit", f"{memory_bytes}B")
        # Not shared: two processes that spill into one folder would overwrite each other.
        self._set("temp_directory", str(folder / f"spill-{secrets.token_hex(4)}"))
        self._set("TimeZone", "UTC")
        self._set("preserve_insertion_order", False)
        if threads:
            self._set("threads", threads)

    def _set(self, name: str, value: str | float) -> None:
        text = literal(value) if isinstance(value, str) else str(value).lower()
        self._connection.execute(f"SET {name} = {text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def interrupt(self) -> None:
        """Break off what another thread runs here; it gets a ``duckdb.Error``."""
        self._connection.interrupt()

    def show(self, name: str, source: Path | pa.RecordBatchReader) -> None:
        """Make an Arrow file or stream readable as the relation ``name``, once: show it again for another query."""
        self._connection.register(name, open_rows(source) if isinstance(source, Path) else source)

    def execute(self, sql: str) -> None:
        """Run a statement for its effect."""
        self._connection.execute(sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        rows: list[tuple[Any, ...]] = self._connection.sql(sql).fetchall()
        return rows

    def one(self, sql: str) -> Any:
        """The only cell of a result."""
        return self.fetch(sql)[0][0]

    def stream(self, sql: str, *, rows: int = 10_000) -> pa.RecordBatchReader:
        """The result in batches of at most ``rows``."""
        return self._connection.sql(sql).to_arrow_reader(rows)


def open_rows(path: Path, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
    """The batches of an Arrow file, read one at a time so that memory stays bounded. columns: read no others."""
    file = _open(path, columns)
    return pa.RecordBatchReader.from_batches(file.schema, (file.get_batch(i) for i in range(file.num_record_batches)))


def _open(path: Path, columns: Sequence[str] | None = None) -> pa.ipc.RecordBatchFileReader:
    try:
        file = pa.ipc.open_file(pa.OSFile(str(path)))
        if columns is None:
            return file
        wanted = [file.schema.get_field_index(name) for name in columns]
        return pa.ipc.open_file(pa.OSFile(str(path)), options=pa.ipc.IpcReadOptions(included_fields=wanted))
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        raise staging_lost(path.name, type(error).__name__) from error


def staging_lost(name: str, cause: str) -> StateError:
    """The error for a working file of a run that cannot be read."""
    return StateError(
        f"A working file of this run, {name}, is missing or damaged.",
        code="staging_lost",
        cause=cause,
        steps=("Give the run up and begin anew from what was acknowledged: segue run ORCHESTRATION --restart",),
    )


@contextmanager
def writing(path: Path, schema: pa.Schema, *, synced: bool = True) -> Iterator[pa.ipc.RecordBatchFileWriter]:
    """An Arrow file that is on disk, synced, when the block ends; a block that fails leaves nothing under ``path``.

    synced: False for a file that nobody reads after a crash.
    """
    unfinished = path.with_suffix(path.suffix + ".part")
    # Without a buffer of Python's between: the writer hands over whole columns, and copying them took as long as writing.
    with unfinished.open("wb", buffering=0) as file:
        with pa.ipc.new_file(file, schema) as writer:
            yield writer
        if synced:
            os.fsync(file.fileno())
    unfinished.replace(path)
    if synced:
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a finished file survive a power loss."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """A small file that is on disk, synced, under its name, or not there at all."""
    unfinished = path.with_suffix(path.suffix + ".part")
    unfinished.write_bytes(content)
    sync_file(unfinished)
    unfinished.replace(path)
    sync_folder(path.parent)


class DeltaFile:
    """A staged delta in chunks. columns: read no others; the texts of the bodies are most of the file."""

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        try:
            self._layout = read_layout(path)
        except ValueError as error:
            raise staging_lost(path.name, type(error).__name__) from error
        self._last: dict[int, pa.RecordBatch] = {}
        if self._layout is None:
            self._files = [_open(path, columns)]
        else:
            patch = _open(patch_path(path), columns)
            self._files = [_open(path, patch.schema.names), patch]

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return int(self._files[0].num_record_batches) if self._layout is None else len(self._layout.chunks)

    @property
    def schema(self) -> pa.Schema:
        """Of every chunk."""
        return self._files[-1].schema

    def chunk(self, number: int) -> pa.RecordBatch:
        """The rows of one chunk, read from disk."""
        if self._layout is None:
            return self._files[0].get_batch(number)
        pieces = [self._recent(n).slice(first, until - first) for n, first, until in self._layout.pieces(number)]
        return pieces[0] if len(pieces) == 1 else pa.concat_batches(pieces)

    def read(self) -> pa.RecordBatchReader:
        """All chunks, one after the other."""
        return pa.RecordBatchReader.from_batches(self.schema, (self.chunk(n) for n in range(self.chunks)))

    def _recent(self, number: int) -> pa.RecordBatch:
        """The same as ``_kept``: most chunks end within a batch in which the next one begins."""
        last = self._last
        if number not in last:
            last = self._last = {number: self._kept(number)}
        return last[number]

    def _kept(self, number: int) -> pa.RecordBatch:
        """The rows of a stored batch that belong to the delta."""
        assert self._layout is not None  # noqa: S101 -- without one no batch has gaps
        main, *_ = self._files
        whole = main.num_record_batches
        batch = main.get_batch(number) if number < whole else self._files[-1].get_batch(number - whole)
        return without_rows(batch, self._layout.gaps[number])
