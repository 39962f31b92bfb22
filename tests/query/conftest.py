"""A prepared engine, and a way to run one query on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from segue.query import DUCKDB_SETUP, Tables, compile_query

Run = Callable[..., list[tuple[Any, ...]]]
"""Compiles and runs a query; gives its rows."""


@pytest.fixture(scope="session")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the setup, then locked as the one that runs users' queries."""
    connection = duckdb.connect()
    for statement in DUCKDB_SETUP:
        connection.execute(statement)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    yield connection
    connection.close()


@pytest.fixture
def run(engine: duckdb.DuckDBPyConnection) -> Run:
    """Run a query over no tables, or over tables that the test has made."""

    def rows(sql: str, tables: Tables | None = None) -> list[tuple[Any, ...]]:
        return engine.sql(compile_query(sql, tables=tables or {}).engine_sql).fetchall()

    return rows
