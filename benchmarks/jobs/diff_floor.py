"""The floor of a rerun: what any difference on the text of a payload has to do, in one DuckDB.

``diff_floor DATABASE SNAPSHOT make`` writes key and hash of every row, as a finished run leaves them;
``diff_floor DATABASE SNAPSHOT compare`` runs the query, makes the text of each row, takes its sha256, joins with the
snapshot from both sides and counts by class. Prints JSON: seconds, cpu and the counts.
"""

from __future__ import annotations

import json
import sys

import duckdb

from benchmarks.clock import Clock
from benchmarks.data import PROFILES

# What is no address is no key: the same "n/a" a thousand times would be a million pairs.
_HASHED = (
    f"SELECT lower(email) AS key, sha256(to_json(r)::VARCHAR) AS hash FROM ({PROFILES}) r WHERE contains(email, '@')"
)
_CLASSES = """SELECT count(*) FILTER (o.key IS NULL), count(*) FILTER (n.key IS NULL), count(*) FILTER (n.hash <> o.hash),
    count(*) FILTER (n.hash = o.hash) FROM ({new}) n FULL OUTER JOIN read_parquet('{old}') o ON n.key = o.key"""


def main(database: str, snapshot: str, step: str) -> None:
    """One of the two steps."""
    clock = Clock()
    with duckdb.connect(database, read_only=True) as con:
        con.execute("SET preserve_insertion_order = false")
        if step == "make":
            con.execute(f"COPY ({_HASHED}) TO '{snapshot}' (FORMAT parquet, COMPRESSION zstd)")
            return
        [counts] = con.execute(_CLASSES.format(new=_HASHED, old=snapshot)).fetchall()
    added, removed, changed, unchanged = counts
    measured = clock.read()
    found = {"added": added, "removed": removed, "changed": changed, "unchanged": unchanged}
    print(json.dumps({**measured, **found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
