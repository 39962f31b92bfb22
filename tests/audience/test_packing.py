"""Chunks are as full as the limits of a body allow, and no fuller."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.audience.packing import ChunkLimits, fragments_text, pack, plan_chunks


def batch(*texts: str, kind: pa.DataType | None = None) -> pa.RecordBatch:
    return pa.record_batch({"fragment": pa.array(texts, kind or pa.string())})


def packed(batches: list[pa.RecordBatch], rows: int, size: int) -> list[list[str]]:
    return [chunk.column("fragment").to_pylist() for chunk in pack(batches, ChunkLimits(rows=rows, bytes=size))]


def greedy(texts: list[str], rows: int, size: int) -> list[list[str]]:
    """The same, one row at a time."""
    chunks: list[list[str]] = []
    for text in texts:
        fits = chunks and len(chunks[-1]) < rows and sum(len(t.encode()) for t in [*chunks[-1], text]) <= size
        if fits:
            chunks[-1].append(text)
        else:
            chunks.append([text])
    return chunks


@given(
    st.lists(st.lists(st.text("aé😀", min_size=1, max_size=12), max_size=6), max_size=6),
    st.integers(1, 5),
    st.integers(1, 40),
)
def test_chunks_are_those_of_a_greedy_packer(batches: list[list[str]], rows: int, size: int) -> None:
    texts = [text for some in batches for text in some]
    expected = greedy(texts, rows, size)
    assert packed([batch(*some) for some in batches], rows, size) == expected
    lengths = [pc.binary_length(pa.array(some, pa.string())) for some in batches]
    planned = plan_chunks(lengths, ChunkLimits(rows=rows, bytes=size))
    assert [(c.number, c.rows, c.bytes) for c in planned] == [
        (number, len(chunk), sum(len(text.encode()) for text in chunk)) for number, chunk in enumerate(expected)
    ]


def test_one_giant_row_has_a_chunk_of_its_own() -> None:
    assert packed([batch("aa", "b" * 50, "cc", "dd")], 10, 10) == [["aa"], ["b" * 50], ["cc", "dd"]]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_the_text_of_a_slice_is_its_own_rows_only(kind: pa.DataType) -> None:
    rows = batch("one,", "zwei,", "drü,", kind=kind)
    assert bytes(fragments_text(rows.slice(1, 2))) == "zwei,drü,".encode()
    assert bytes(fragments_text(rows.slice(3))) == b""
