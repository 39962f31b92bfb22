"""Rows cut into chunks: one chunk is one bulk body, so it obeys the limits of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.delta import Chunk

_SPARSE = 20
"""One row in so many, or fewer, count as few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLimits:
    """rows: at most so many; bytes: at most so many of fragment text, the envelope not counted."""

    rows: int
    bytes: int


def pack(
    batches: Iterable[pa.RecordBatch], limits: ChunkLimits, *, column: str = "fragment"
) -> Iterator[pa.RecordBatch]:
    """The same rows, in order, in batches that are as full as the limits allow.

    A single row larger than ``limits.bytes`` gets a batch of its own: it is refused before it comes here.
    """
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        size += _text_bytes(batch, column)
        while rows > limits.rows or size > limits.bytes:
            joined = pa.concat_batches(waiting)
            cut = _cut(joined, limits, column)
            if cut == joined.num_rows:
                break
            yield joined.slice(0, cut)
            rest = joined.slice(cut)
            waiting, rows, size = [rest], rest.num_rows, _text_bytes(rest, column)
    if rows:
        yield pa.concat_batches(waiting)


def write_chunks(
    file: pa.ipc.RecordBatchFileWriter, batches: Iterable[pa.RecordBatch], limits: ChunkLimits
) -> tuple[Chunk, ...]:
    """Pack rows into a file, one chunk a batch, and say what each chunk is."""
    chunks = []
    for number, batch in enumerate(pack(batches, limits)):
        file.write_batch(batch)
        chunks.append(Chunk(number=number, rows=batch.num_rows, bytes=_text_bytes(batch, "fragment")))
    return tuple(chunks)


def plan_chunks(lengths: Iterable[pa.Array], limits: ChunkLimits) -> tuple[Chunk, ...]:
    """The chunks that rows of these lengths in bytes make, in order, each as full as the limits allow; see ``pack``."""
    chunks: list[Chunk] = []
    rows = size = 0
    for left in lengths:
        rest = left
        while len(rest):
            ends = pc.cumulative_sum(pc.cast(rest, pa.int64()))
            fitting: int = pc.sum(pc.less_equal(ends, limits.bytes - size)).as_py()
            taken = min(fitting, limits.rows - rows)
            if not taken and not rows:
                taken = 1
            if taken:
                rows, size, rest = rows + taken, size + ends[taken - 1].as_py(), rest.slice(taken)
            if len(rest):
                chunks.append(Chunk(number=len(chunks), rows=rows, bytes=size))
                rows = size = 0
    return (*chunks, Chunk(number=len(chunks), rows=rows, bytes=size)) if rows else tuple(chunks)


def fragments_text(batch: pa.RecordBatch, *, column: str = "fragment") -> memoryview:
    """The UTF-8 text of a whole column as it lies in memory, value behind value, without a copy."""
    values = batch.column(column)
    _, offsets, data = values.buffers()
    width = 8 if pa.types.is_large_string(values.type) else 4
    bounds = memoryview(offsets).cast("q" if width == 8 else "i")  # noqa: PLR2004 -- bytes of an offset
    start, end = bounds[values.offset], bounds[values.offset + len(values)]
    return memoryview(data)[start:end]


def without_rows(batch: pa.RecordBatch, gone: Sequence[int]) -> pa.RecordBatch:
    """A batch without the rows at these positions, which ascend; without a copy where there are none.

    Where few rows go, the pieces between them are joined: a filter copies text row by row, three times as slow (measured).
    """
    if not gone:
        return batch
    if len(gone) * _SPARSE > batch.num_rows:
        return batch.filter(pc.invert(pc.is_in(pa.arange(0, batch.num_rows), value_set=pa.array(gone, pa.int64()))))
    edges = pairwise((-1, *gone, batch.num_rows))
    return pa.concat_batches([batch.slice(before + 1, after - before - 1) for before, after in edges])


def _text_bytes(batch: pa.RecordBatch, column: str) -> int:
    return len(fragments_text(batch, column=column)) if batch.num_rows else 0


def _cut(batch: pa.RecordBatch, limits: ChunkLimits, column: str) -> int:
    """How many leading rows make the next chunk, at least one."""
    ends = pc.cumulative_sum(pc.cast(pc.binary_length(batch.column(column)), pa.int64()))
    fitting: int = pc.sum(pc.less_equal(ends, limits.bytes)).as_py() or 0
    rows: int = batch.num_rows
    return max(1, min(fitting, limits.rows, rows))
