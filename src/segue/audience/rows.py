"""The first pass over a query's result: every row numbered, checked, encoded, and spooled to the run's folder.

It writes, in the run's folder:
    keys.arrow        row, key, hash, latest, refused, identifiers -- of every row that has a key
    candidates.arrow  rows that the snapshot does not hold in this form, as chunks (see ``_candidates_schema``)
    rejects.parquet   row, field, value, reason, source, detail
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segue.audience.delta import Chunk
from segue.audience.encode import ROW, EncodeOptions, encode_sql, is_identifier, source_column
from segue.audience.fields import Field, FieldMap, Place
from segue.audience.packing import ChunkLimits, without_rows, write_chunks
from segue.audience.text import literal
from segue.audience.workbench import Workbench, writing

ADD, CHANGE, REBASE, QUIET = 0, 1, 2, 3
"""Kinds of a compared row: a new person; changed fields; a row whose baseline changes while nothing is sent; and one
that stays as it is because what it owes may not be cleared."""

REJECTS_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("reason", pa.string()),
        ("source", pa.string()),
        ("detail", pa.string()),
    ]
)
WHOLE_ROW = frozenset({"email_missing", "email_malformed", "profile_too_large"})
"""Reasons for which a row is not sent at all. The others are about a field, and the row goes on without it."""

_DELTA_TAIL = f"{ADD}::TINYINT AS kind, " + ", ".join(
    f"NULL::VARCHAR AS {name}" for name in ("changed", "cleared", "slow", "uncleared")
)
_DROPPED = (
    "CASE WHEN problems IS NOT NULL THEN to_json(list_transform(problems, lambda p: p.field))::VARCHAR END AS dropped"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """source: rows of the query; refused: rows that cannot be sent; problems: reason -> how often, with the field
    problems of the rows that go on, not those of the refused; candidates: rows that the snapshot does not hold in this
    form, spooled as ``chunks``."""

    source: int
    refused: int
    problems: dict[str, int]
    candidates: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """How the rows of one query are read. snapshot_sql: a SELECT of key, hash, payload, uncleared, or None where
    nothing was sent yet; clear_owed: whether rows that owe a clear come back even if they are unchanged."""

    bench: Workbench
    folder: Path
    placed: tuple[Field, ...]
    fields: FieldMap
    options: EncodeOptions
    limits: ChunkLimits
    phone_region: str | None
    snapshot_sql: str | None
    clear_owed: bool

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The identifiers that are sent beside the key; keys.arrow has them too."""
        return tuple(f.column for f in self.placed if is_identifier(f, self.fields))

    def read(self, reader: pa.RecordBatchReader, *, progress: Callable[[int], None] = lambda _: None) -> RowCounts:
        """Spool every row; ``progress`` is told the number of rows read so far."""
        reader = self._international(reader)
        self.bench.show("source", _numbered(reader))
        encoded = self.bench.stream(self._sql(reader.schema))
        columns = ["row", "key", "hash", "latest", "refused", *self.identifiers]
        keys_schema = pa.schema([encoded.schema.field(name) for name in columns])
        tally = _Tally()
        with (
            writing(self.folder / "keys.arrow", keys_schema) as keys,
            writing(self.folder / "candidates.arrow", _candidates_schema(encoded.schema), synced=False) as candidates,
            pq.ParquetWriter(self.folder / "rejects.parquet", REJECTS_SCHEMA) as rejects,
        ):
            spool = _Spool(keys=keys, columns=columns, rejects=rejects, tally=tally, progress=progress)
            chunks = write_chunks(candidates, spool.candidates(encoded), self.limits)
        return tally.counts(chunks)

    def _sql(self, schema: pa.Schema) -> str:
        encoded = encode_sql(schema, self.placed, self.fields, self.options)
        if self.snapshot_sql is None:
            return f"SELECT *, {_DELTA_TAIL}, {_DROPPED} FROM ({encoded})"
        settled = f"WHERE {self._settled_sql()}" if self.clear_owed else ""
        return f"""
            SELECT e.* REPLACE (CASE WHEN held.hash IS NULL THEN fragment END AS fragment), {_DELTA_TAIL}, {_DROPPED}
            FROM ({encoded}) e LEFT JOIN (SELECT hash FROM ({self.snapshot_sql}) {settled}) held ON e.hash = held.hash"""

    def _settled_sql(self) -> str:
        """Nothing is owed that this query could clear: a field without a column stays owed and brings nobody back."""
        here = ", ".join(literal(f.column) for f in self.placed if f.place is not Place.LEFT_OUT)
        owed = "from_json(uncleared, '[\"VARCHAR\"]')"
        return f"(uncleared IS NULL OR NOT list_has_any({owed}, [{here}]::VARCHAR[]))"

    def _international(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The same rows, with the phone numbers of the template's region in international form."""
        column = reader.schema.get_field_index("phone_number")
        if self.phone_region is None or not any(f.column == "phone_number" for f in self.placed):
            return reader
        kind = reader.schema.field(column).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if not (pa.types.is_integer(kind) or pa.types.is_string(kind)):
            return reader
        schema = reader.schema.set(column, pa.field("phone_number", pa.string()))
        region = self.phone_region
        return pa.RecordBatchReader.from_batches(schema, (_with_region(b, column, region, schema) for b in reader))


def delta_schema(encoded: pa.Schema) -> pa.Schema:
    """The columns of a delta: row, key, hash, fragment, head, kind (``ADD``, ``CHANGE``, ``REBASE``), and as
    JSON lists of field names or NULL: changed, cleared, slow (to be cleared one by one), uncleared (still held there)."""
    names = ("row", "key", "hash", "fragment", "head", "kind", "changed", "cleared", "slow", "uncleared")
    return pa.schema([encoded.field(name) for name in names])


def _candidates_schema(encoded: pa.Schema) -> pa.Schema:
    """A delta's columns and ``dropped``: fields with a value that cannot be sent, which is no NULL and clears nothing."""
    return delta_schema(encoded).append(encoded.field("dropped"))


def _numbered(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The relation that ``encode_sql`` reads."""
    names = [source_column(i) for i in range(len(reader.schema))]

    def batches() -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in reader:
            yield batch.rename_columns(names).append_column(ROW, pa.arange(first, first + batch.num_rows))
            first += batch.num_rows

    columns = [field.with_name(name) for name, field in zip(names, reader.schema, strict=True)]
    return pa.RecordBatchReader.from_batches(pa.schema([*columns, pa.field(ROW, pa.int64())]), batches())


def _with_region(batch: pa.RecordBatch, column: int, region: str, schema: pa.Schema) -> pa.RecordBatch:
    """National numbers made international. Only values without ``+`` or ``00`` are parsed: parsing is slow."""
    phones = batch.column(column).cast(pa.string())
    national = pc.fill_null(pc.invert(pc.match_substring_regex(pc.utf8_ltrim_whitespace(phones), r"^(\+|00)")), False)
    if pc.any(national).as_py():
        pairs = zip(phones.to_pylist(), national.to_pylist(), strict=True)
        phones = pa.array([_international(v, region) if flag else v for v, flag in pairs], pa.string())
    return pa.record_batch([phones if i == column else c for i, c in enumerate(batch.columns)], schema=schema)


def _international(number: str, region: str) -> str:
    import phonenumbers  # noqa: PLC0415 -- it is slow to import, and few templates have a region

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class _Tally:
    def __init__(self) -> None:
        self.source = self.refused = self.candidates = 0
        self.problems: Counter[str] = Counter()

    def counts(self, chunks: tuple[Chunk, ...]) -> RowCounts:
        return RowCounts(
            source=self.source,
            refused=self.refused,
            problems=dict(self.problems),
            candidates=self.candidates,
            chunks=chunks,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spool:
    """Splits encoded batches: keys and rejects go to their files, candidates are handed on."""

    keys: pa.ipc.RecordBatchFileWriter
    columns: list[str]
    rejects: pq.ParquetWriter
    tally: _Tally
    progress: Callable[[int], None]

    def candidates(self, encoded: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        names = _candidates_schema(encoded.schema).names
        for batch in encoded:
            self.tally.source += batch.num_rows
            if batch.column("problems").null_count < batch.num_rows:
                self._reject(batch)
            keyed = pc.is_valid(batch.column("key"))
            self.keys.write_batch(_where(batch.select(self.columns), keyed))
            sound = pc.and_(keyed, pc.invert(batch.column("refused")))
            self.tally.refused += batch.num_rows - sound.true_count
            new = _where(batch.select(names), pc.and_(sound, pc.is_valid(batch.column("fragment"))))
            self.tally.candidates += new.num_rows
            self.progress(self.tally.source)
            if new.num_rows:
                yield new

    def _reject(self, batch: pa.RecordBatch) -> None:
        bad = batch.filter(pc.is_valid(batch.column("problems")))
        problems = bad.column("problems")
        each = pc.list_parent_indices(problems)
        flat = problems.flatten()
        reasons = flat.field("reason")
        goes = pc.invert(bad.column("refused")).take(each)
        told = pc.or_(goes, pc.is_in(reasons, value_set=pa.array(sorted(WHOLE_ROW))))
        for entry in pc.value_counts(reasons.filter(told)).to_pylist():
            self.tally.problems[entry["values"]] += entry["counts"]
        columns = [
            bad.column("row").take(each),
            bad.column("key").take(each),
            flat.field("field"),
            flat.field("value"),
            reasons,
            pa.repeat("segue", len(each)),
            pa.nulls(len(each), pa.string()),
        ]
        self.rejects.write_batch(pa.record_batch(columns, schema=REJECTS_SCHEMA))


def _where(batch: pa.RecordBatch, mask: pa.BooleanArray) -> pa.RecordBatch:
    return without_rows(batch, pc.indices_nonzero(pc.invert(mask)).to_pylist())
