"""The rows of a delta, counted as they pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.delta import DeltaCounts
from segue.audience.encode import HEAD
from segue.audience.rows import ADD, CHANGE, QUIET, REBASE


class Tally:
    """Counts the rows of a delta as they pass. columns: the query's; other fields are nobody's concern now."""

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = columns
        self.kinds: Counter[int] = Counter()
        self.fields: dict[str, Counter[str]] = {n: Counter() for n in ("changed", "cleared", "uncleared")}
        self.unset: Counter[str] = Counter()
        self.cleared_rows = self.slow_rows = self.held_back = self.losing = 0

    def limit(self, batches: Iterable[pa.RecordBatch], most: int | None) -> Iterator[pa.RecordBatch]:
        """The first ``most`` rows; the others are counted as held back."""
        left = most
        for batch in batches:
            kept = batch if left is None else batch.slice(0, max(left, 0))
            left = None if left is None else left - kept.num_rows
            self.held_back += batch.num_rows - kept.num_rows
            if kept.num_rows:
                self.count(kept)
                yield kept

    def split(
        self, batches: Iterable[pa.RecordBatch], rebased: pa.ipc.RecordBatchFileWriter
    ) -> Iterator[pa.RecordBatch]:
        """Rows that are sent are handed on, the others are written to ``rebased``."""
        for batch in batches:
            unsent = pc.greater_equal(batch.column("kind"), REBASE)
            if pc.any(unsent).as_py():
                still = batch.filter(unsent)
                rebased.write_batch(still.filter(pc.equal(still.column("kind"), REBASE)))
                self.count(still)
                yield batch.filter(pc.invert(unsent))
            elif batch.num_rows:
                yield batch

    def count(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch, by kind and by field."""
        for entry in pc.value_counts(batch.column("kind")).to_pylist():
            self.kinds[entry["values"]] += entry["counts"]
        self.cleared_rows += batch.num_rows - batch.column("cleared").null_count
        self.slow_rows += batch.num_rows - batch.column("slow").null_count
        self.unset.update(first_send_unset(batch))
        for name, counter in self.fields.items():
            for entry in pc.value_counts(batch.column(name).drop_null()).to_pylist():
                for column in orjson.loads(entry["values"]):
                    if column in self._columns:
                        counter[column] += entry["counts"]

    def counts(self, removed: int) -> DeltaCounts:
        """What passed so far."""
        return DeltaCounts(
            added=self.kinds[ADD],
            changed=self.kinds[CHANGE],
            rebased=self.kinds[REBASE],
            quiet=self.kinds[QUIET],
            removed=removed,
            held_back=self.held_back,
            cleared_rows=self.cleared_rows,
            slow_rows=self.slow_rows,
            losing_candidates=self.losing,
            changed_fields=dict(self.fields["changed"]),
            cleared_fields=dict(self.fields["cleared"]),
            kept_fields=dict(self.fields["uncleared"]),
            first_send_unset=dict(self.unset),
        )


def first_send_unset(batch: pa.RecordBatch) -> Counter[str]:
    """Which custom properties the new people of a delta's batch unset, and how often."""
    longer = pc.greater(batch.column("head"), len(HEAD))
    rows = batch.select(["fragment", "head"]).filter(pc.and_(longer, pc.equal(batch.column("kind"), ADD)))
    counter: Counter[str] = Counter()
    # Few patterns of NULLs make many rows: those of one length are cut at once, and each text is parsed once.
    for end in pc.unique(rows.column("head")).to_pylist():
        texts = rows.column("fragment").filter(pc.equal(rows.column("head"), end))
        for head in pc.value_counts(pc.utf8_slice_codeunits(texts, 0, end)).to_pylist():
            for name in orjson.loads(head["values"] + "{}}")["meta"]["patch_properties"]["unset"]:
                counter[name] += head["counts"]
    return counter
