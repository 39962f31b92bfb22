"""The floor of a first run: DuckDB writes the query's result as JSON lines. ``floor DATABASE FILE``; prints the seconds."""

from __future__ import annotations

import sys
import time

import duckdb

from benchmarks.data import PROFILES


def main(database: str, target: str) -> None:
    """Open, copy, close."""
    started = time.perf_counter()
    with duckdb.connect(database, read_only=True) as con:
        con.execute(f"COPY ({PROFILES}) TO '{target}' (FORMAT json)")
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
