"""Rows that share a key: one of them is sent, and it is always the same one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from segue.audience.rows import REJECTS_SCHEMA, WHOLE_ROW
from segue.audience.text import is_number, is_text, literal, parquet
from segue.audience.workbench import Workbench, open_rows
from segue.errors import DataError

_SHOWN = 5
_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?"
"""ISO 8601 as databases and exports write it: a date, or a date and a time, with or without a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCounts:
    """collapsed: rows dropped because an identical row is sent; replaced: rows dropped for one with a later date;
    keys: keys that had differing rows; kept: distinct keys that are left; problems: reason -> how often, field problems of
    the dropped rows."""

    collapsed: int = 0
    replaced: int = 0
    keys: int = 0
    kept: int
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        """Rows that are not sent because another row of their key is."""
        return self.collapsed + self.replaced


def settle_duplicates(bench: Workbench, folder: Path, *, latest_by: str | None, has_latest: bool) -> DuplicateCounts:
    """Decide between rows of one key and leave the row numbers of the losers in the table ``losers``.

    Identical rows collapse. Among differing ones the greatest ``latest`` wins (NULL last), equal dates are decided by the
    greater row hash, so that the choice does not depend on the order of the rows. Text is compared as the moments that it
    says, without a zone in UTC; blank text says none.
    Raises DataError ``duplicate_keys`` where rows differ and nothing says which is the latest; the keys are then added to
    the rejects. Raises DataError ``latest_not_ordered`` where rows differ and the column has no order in time or size.
    """
    keys = folder / "keys.arrow"
    # DuckDB's hash() only narrows the search within this one query: it needs a third of the memory of the keys.
    bench.show("keys", open_rows(keys, ["key", "refused"]))
    bench.execute(
        "CREATE TEMP TABLE suspects AS SELECT hash(key) AS h FROM keys WHERE NOT refused GROUP BY h HAVING count(*) > 1"
    )
    if not bench.one("SELECT count(*) FROM suspects"):
        bench.execute("CREATE TEMP TABLE losers (row BIGINT)")
        return DuplicateCounts(kept=_sound(bench, keys))
    bench.show("keys", open_rows(keys, ["row", "key", "hash", "latest", "refused"]))
    bench.execute("""
        CREATE TEMP TABLE repeated AS
        SELECT row, key, hash, latest FROM keys WHERE NOT refused AND hash(key) IN (SELECT h FROM suspects)""")
    latest = _latest_sql(open_rows(keys).schema.field("latest").type)
    bench.execute(f"""
        CREATE TEMP TABLE losers AS
        SELECT row, key, alike FROM (
            SELECT row, key,
                row_number() OVER (PARTITION BY key ORDER BY {latest} DESC NULLS LAST, hash DESC, row) AS place,
                min(hash) OVER (PARTITION BY key) = max(hash) OVER (PARTITION BY key) AS alike
            FROM repeated)
        WHERE place > 1""")
    [(collapsed, replaced, differing)] = bench.fetch("""
        SELECT count(*) FILTER (alike), count(*) FILTER (NOT alike), count(DISTINCT key) FILTER (NOT alike) FROM losers""")
    rows = _sound(bench, keys)
    if differing and (latest_by is None or not has_latest):
        raise _refusal(bench, folder, differing, latest_by)
    if differing:
        _check_order(bench, open_rows(keys).schema.field("latest").type, latest_by or "")
    return DuplicateCounts(
        collapsed=collapsed,
        replaced=replaced,
        keys=differing,
        kept=rows - collapsed - replaced,
        problems=_problems(bench, folder / "rejects.parquet"),
    )


def _sound(bench: Workbench, keys: Path) -> int:
    bench.show("keys", open_rows(keys, ["refused"]))
    return int(bench.one("SELECT count(*) FROM keys WHERE NOT refused"))


def _latest_sql(kind: pa.DataType) -> str:
    """What the rows of a key are ordered by."""
    return "TRY_CAST(nullif(trim(latest), '') AS TIMESTAMPTZ)" if is_text(kind) else "latest"


def _check_order(bench: Workbench, kind: pa.DataType, column: str) -> None:
    """Raise DataError unless the column orders the rows that differ: letters order no numbers, and no foreign dates."""
    if is_text(kind):
        bad = bench.one(f"""
            SELECT count(*) FROM repeated
            WHERE key IN (SELECT key FROM losers WHERE NOT alike) AND trim(latest) <> ''
                AND ({_latest_sql(kind)} IS NULL OR NOT regexp_full_match(trim(latest), {literal(_ISO)}))""")
        if not bad:
            return
        cause = f"{bad:,} of its values in these rows are not dates like 2024-01-31 or 2024-01-31T10:00:00Z."
    elif pa.types.is_temporal(kind) or pa.types.is_null(kind) or is_number(kind):
        return
    else:
        cause = f"It is of type {kind}."
    raise DataError(
        f'Rows of one person differ, and the column "{column}" cannot tell the latest: it is no date and no number.',
        code="latest_not_ordered",
        cause=cause,
        steps=(
            f'Convert it in the query, for example CAST(x AS timestamp) AS "{column}"; date_parse(x, ...) reads other forms.',
            "Or name a column that is a date in `duplicates: {latest_by: COLUMN}`.",
        ),
    )


def _problems(bench: Workbench, rejects: Path) -> dict[str, int]:
    """What was wrong with fields of rows that are not sent anyway."""
    whole = ", ".join(literal(reason) for reason in sorted(WHOLE_ROW))
    return dict(
        bench.fetch(f"""
            SELECT reason, count(*) FROM {parquet(rejects)}
            WHERE row IN (SELECT row FROM losers) AND reason NOT IN ({whole}) GROUP BY reason""")
    )


def _refusal(bench: Workbench, folder: Path, differing: int, latest_by: str | None) -> DataError:
    """Name the keys in the rejects, and masked in the message, which may be shown to anyone."""
    found = bench.stream("SELECT DISTINCT ON (key) row, key FROM losers WHERE NOT alike ORDER BY key, row").read_all()
    columns = [
        found.column("row"),
        found.column("key"),
        pa.repeat("email", found.num_rows),
        found.column("key"),
        pa.repeat("duplicate_key", found.num_rows),
        pa.repeat("segue", found.num_rows),
        pa.nulls(found.num_rows, pa.string()),
    ]
    path = folder / "rejects.parquet"
    pq.write_table(pa.concat_tables([pq.read_table(path), pa.table(columns, schema=REJECTS_SCHEMA)]), path)
    shown = ", ".join(mask_email(key) for key in found.column("key").slice(0, _SHOWN).to_pylist())
    column = (
        f'there is no column "{latest_by}" to tell the latest' if latest_by else "the template says that this fails"
    )
    return DataError(
        f"{differing} keys have rows that differ, and {column}: {shown}{', ...' if differing > _SHOWN else ''}",
        code="duplicate_keys",
        steps=(
            "See all of them with: segue rejects RUN",
            "Aggregate to one row a person in the query, or select a date and name it in `duplicates: {latest_by: COLUMN}`.",
        ),
    )


def mask_email(email: str) -> str:
    """``a***@shop.io``: enough to recognise, not to identify."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"
