"""Identifying fields that are somebody else's: a destination gives one to one profile, and may merge the others into it.

Two customers with one phone number are two members of the audience. Sent as they are, the second may end up inside the
first one's profile, and one member is lost without an error. So one row keeps the identifier, and the others go without.

The same happens when an identifier moves from one person to another: until the destination has acknowledged that the first
one no longer has it, the second one goes without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from segue.audience.owed import holders_sql
from segue.audience.rows import REJECTS_SCHEMA
from segue.audience.snapshot import Snapshot
from segue.audience.text import identifier, json_string, literal
from segue.audience.workbench import Workbench, open_rows


def settle_shared(bench: Workbench, folder: Path, *, identifiers: Sequence[str], snapshot: Snapshot) -> dict[str, int]:
    """Leave in the table ``stripped`` (row, field) which rows go without which identifier, and name them in the rejects.

    Of several rows the one whose person already has the identifier at the destination keeps it, else the one with the
    smallest key, so that it stays where it is from run to run: the others have the reason ``..._shared``. It goes without,
    too, while the snapshot holds the identifier of another person: ``..._held``. Returns reason -> rows. ``losers`` must be
    settled before.
    """
    bench.execute("CREATE TEMP TABLE stripped (row BIGINT, key VARCHAR, field VARCHAR, value VARCHAR, why VARCHAR)")
    for name in identifiers:
        _strip(bench, folder, name, snapshot)
    members = snapshot.sql()
    if members and identifiers:
        _strip_held(bench, folder, identifiers, members)
    rows = bench.stream("SELECT row, key, field, value, why FROM stripped ORDER BY row, field").read_all()
    if not rows.num_rows:
        return {}
    path = folder / "rejects.parquet"
    reasons = rows.column("why").combine_chunks()
    columns = [
        *(rows.column(n) for n in ("row", "key", "field", "value")),
        reasons,
        pa.repeat("segue", rows.num_rows),
        pa.nulls(rows.num_rows, pa.string()),
    ]
    pq.write_table(pa.concat_tables([pq.read_table(path), pa.table(columns, schema=REJECTS_SCHEMA)]), path)
    return {entry["values"]: entry["counts"] for entry in reasons.value_counts().to_pylist()}


def _strip(bench: Workbench, folder: Path, name: str, snapshot: Snapshot) -> None:
    column, keys = identifier(name), folder / "keys.arrow"
    good = f"NOT refused AND {column} IS NOT NULL AND row NOT IN (SELECT row FROM losers)"
    bench.show("keys", keys)
    # hash() only narrows the search within this one query.
    bench.execute(f"""
        CREATE OR REPLACE TEMP TABLE suspects AS
        SELECT hash({column}) AS h FROM keys WHERE {good} GROUP BY h HAVING count(*) > 1""")
    bench.show("keys", keys)
    bench.execute(f"""
        CREATE OR REPLACE TEMP TABLE sharing AS SELECT row, key, {column} AS value FROM keys
        WHERE {good} AND hash({column}) IN (SELECT h FROM suspects)""")
    members = snapshot.sql()
    held = "SELECT key, '' AS payload, '' AS uncleared FROM sharing WHERE false"
    if members and bench.one("SELECT count(*) FROM sharing"):
        held = f"SELECT key, payload, uncleared FROM ({members}) m WHERE m.key IN (SELECT key FROM sharing)"
    path = literal(f'$."{name}"')
    bench.execute(f"""
        INSERT INTO stripped SELECT row, key, {literal(name)}, value, {literal(f"{name}_shared")} FROM (
            SELECT s.*, row_number() OVER (PARTITION BY value ORDER BY
                coalesce(json_extract_string(h.payload, {path}) = value, false)
                OR coalesce(list_contains(from_json(h.uncleared, '["VARCHAR"]'), {literal(name)} || chr(31) || value), false)
                DESC, s.key) AS place
            FROM sharing s LEFT JOIN ({held}) h ON s.key = h.key)
        WHERE place > 1""")


def _strip_held(bench: Workbench, folder: Path, identifiers: Sequence[str], members: str) -> None:
    """Whose identifier is still somebody else's. A person who has it already keeps it."""
    bench.execute("CREATE TEMP TABLE wishes (row BIGINT, key VARCHAR, field VARCHAR, value VARCHAR)")
    for name in identifiers:
        column, field = identifier(name), literal(name)
        bench.show("keys", folder / "keys.arrow")
        bench.show("candidates", open_rows(folder / "candidates.arrow", ["row"]))
        bench.execute(f"""
            INSERT INTO wishes SELECT row, key, {field}, {column} FROM keys
            WHERE NOT refused AND {column} IS NOT NULL AND row IN (SELECT row FROM candidates)
                AND row NOT IN (SELECT row FROM losers) AND row NOT IN (SELECT row FROM stripped WHERE field = {field})""")
    if bench.one("SELECT count(*) FROM wishes"):
        bench.execute(f"""
            INSERT INTO stripped SELECT w.row, w.key, w.field, w.value, w.field || '_held'
            FROM wishes w JOIN ({holders_sql(members, identifiers)}) h ON w.field = h.field AND w.value = h.value
            GROUP BY w.row, w.key, w.field, w.value HAVING NOT bool_or(h.key = w.key)""")


def without(payload: str, fields: str, *, identifiers: Collection[str]) -> str:
    """SQL: the payload without those of its ``identifiers`` that are in the list ``fields``. They stand before every other
    member of their name, since profile fields come first, and only the first one is taken out."""
    text = payload
    for name in sorted(identifiers):
        pattern = f',{re.escape(json_string(name))}:"(?:[^"\\\\]|\\\\.)*"'
        inside = f"list_contains({fields}, {literal(name)})"
        text = f"CASE WHEN {inside} THEN regexp_replace({text}, {literal(pattern)}, '') ELSE {text} END"
    return text
