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
    settled before. The table ``settled`` gets the candidates that without their identifiers are as the snapshot has them.
    """
    bench.execute("CREATE TEMP TABLE stripped (row BIGINT, key VARCHAR, field VARCHAR, value VARCHAR, why VARCHAR)")
    bench.execute("CREATE TEMP TABLE settled (row BIGINT)")
    for name in identifiers:
        _strip(bench, folder, name, snapshot)
    members = snapshot.sql()
    if members and identifiers:
        _settle(bench, folder, identifiers, members)
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
    bench.show("keys", open_rows(keys, ["row", "refused", name]))
    # hash() only narrows the search within this one query.
    bench.execute(f"""
        CREATE OR REPLACE TEMP TABLE suspects AS
        SELECT hash({column}) AS h FROM keys WHERE {good} GROUP BY h HAVING count(*) > 1""")
    bench.show("keys", open_rows(keys, ["row", "key", "hash", "refused", name]))
    bench.execute(f"""
        CREATE OR REPLACE TEMP TABLE sharing AS SELECT row, key, hash, {column} AS value FROM keys
        WHERE {good} AND hash({column}) IN (SELECT h FROM suspects)""")
    _find_holders(bench, name, snapshot)
    bench.execute(f"""
        INSERT INTO stripped SELECT row, key, {literal(name)}, value, {literal(f"{name}_shared")} FROM (
            SELECT s.*, row_number() OVER (PARTITION BY value ORDER BY h.row IS NOT NULL DESC, s.key) AS place
            FROM sharing s LEFT JOIN holders h ON s.row = h.row)
        WHERE place > 1""")


def _find_holders(bench: Workbench, name: str, snapshot: Snapshot) -> None:
    """Leave in the table ``holders`` the rows of ``sharing`` whose person has the identifier at the destination.

    Who is held as the row stands has it. Payloads are most of a snapshot: they are read only of those who share an identifier
    with nobody of that kind.
    """
    bench.execute("CREATE OR REPLACE TEMP TABLE holders (row BIGINT)")
    members = snapshot.sql()
    if not members or not bench.one("SELECT count(*) FROM sharing"):
        return
    bench.execute(f"""
        INSERT INTO holders SELECT s.row FROM sharing s
        JOIN (SELECT key, hash FROM ({members}) m WHERE m.key IN (SELECT key FROM sharing)) h USING (key, hash)""")
    bench.execute("""
        CREATE OR REPLACE TEMP TABLE unknown AS SELECT row, key, value FROM sharing
        WHERE value NOT IN (SELECT value FROM sharing WHERE row IN (SELECT row FROM holders))""")
    if not bench.one("SELECT count(*) FROM unknown"):
        return
    held = f"SELECT key, payload, uncleared FROM ({members}) m WHERE m.key IN (SELECT key FROM unknown)"
    bench.execute(f"""
        INSERT INTO holders SELECT u.row FROM unknown u JOIN ({held}) h ON u.key = h.key
        WHERE coalesce(json_extract_string(h.payload, {literal(f'$."{name}"')}) = u.value, false)
            OR coalesce(list_contains(from_json(h.uncleared, '["VARCHAR"]'), {literal(name)} || chr(31) || u.value), false)""")


def _settle(bench: Workbench, folder: Path, identifiers: Sequence[str], members: str) -> None:
    """Rows that went without an identifier before, and still do: most runs have them all again, and none is to be sent."""
    if not bench.one("SELECT count(*) FROM stripped"):
        return
    bench.show("candidates", open_rows(folder / "candidates.arrow", ["row", "key", "fragment", "head"]))
    payload = without("substr(fragment, head + 1, length(fragment) - head - 2)", "fields", identifiers=identifiers)
    bench.execute(f"""
        CREATE TEMP TABLE lean AS SELECT c.row, c.key, sha256({payload}) AS hash
        FROM candidates c JOIN (SELECT row, list(field) AS fields FROM stripped GROUP BY row) s ON c.row = s.row""")
    bench.execute(f"""
        INSERT INTO settled SELECT l.row FROM lean l
        JOIN (SELECT key, hash, uncleared FROM ({members}) m WHERE m.key IN (SELECT key FROM lean)) m USING (key, hash)
        WHERE m.uncleared IS NULL""")
    bench.execute("DROP TABLE lean")


def _strip_held(bench: Workbench, folder: Path, identifiers: Sequence[str], members: str) -> None:
    """Whose identifier is still somebody else's. A person who has it already keeps it, so settled rows are not asked for."""
    bench.execute("CREATE TEMP TABLE wishes (row BIGINT, key VARCHAR, field VARCHAR, value VARCHAR)")
    for name in identifiers:
        column, field = identifier(name), literal(name)
        bench.show("keys", open_rows(folder / "keys.arrow", ["row", "key", "refused", name]))
        bench.show("candidates", open_rows(folder / "candidates.arrow", ["row"]))
        bench.execute(f"""
            INSERT INTO wishes SELECT row, key, {field}, {column} FROM keys
            WHERE NOT refused AND {column} IS NOT NULL AND row IN (SELECT row FROM candidates)
                AND row NOT IN (SELECT row FROM losers) AND row NOT IN (SELECT row FROM settled)
                AND row NOT IN (SELECT row FROM stripped WHERE field = {field})""")
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
