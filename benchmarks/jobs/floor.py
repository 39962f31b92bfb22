"""The floor of a first run: DuckDB writes the query's result as JSON lines. ``floor DATABASE FILE``; prints seconds and cpu."""

from __future__ import annotations

import json
import sys

import duckdb

from benchmarks.clock import Clock
from benchmarks.data import PROFILES


def main(database: str, target: str) -> None:
    """Open, copy, close."""
    clock = Clock()
    with duckdb.connect(database, read_only=True) as con:
        con.execute(f"COPY ({PROFILES}) TO '{target}' (FORMAT json)")
    print(json.dumps(clock.read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
