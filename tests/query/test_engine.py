"""What the engine's connection gets, and what the package offers."""

from __future__ import annotations

import dataclasses

import duckdb
import pytest

import segue.query
from segue.query import DUCKDB_SETUP, compile_query


def test_the_public_names() -> None:
    assert segue.query.__all__ == [
        "DUCKDB_SETUP",
        "FUNCTIONS",
        "Case",
        "CompiledQuery",
        "Function",
        "Tables",
        "compile_query",
    ]


def test_the_setup_works_on_a_read_only_database_before_it_is_locked(tmp_path: object) -> None:
    path = f"{tmp_path}/empty.duckdb"
    duckdb.connect(path).close()
    with duckdb.connect(path, read_only=True) as connection:
        for statement in DUCKDB_SETUP:
            connection.execute(statement)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        assert connection.sql(
            compile_query("SELECT 7 / 2, levenshtein_distance('a', 'b')", tables={}).engine_sql
        ).fetchall() == [(3, 1)]


def test_values_are_frozen() -> None:
    compiled = compile_query("SELECT 1", tables={})
    with pytest.raises(dataclasses.FrozenInstanceError):
        compiled.engine_sql = "DROP TABLE x"  # type: ignore[misc]


def test_one_query_compiles_the_same_every_time() -> None:
    sql = "WITH a AS (SELECT 1 AS n) SELECT map_filter(MAP(ARRAY[1], ARRAY[n]), (k, v) -> v > n) FROM a"
    assert compile_query(sql, tables={}) == compile_query(sql, tables={})
