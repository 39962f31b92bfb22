"""The second pass: candidates against the snapshot. What is new, what changed and in which fields, which fields became
NULL and how each is cleared, and who has left.

It writes, in the run's folder:
    delta.arrow       rows to be sent, as chunks
    rebase.arrow      rows whose baseline changes while nothing is sent
    removes.parquet   key, hash, payload of members that left the query
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.delta import Chunk, Delta, DeltaCounts
from segue.audience.fields import Field, FieldMap, Place
from segue.audience.identifiers import without
from segue.audience.layout import Layout, layout_bytes, layout_path, patch_path
from segue.audience.owed import absent_sql, remembered_sql
from segue.audience.packing import ChunkLimits, plan_chunks, without_rows, write_chunks
from segue.audience.rows import ADD, CHANGE, QUIET, REBASE, RowCounts, delta_schema
from segue.audience.snapshot import DOUBTFUL, Snapshot, write_segment
from segue.audience.tally import Tally, first_send_unset
from segue.audience.text import literal, parquet
from segue.audience.workbench import DeltaFile, Workbench, open_rows, sync_file, write_bytes, writing
from segue.template import TemplateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Compares the spooled candidates of one run with a snapshot. ``losers``, ``stripped`` and ``settled`` must be there."""

    bench: Workbench
    folder: Path
    placed: tuple[Field, ...]
    fields: FieldMap
    settings: TemplateSettings
    snapshot: Snapshot
    limits: ChunkLimits
    rows: RowCounts
    dropped: int
    """Rows that lost against another of their key."""
    shared: int = 0
    """Identifiers that rows go without because another row has them; see ``identifiers``."""

    def run(self) -> Delta:
        """Write the delta and count it."""
        removed = self._removes()
        # What a run that broke off left behind.
        layout_path(self.folder / "delta.arrow").unlink(missing_ok=True)
        candidates, delta = self.folder / "candidates.arrow", self.folder / "delta.arrow"
        if self.snapshot.segments or self.settings.max_rows or self.settings.first_send_nulls == "all":
            chunks, tally = self._second_pass(candidates, delta)
            candidates.unlink()
        elif self.dropped or self.shared:
            chunks, tally = self._first_send(candidates, delta)
        else:
            # On a first send every candidate is an add as it stands.
            candidates.replace(delta)
            sync_file(delta)
            added = sum(chunk.rows for chunk in self.rows.chunks)
            counts = DeltaCounts(added=added, removed=removed, first_send_unset=self._unset_at_once(delta))
            return Delta(counts=counts, chunks=self.rows.chunks, digest=self._digest(delta))
        return Delta(counts=tally.counts(removed), chunks=chunks, digest=self._digest(delta))

    def _unset_at_once(self, delta: Path) -> dict[str, int]:
        if self.settings.first_send_nulls == "keep":
            return {}
        # A chunk at a time: the texts of the bodies are most of the file.
        return dict(sum((first_send_unset(batch) for batch in open_rows(delta, _UNSET_COLUMNS)), Counter()))

    def _removes(self) -> int:
        members = self.snapshot.sql()
        path = self.folder / "removes.parquet"
        nobody = "SELECT ''::VARCHAR AS key, ''::VARCHAR AS hash, ''::VARCHAR AS payload WHERE false"
        if members is None or self.settings.max_rows is not None:
            write_segment(self.bench, nobody, path)
            return 0
        # A refused row keeps its person on the list: the query still wants them, only the row cannot be sent.
        self.bench.show("keys", open_rows(self.folder / "keys.arrow", ["key"]))
        self.bench.execute(
            f"""CREATE TEMP TABLE gone AS SELECT key FROM ({members}) m
            WHERE NOT EXISTS (SELECT 1 FROM keys WHERE keys.key = m.key)"""
        )
        # Payloads are most of a snapshot: only those of the people who left are read.
        leavers = f"SELECT key, hash, payload FROM ({members}) m WHERE m.key IN (SELECT key FROM gone)"
        write_segment(self.bench, leavers, path)
        return int(self.bench.one("SELECT count(*) FROM gone"))

    def _first_send(self, candidates: Path, delta: Path) -> tuple[tuple[Chunk, ...], Tally]:
        """Nobody was sent before: only rows that go without an identifier are looked into and stand in the patch, the others
        stay where they are."""
        tally = Tally(self._columns())
        everything = pa.arange(0, self.rows.source)
        lost = pc.is_in(everything, value_set=self._row_numbers("losers"))
        lean = pc.and_not(pc.is_in(everything, value_set=self._row_numbers("stripped")), lost)
        spool, sizes, gaps = self.folder / "lean.arrow", [], []

        def staying() -> Iterator[pa.RecordBatch]:
            with writing(spool, open_rows(candidates).schema, synced=False) as aside:
                for batch in open_rows(candidates):
                    out, special = lost.take(batch.column("row")), lean.take(batch.column("row"))
                    tally.losing += pc.sum(out).as_py() or 0
                    aside.write_batch(batch.filter(special))
                    sizes.append(batch.num_rows)
                    gaps.append(pc.indices_nonzero(pc.or_(out, special)).to_pylist())
                    yield without_rows(batch, gaps[-1])

        def patched(patch: pa.ipc.RecordBatchFileWriter, rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
            for batch in rows:
                sizes.append(batch.num_rows)
                gaps.append([])
                patch.write_batch(batch)
                yield batch

        def lengths() -> Iterator[pa.Array]:
            for batch in tally.limit(staying(), None):
                yield pc.binary_length(batch.column("fragment"))
            self._fetch_olds(candidates)
            self.bench.show("candidates", spool)
            with writing(patch_path(delta), delta_schema(open_rows(candidates).schema)) as patch:
                for batch in tally.limit(patched(patch, self.bench.stream(self._sql())), None):
                    yield pc.binary_length(batch.column("fragment"))

        chunks = plan_chunks(lengths(), self.limits)
        spool.unlink()
        layout = Layout(sizes=sizes, gaps=gaps, chunks=[chunk.rows for chunk in chunks])
        write_bytes(layout_path(delta), layout_bytes(layout))
        candidates.replace(delta)
        sync_file(delta)
        return chunks, tally

    def _row_numbers(self, table: str) -> pa.Array:
        return self.bench.stream(f"SELECT row FROM {table}").read_all().column("row").combine_chunks()

    def _second_pass(self, candidates: Path, delta: Path) -> tuple[tuple[Chunk, ...], Tally]:
        tally = Tally(self._columns())
        if self.dropped:
            self.bench.show("candidates", open_rows(candidates, ["row"]))
            tally.losing = self.bench.one("SELECT count(*) FROM candidates WHERE row IN (SELECT row FROM losers)")
        # Without what they go without they are as they were: of the kind QUIET, and there is nothing to compare.
        tally.kinds[QUIET] += self.bench.one("SELECT count(*) FROM settled")
        self._fetch_olds(candidates)
        self.bench.show("candidates", candidates)
        compared = self.bench.stream(self._sql())
        with writing(self.folder / "rebase.arrow", compared.schema) as rebased, writing(delta, compared.schema) as file:
            sent = tally.limit(tally.split(compared, rebased), self.settings.max_rows)
            return write_chunks(file, sent, self.limits), tally

    def _fetch_olds(self, candidates: Path) -> None:
        """What is held of the candidates' people, as the table ``olds``: a join with the whole snapshot would keep it
        in memory."""
        members = self.snapshot.sql()
        self.bench.execute("CREATE TEMP TABLE olds (key VARCHAR, hash VARCHAR, payload VARCHAR, uncleared VARCHAR)")
        if members is None:
            return
        self.bench.show("candidates", open_rows(candidates, ["row", "key"]))
        left = "row NOT IN (SELECT row FROM settled)"
        self.bench.execute(f"CREATE TEMP TABLE wanted AS SELECT key FROM candidates WHERE {left}")
        if self.bench.one("SELECT count(*) FROM wanted"):
            self.bench.execute(f"INSERT INTO olds FROM ({members}) m WHERE m.key IN (SELECT key FROM wanted)")
        self.bench.execute("DROP TABLE wanted")

    def _sql(self) -> str:
        lean = without("whole", "stripped", identifiers=self.fields.identifiers)
        ordered = "ORDER BY key" if self.settings.max_rows else ""
        return f"""
            WITH won AS (
                SELECT c.*, s.fields AS stripped, substr(fragment, head + 1, length(fragment) - head - 2) AS whole
                FROM candidates c LEFT JOIN (SELECT row, list(field) AS fields FROM stripped GROUP BY row) s ON c.row = s.row
                WHERE c.row NOT IN (SELECT row FROM losers) AND c.row NOT IN (SELECT row FROM settled)),
            lean AS (
                SELECT *, CASE WHEN stripped IS NULL THEN whole ELSE {lean} END AS payload FROM won),
            c AS (
                SELECT * EXCLUDE (whole) REPLACE (
                    CASE WHEN stripped IS NULL THEN hash ELSE sha256(payload) END AS hash,
                    CASE WHEN stripped IS NULL THEN fragment
                        ELSE substr(fragment, 1, head) || payload || '}},' END AS fragment)
                FROM lean),
            j AS (
                SELECT c.* EXCLUDE (kind, changed, cleared, slow, uncleared), b.hash IS NOT NULL AND b.hash <> '' AS known,
                    b.hash AS old_hash, b.payload AS old, b.uncleared AS owed
                FROM c LEFT JOIN olds b ON c.key = b.key),
            f AS (
                SELECT *, {self._changed_sql()} AS changes, {self._cleared_sql()} AS nulls, {self._absent_sql()} AS absent,
                    list_concat(coalesce(from_json(dropped, '["VARCHAR"]'), []), coalesce(stripped, [])) AS unsendable
                FROM j),
            p AS (
                SELECT *, {self._chosen(self._unset_columns())} AS unset,
                    {self._chosen(self._slow_columns())} AS slowly,
                    list_concat(list_filter(nulls, lambda n: NOT list_contains(list_concat(unset, slowly), n)), absent) AS rest,
                    list_concat(rest, {self._remembered_sql()}) AS kept
                FROM f),
            k AS (
                SELECT *, CASE WHEN NOT known THEN {ADD}
                    WHEN old_hash = '{DOUBTFUL}' THEN {CHANGE}
                    WHEN len(changes) + len(unset) + len(slowly) > 0 THEN {CHANGE}
                    WHEN len(nulls) = 0 AND hash <> old_hash AND {self._same_columns()} THEN {CHANGE}
                    WHEN hash = old_hash THEN {QUIET}
                    ELSE {REBASE} END::TINYINT AS kind
                FROM p)
            SELECT row, key, hash,
                CASE WHEN known THEN '{{"type":"profile",' || {_META} || '"attributes":' || payload || '}},'
                    ELSE fragment END AS fragment,
                CASE WHEN known THEN length({_META}) + 31 ELSE head END::INTEGER AS head,
                kind, {_as_json("changes")} AS changed, {_as_json("list_concat(unset, slowly)")} AS cleared,
                {_as_json("slowly")} AS slow, {_as_json("kept")} AS uncleared
            FROM k {ordered}"""

    def _same_columns(self) -> str:
        """Without a dropped column, a row of another hash was changed, even where no field shows it."""
        return "true" if set(self.snapshot.columns) <= self._columns() else "false"

    def _columns(self) -> set[str]:
        return {f.column for f in self.placed if f.place is not Place.LEFT_OUT}

    def _sent(self) -> list[Field]:
        return [f for f in self.placed if f.place in (Place.PROFILE, Place.LOCATION, Place.PROPERTY)]

    def _changed_sql(self) -> str:
        checks = [
            f"CASE WHEN json_extract(payload, {path}) IS NOT NULL"
            f" AND json_extract(payload, {path}) IS DISTINCT FROM json_extract(old, {path}) THEN {name} END"
            for path, name in self._paths()
        ]
        return _list_of(checks, only_if=f"known AND {_DIFFERS}")

    def _cleared_sql(self) -> str:
        first = self.settings.first_send_nulls == "all"
        standard = {f.column for f in self._sent() if f.place is not Place.PROPERTY}
        checks = []
        for (path, name), placed in zip(self._paths(), self._sent(), strict=True):
            was = f"json_exists(old, {path}) OR list_contains(from_json(owed, '[\"VARCHAR\"]'), {name})"
            # The NULL custom properties of a first send are unset by the first pass already.
            due = f"known AND ({was})" + (" OR NOT known" if first and placed.column in standard else "")
            checks.append(f"CASE WHEN NOT json_exists(payload, {path}) AND ({due}) THEN {name} END")
        return _list_of(checks, only_if="true" if first else f"known AND ({_DIFFERS} OR owed IS NOT NULL)")

    def _absent_sql(self) -> str:
        fields, here = self.fields, self._columns()
        absent = absent_sql(old="old", owed="owed", columns=here, key=fields.key, identifiers=fields.identifiers)
        return f"CASE WHEN known AND ({_DIFFERS} OR owed IS NOT NULL) THEN {absent} ELSE []::VARCHAR[] END"

    def _remembered_sql(self) -> str:
        return remembered_sql("rest", old="old", owed="owed", identifiers=self.fields.identifiers)

    def _paths(self) -> list[tuple[str, str]]:
        return [(literal(f.path), literal(f.column)) for f in self._sent()]

    def _unset_columns(self) -> set[str]:
        if self.settings.nulls == "keep":
            return set()
        return {f.column for f in self._sent() if f.place is Place.PROPERTY}

    def _slow_columns(self) -> set[str]:
        if self.settings.nulls == "keep":
            return set()
        guarded = set() if self.settings.clear_identifiers else self.fields.identifiers
        return {f.column for f in self._sent() if f.place is not Place.PROPERTY and f.column not in guarded}

    @staticmethod
    def _chosen(columns: Iterable[str]) -> str:
        """Of the fields that lost their value those that are cleared in one way. A value that cannot be sent is no NULL: its
        field keeps what it has there."""
        allowed = ", ".join(literal(c) for c in sorted(columns))
        return f"list_filter(nulls, lambda n: list_contains([{allowed}]::VARCHAR[], n) AND NOT list_contains(unsendable, n))"

    def _digest(self, delta: Path) -> str:
        removes = parquet(self.folder / "removes.parquet")
        self.bench.show("delta", DeltaFile(delta, ("key", "kind", "hash", "cleared")).read())
        [(rows, mark)] = self.bench.fetch(f"""
            SELECT count(*), coalesce(bit_xor(md5_number(text)), 0)::VARCHAR FROM (
                SELECT concat_ws(chr(31), key, kind, hash, cleared) AS text FROM delta
                UNION ALL SELECT concat_ws(chr(31), key, 'remove') FROM {removes})""")
        return f"{rows:x}-{int(mark):032x}"


_UNSET_COLUMNS = ("fragment", "head", "kind")
_DIFFERS = "hash <> old_hash"
"""Equal hashes are equal payloads: their fields need no look."""
_META = """CASE WHEN len(unset) > 0 THEN '"meta":{"patch_properties":{"unset":' || to_json(unset)::VARCHAR || '}},' ELSE '' END"""


def _list_of(checks: list[str], *, only_if: str) -> str:
    if not checks:
        return "[]::VARCHAR[]"
    return f"CASE WHEN {only_if} THEN list_filter([{', '.join(checks)}], lambda n: n IS NOT NULL) ELSE [] END"


def _as_json(names: str) -> str:
    return f"CASE WHEN len({names}) > 0 THEN to_json({names})::VARCHAR END"
