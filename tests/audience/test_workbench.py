"""Files of a run are whole or not there; the bench reads what it wrote."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.audience.layout import Layout, layout_bytes, layout_path, patch_path
from segue.audience.snapshot import MAX_SEGMENTS, Snapshot, compact, members_sql, write_segment
from segue.audience.workbench import DeltaFile, Workbench, open_rows, write_bytes, writing
from segue.errors import StateError
from tests.audience.harness import MEMORY

SCHEMA = pa.schema([("n", pa.int64())])


def rows(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(numbers, pa.int64())}, schema=SCHEMA)


def test_a_file_comes_back_batch_by_batch(tmp_path: Path) -> None:
    path = tmp_path / "delta.arrow"
    with writing(path, SCHEMA) as file:
        file.write_batch(rows(1, 2))
        file.write_batch(rows(3))
    assert [batch.to_pydict() for batch in open_rows(path)] == [{"n": [1, 2]}, {"n": [3]}]
    delta = DeltaFile(path)
    assert (delta.chunks, delta.schema, delta.chunk(1).to_pydict()) == (2, SCHEMA, {"n": [3]})


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "delta.arrow"
    with writing(path, SCHEMA) as file:
        file.write_batch(rows(1))

    def stop_half_way() -> None:
        with writing(path, SCHEMA) as file:
            file.write_batch(rows(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert [batch.to_pydict() for batch in open_rows(path)] == [{"n": [1]}]


def test_a_missing_or_cut_file_is_an_error_for_users(tmp_path: Path) -> None:
    path = tmp_path / "delta.arrow"
    with pytest.raises(StateError, match=r"delta\.arrow"):
        DeltaFile(path)
    with writing(path, SCHEMA) as file:
        file.write_batch(rows(1))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StateError, match=r"delta\.arrow"):
        open_rows(path)


@given(st.data())
def test_chunks_lie_across_batches_with_gaps_and_a_patch(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=5))
    numbers = iter(range(100))
    stored = [[next(numbers) for _ in range(size)] for size in sizes]
    gaps = [sorted(data.draw(st.sets(st.sampled_from(range(size)) if size else st.nothing()))) for size in sizes]
    patch = data.draw(st.integers(0, len(sizes)))
    gaps[patch:] = [[] for _ in gaps[patch:]]
    left = [n for some, gone in zip(stored, gaps, strict=True) for at, n in enumerate(some) if at not in gone]
    chunks, rest = [], len(left)
    while rest:
        chunks.append(data.draw(st.integers(1, rest)))
        rest -= chunks[-1]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "delta.arrow"
        for file_path, some in ((path, stored[:patch]), (patch_path(path), stored[patch:])):
            with writing(file_path, SCHEMA) as file:
                for values in some:
                    file.write_batch(rows(*values))
        write_bytes(layout_path(path), layout_bytes(Layout(sizes=sizes, gaps=gaps, chunks=chunks)))
        delta = DeltaFile(path)
        found = [delta.chunk(number).column("n").to_pylist() for number in range(delta.chunks)]
        everything = delta.read().read_all().column("n").to_pylist()
    edges = list(accumulate(chunks, initial=0))
    assert found == [left[start:stop] for start, stop in pairwise(edges)]
    assert everything == left


def test_a_layout_without_its_patch_or_cut_short_is_an_error_for_users(tmp_path: Path) -> None:
    path = tmp_path / "delta.arrow"
    with writing(path, SCHEMA) as file:
        file.write_batch(rows(1))
    write_bytes(layout_path(path), layout_bytes(Layout(sizes=[1], gaps=[[]], chunks=[1])))
    with pytest.raises(StateError, match=r"delta\.patch\.arrow"):
        DeltaFile(path)
    layout_path(path).write_bytes(b'{"sizes":[')
    with pytest.raises(StateError, match=r"delta\.arrow"):
        DeltaFile(path)


def segment(bench: Workbench, path: Path, *people: tuple[str, str, str]) -> Path:
    """key, hash, kind."""
    values = ", ".join(f"('{key}', '{mark}', '{kind}')" for key, mark, kind in people)
    sql = f"""SELECT key, hash, '{{}}' AS payload, NULL::VARCHAR AS uncleared, kind, NULL::BIGINT AS row,
        NULL::VARCHAR AS changed, NULL::VARCHAR AS cleared FROM (VALUES {values}) t(key, hash, kind)"""
    write_segment(bench, sql, path)
    return path


def members(bench: Workbench, segments: tuple[Path, ...]) -> dict[str, str]:
    sql = members_sql(segments)
    return dict(bench.fetch(f"SELECT key, hash FROM ({sql})")) if sql else {}


def test_later_segments_lie_on_top_of_earlier_ones(tmp_path: Path) -> None:
    with Workbench(tmp_path, memory_bytes=MEMORY) as bench:
        first = segment(bench, tmp_path / "1.parquet", ("a", "1", "add"), ("b", "1", "add"), ("c", "1", "add"))
        second = segment(bench, tmp_path / "2.parquet", ("a", "2", "change"), ("b", "1", "remove"))
        third = segment(bench, tmp_path / "3.parquet", ("b", "3", "add"), ("c", "3", "rebase"), ("d", "3", "add"))
        fourth = segment(bench, tmp_path / "4.parquet", ("d", "3", "remove"))
        assert members(bench, (first,)) == {"a": "1", "b": "1", "c": "1"}
        assert members(bench, (first, second)) == {"a": "2", "c": "1"}
        assert members(bench, (first, second, third, fourth)) == {"a": "2", "b": "3", "c": "3"}
    assert Snapshot().sql() is None


def test_many_segments_become_one_that_says_the_same(tmp_path: Path) -> None:
    with Workbench(tmp_path, memory_bytes=MEMORY) as bench:
        few = tuple(
            segment(bench, tmp_path / f"{n}.parquet", (f"k{n}", "x", "add"), (f"k{n - 1}", "y", "change"))
            for n in range(1, MAX_SEGMENTS + 1)
        )
        assert compact(bench, few, tmp_path / "base.parquet") == few
        last = segment(bench, tmp_path / "last.parquet", ("k3", "y", "remove"))
        before = members(bench, (*few, last))
        assert compact(bench, (*few, last), tmp_path / "base.parquet") == (tmp_path / "base.parquet",)
        assert members(bench, (tmp_path / "base.parquet",)) == before
        assert "k3" not in before


def test_a_segment_that_fails_is_not_there(tmp_path: Path) -> None:
    with Workbench(tmp_path, memory_bytes=MEMORY) as bench, pytest.raises(Exception, match="Could not convert"):
        write_segment(bench, "SELECT 'x'::INTEGER AS key FROM range(3)", tmp_path / "1.parquet")
    assert not (tmp_path / "1.parquet").exists()
