"""How the chunks of a delta lie in its files, where they are not simply the batches of one file.

On a first send nearly every candidate is sent as it stands, so the file of the candidates becomes the delta: rows that are not
sent stay in it as gaps, rows that go without a field stand in a second file, the patch, and chunks are cut across both.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """sizes: rows of each stored batch, those of the patch last; gaps: positions in each batch that are no part of the
    delta, ascending; chunks: rows of each chunk. The chunks have the rows that are left in order."""

    sizes: Sequence[int]
    gaps: Sequence[Sequence[int]]
    chunks: Sequence[int]

    def pieces(self, number: int) -> Iterator[tuple[int, int, int]]:
        """Batch, first and last (exclusive) of the rows left in it, for each batch that a chunk has rows of."""
        ends = list(accumulate(size - len(gap) for size, gap in zip(self.sizes, self.gaps, strict=True)))
        start = sum(self.chunks[:number])
        stop = start + self.chunks[number]
        batch = bisect_right(ends, start)
        while start < stop:
            first, until = (ends[batch - 1] if batch else 0), min(stop, ends[batch])
            if until > start:
                yield batch, start - first, until - first
            start, batch = until, batch + 1


def patch_path(delta: Path) -> Path:
    """Where the rows are that stand in for others of a delta."""
    return delta.with_suffix(".patch.arrow")


def layout_path(delta: Path) -> Path:
    """Where the layout of a delta is; without the file chunk i is batch i of the delta."""
    return delta.with_suffix(".layout.json")


def read_layout(delta: Path) -> Layout | None:
    """The layout of a delta that has one."""
    try:
        return Layout(**orjson.loads(layout_path(delta).read_bytes()))
    except FileNotFoundError:
        return None


def layout_bytes(layout: Layout) -> bytes:
    """A layout as it is written."""
    return orjson.dumps(asdict(layout))
