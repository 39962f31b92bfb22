"""What was acknowledged becomes the next baseline: the staged delta, less what the destination did not take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.encode import HEAD
from segue.audience.fields import FieldMap
from segue.audience.owed import may_hold_sql
from segue.audience.rows import ADD, CHANGE
from segue.audience.snapshot import (
    DOUBTFUL,
    RELEASED_FILE,
    Snapshot,
    compact,
    delta_rows_sql,
    merged_path,
    write_segment,
)
from segue.audience.text import parquet
from segue.audience.workbench import DeltaFile, Workbench
from segue.delivery.ledger import Ledger, PartKind, PartState
from segue.failpoints import reach
from segue.services.staged import Staged
from segue.workflow.ahead import take_ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of a delta. added, changed: acknowledged rows; rejected: refused by the destination; unsettled: neither,
    sent again next time; cleared: rows whose fields were cleared; unset: added rows whose NULL custom properties were
    unset; removed: members taken off the list."""

    added: int
    changed: int
    rejected: int
    unsettled: int
    cleared: int
    removed: int
    unset: int = 0

    @property
    def rows(self) -> int:
        """Rows of the delta, all of them."""
        return self.added + self.changed + self.rejected + self.unsettled


def delivered(folder: Path, ledger: Ledger) -> Delivered:
    """Count what the ledger says of a delta."""
    acknowledged = _Acknowledged(folder, ledger, columns=_COUNTED)
    for _ in acknowledged.batches():
        pass
    removed = sum(p.rows for p in ledger.parts(PartKind.REMOVE) if p.state is PartState.COMPLETE)
    return Delivered(
        added=acknowledged.added,
        changed=acknowledged.changed,
        rejected=acknowledged.rejected,
        unsettled=acknowledged.unsettled,
        cleared=acknowledged.cleared,
        removed=removed,
        unset=acknowledged.unset,
    )


def fold(
    bench: Workbench,
    folder: Path,
    staged: Staged,
    ledger: Ledger,
    result: Delivered,
    *,
    segments: Path,
    run_id: str,
    list_id: str,
    fields: FieldMap,
) -> Snapshot:
    """Write the run's segment and return the snapshot on top of it; the same one when the run changed nothing.

    result: what ``delivered`` says of the ledger; fields: the destination's. The relation ``others`` has the keys that other
    orchestrations keep on the list now: who was released and is in none of them any more stays in the snapshot, so that the
    next run takes them off.

    Folding again gives the same file, so a crash between the file and its publication costs nothing.
    """
    before = staged.connected.snapshot
    path = segments / f"{run_id}.parquet"
    reach("segment-before")
    everything = not result.rejected and not result.unsettled
    if not everything or not take_ahead(folder, path):
        taken = _Acknowledged(folder, ledger)
        bench.show("open_rows", _open_rows(folder, ledger).to_reader())
        bench.execute(f"""CREATE OR REPLACE TEMP TABLE maybe AS
            SELECT key, kind, head, CASE WHEN kind = {CHANGE} THEN fragment END AS fragment FROM open_rows""")
        bench.show("acknowledged", pa.RecordBatchReader.from_batches(taken.schema, taken.batches()))
        write_segment(bench, _segment_sql(bench, folder, ledger, before, fields), path)
    reach("segment-written")
    rows, removed = bench.fetch(
        f"SELECT count(*), count(*) FILTER (kind = 'remove' AND hash <> '') FROM {parquet(path)}"
    )[0]
    # Who was held back or is not settled may still hold what the columns of an earlier run sent.
    unsure = result.unsettled or staged.delta.counts.held_back
    columns = tuple(sorted({*before.columns, *staged.columns})) if unsure else staged.columns
    after = replace(
        before, columns=columns, list_id=list_id, account_id=staged.connected.account.id, version=before.version + 1
    )
    if not rows:
        path.unlink()
        return after
    kept = compact(bench, (*before.segments, path), merged_path(path))
    return replace(after, segments=kept, rows=before.rows + result.added - removed)


def _segment_sql(bench: Workbench, folder: Path, ledger: Ledger, before: Snapshot, fields: FieldMap) -> str:
    sent = "substr(fragment, head + 1, length(fragment) - head - 2)"
    parts = [delta_rows_sql("acknowledged")]
    restored = folder / "restore.parquet"
    if restored.exists():
        # An undo sends the email alone; the baseline gets back what was acknowledged of the person before.
        parts = [
            f"""SELECT r.key, r.hash, r.payload, NULL::VARCHAR AS uncleared, 'add' AS kind, a.row, NULL::VARCHAR AS changed,
                NULL::VARCHAR AS cleared, NULL::VARCHAR AS unset
                FROM acknowledged a JOIN {parquet(restored)} r ON a.key = r.key"""
        ]
    if (folder / "rebase.arrow").exists():
        bench.show("rebased", folder / "rebase.arrow")
        parts.append(delta_rows_sql("rebased"))
    # Without a hash they are nobody whose values are known: they are sent again if wanted, and removed if not.
    parts.append(
        f"""SELECT key, '' AS hash, '{{}}' AS payload, NULL AS uncleared, 'maybe' AS kind, NULL::BIGINT AS row,
            NULL AS changed, NULL AS cleared, NULL AS unset FROM maybe WHERE kind = {ADD}"""
    )
    if members := before.sql():
        parts.append(_doubtful_sql(members, sent, fields))
    parts += _gone_sql(folder, ledger)
    if (folder / RELEASED_FILE).exists():
        released = parquet(folder / RELEASED_FILE)
        parts.append(_forgotten_sql(f"(FROM {released} WHERE key IN (SELECT key FROM others))"))
    return " UNION ALL ".join(parts)


def _gone_sql(folder: Path, ledger: Ledger) -> list[str]:
    """The members that were taken off the list, in the order in which the parts number them."""
    parts = ledger.parts(PartKind.REMOVE)
    done = [p for p in parts if p.state is PartState.COMPLETE]
    if not done:
        return []
    spans = " OR ".join(f"n >= {p.start} AND n < {p.stop}" for p in done) if len(done) < len(parts) else "true"
    numbered = f"""SELECT *, row_number() OVER (ORDER BY key, id) - 1 AS n
        FROM {parquet(folder / "removes.parquet")}"""
    return [_forgotten_sql(f"(FROM ({numbered}) WHERE id IS NULL AND ({spans}))")]


def _forgotten_sql(relation: str) -> str:
    return f"""SELECT key, hash, payload, NULL AS uncleared, 'remove' AS kind, NULL::BIGINT AS row, NULL AS changed,
        NULL AS cleared, NULL AS unset FROM {relation}"""


_OPEN = frozenset({PartState.SENDING, PartState.ACCEPTED, PartState.CANCELLED, PartState.UNSURE})


def _doubtful_sql(members: str, sent: str, fields: FieldMap) -> str:
    """Known people of whom a change may have arrived. They keep their old values under a mark that is no hash, so that they
    are sent again even when the query goes back to those; what the change may have set is owed, so that it is cleared."""
    owed = may_hold_sql(sent, owed="m.uncleared", key=fields.key, identifiers=fields.identifiers)
    return f"""SELECT m.key, '{DOUBTFUL}' AS hash, m.payload, {owed} AS uncleared, 'change' AS kind, NULL::BIGINT AS row,
        NULL AS changed, NULL AS cleared, NULL AS unset FROM ({members}) m JOIN maybe ON m.key = maybe.key
        WHERE maybe.kind = {CHANGE}"""


def _open_rows(folder: Path, ledger: Ledger) -> pa.Table:
    """The rows of parts that neither succeeded nor were refused: some of them may be at the destination."""
    delta = DeltaFile(folder / "delta.arrow", ["key", "kind", "fragment", "head"])
    batches = []
    for part in ledger.parts(PartKind.IMPORT):
        if part.state in _OPEN:
            refused = ledger.rejected(PartKind.IMPORT, part.chunk)
            batch = delta.chunk(part.chunk)
            batches.append(
                batch.take(pa.array([i for i in range(part.start, part.stop) if i not in refused], pa.int64()))
            )
    return pa.Table.from_batches(batches, delta.schema)


_COUNTED = ("head", "kind", "cleared", "slow", "uncleared")


class _Acknowledged:
    """The rows of a delta that the destination took, batch by batch, with what they still owe; counts on the way."""

    def __init__(self, folder: Path, ledger: Ledger, *, columns: Sequence[str] | None = None) -> None:
        self._delta = DeltaFile(folder / "delta.arrow", columns)
        self._ledger = ledger
        self.schema = self._delta.schema
        self.added = self.changed = self.rejected = self.unsettled = self.cleared = self.unset = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Only what is acknowledged."""
        complete: dict[int, set[int]] = {}
        for part in self._ledger.parts(PartKind.IMPORT):
            if part.state is PartState.COMPLETE:
                complete.setdefault(part.chunk, set()).update(range(part.start, part.stop))
        clears = [p for p in self._ledger.parts(PartKind.CLEAR) if p.state is PartState.COMPLETE]
        for chunk in range(self._delta.chunks):
            batch = self._delta.chunk(chunk)
            refused = self._ledger.rejected(PartKind.IMPORT, chunk)
            good = complete.get(chunk, set()) - refused
            self.rejected += len(refused)
            self.unsettled += batch.num_rows - len(good | refused)
            owed = self._owed(batch, chunk, [(p.start, p.stop) for p in clears if p.chunk == chunk], good)
            kept = owed if len(good) == batch.num_rows else owed.take(pa.array(sorted(good), pa.int64()))
            self._count(kept)
            if kept.num_rows:
                yield kept

    def _count(self, batch: pa.RecordBatch) -> None:
        for entry in pc.value_counts(batch.column("kind")).to_pylist():
            self.added += entry["counts"] if entry["values"] == ADD else 0
            self.changed += entry["counts"] if entry["values"] == CHANGE else 0
        unset = pc.and_(pc.equal(batch.column("kind"), ADD), pc.greater(batch.column("head"), len(HEAD)))
        self.unset += unset.true_count

    def _owed(self, batch: pa.RecordBatch, chunk: int, done: list[tuple[int, int]], good: set[int]) -> pa.RecordBatch:
        """The batch with the slow fields that were not cleared added to what each row owes."""
        slow = batch.column("slow")
        instant = batch.num_rows - batch.column("cleared").null_count
        if slow.null_count == batch.num_rows:
            self.cleared += len(good & _positions(batch.column("cleared"))) if instant else 0
            return batch
        failed = self._ledger.rejected(PartKind.CLEAR, chunk)
        uncleared = batch.column("uncleared").to_pylist()
        finished = {i for start, stop in done for i in range(start, stop)}
        late: set[int] = set()
        for number, position in enumerate(sorted(_positions(slow))):
            if number not in finished or position in failed:
                names = {*orjson.loads(slow[position].as_py()), *orjson.loads(uncleared[position] or "[]")}
                uncleared[position] = orjson.dumps(sorted(names)).decode()
                late.add(position)
        self.cleared += len((good & _positions(batch.column("cleared"))) - late)
        index = batch.schema.get_field_index("uncleared")
        return batch.set_column(index, batch.schema.field(index), pa.array(uncleared, batch.schema.field(index).type))


def _positions(values: pa.Array) -> set[int]:
    return {i for i, known in enumerate(values.is_valid().to_pylist()) if known}
