"""Hostile statements, handed to the engine as if the query step had let them pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.database import DatabaseConfig, Engine, QueryLimits, child, open_engine
from segue.database.process import QueryProcess
from segue.errors import QueryError, StateError

MARKER = "marker-7f3a"
"""Text of what is out of reach, in ``folder`` and in schema vault of ``shop``: wherever it turns up, something leaked."""

LIMITS: dict[str, Any] = {
    "memory_bytes": 1 << 30, "seconds": 60, "rows": None, "threads": 1, "tables": {}, "setup": [],
}  # fmt: skip

OUTSIDE = [
    # read a file
    "SELECT * FROM read_csv('{folder}/marker.csv')",
    "SELECT * FROM read_csv_auto(['{folder}/marker.csv'])",
    "SELECT * FROM read_text('{folder}/marker.csv')",
    "SELECT * FROM read_blob('{folder}/marker.csv')",
    "SELECT * FROM read_json('{folder}/marker.csv')",
    "SELECT * FROM read_parquet('{folder}/marker.parquet')",
    "SELECT * FROM parquet_metadata('{folder}/marker.parquet')",
    "SELECT * FROM read_duckdb('{folder}/other.duckdb')",
    "SELECT * FROM sniff_csv('{folder}/marker.csv')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM '{folder}/marker.csv'",
    "SELECT * FROM \"{folder}/marker.parquet\"",
    "FROM '{folder}/marker.parquet'",
    "WITH a AS (WITH \"{folder}/marker.csv\" AS (SELECT 1) SELECT 1) SELECT * FROM \"{folder}/marker.csv\"",
    "SELECT (SELECT content FROM read_text('{folder}/marker.csv')) FROM People",
    "SELECT * FROM query('SELECT * FROM read_text(''{folder}/marker.csv'')')",
    "SELECT * FROM query_table('{folder}/marker.csv')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM ''{folder}/marker.csv'''))",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    # attach, install, load, set
    "ATTACH '{folder}/other.duckdb' AS other",
    "ATTACH ':memory:' AS m; SELECT 1",
    "INSTALL httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET allowed_paths = ['/']",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "PRAGMA enable_logging",
    # write
    "COPY People TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "EXPORT DATABASE '{folder}/export'",
    "CREATE TABLE t AS SELECT 1",
    "INSERT INTO People VALUES (0, 'x')",
    "UPDATE People SET name = 'x'",
    "DELETE FROM People",
    "DROP TABLE People",
    "WITH gone AS (DELETE FROM People RETURNING id) SELECT * FROM gone",
    "SELECT 1; DROP TABLE People",
]  # fmt: skip
"""Statements that DuckDB's own locks must stop as well, without our reading of the parse tree."""

INSIDE = [
    "SELECT * FROM vault.secrets",
    "SELECT * FROM shop.vault.secrets",
    "SELECT (SELECT max(secret) FROM vault.secrets) FROM People",
    "SELECT * FROM People WHERE EXISTS (SELECT 1 FROM vault.secrets)",
    "WITH a AS (SELECT * FROM vault.secrets) SELECT * FROM a",
    "WITH secrets AS (SELECT 1) SELECT * FROM vault.secrets",
    "SELECT secret FROM secrets",
    "WITH a AS (WITH secrets AS (SELECT 1) SELECT 1) SELECT * FROM secrets",
    "SELECT * FROM query('SELECT * FROM vault.secrets')",
    "SELECT * FROM query_table('vault.secrets')",
    "SELECT json_serialize_plan('SELECT * FROM vault.secrets')",
    "SELECT * FROM (DESCRIBE vault.secrets)",
    "SELECT * FROM (SUMMARIZE vault.secrets)",
    "SELECT * FROM (SHOW ALL TABLES)",
    "DESCRIBE People",
    "SHOW TABLES",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_columns",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_tables",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pragma_table_info('vault.secrets')",
    "SELECT * FROM pragma_storage_info('vault.secrets')",
    "WITH a AS (WITH duckdb_views AS (SELECT 1) SELECT 1) SELECT * FROM duckdb_views",
    "WITH duckdb_tables AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT 2) SELECT * FROM b), system.main.duckdb_tables",
    "SELECT current_setting('temp_directory')",
    "SELECT CURRENT_SETTING('allowed_directories')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT write_log('x')",
    "SELECT nextval('s')",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE TEMP MACRO m() AS 1",
    "PREPARE p AS SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "CALL pragma_version()",
    "BEGIN",
    "CHECKPOINT",
    "SET VARIABLE x = 1",
    "USE vault",
    "SELECT 1; SELECT 2",
    "SELECT $1",
    "SELECT * FROM test_all_types()",
    "",
]
"""Statements that only our reading of the parse tree stops."""

ALLOWED = [
    "SELECT id FROM People;",
    "SELECT p.id FROM People AS p JOIN adults USING (id)",
    "WITH People AS (SELECT 1 AS id) SELECT * FROM People",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r",
    "SELECT x FROM People, LATERAL (SELECT id + 1 AS x), UNNEST([1, 2]) AS u(y)",
    "VALUES (1, 2)",
    "SELECT * FROM People ORDER BY id LIMIT 3 OFFSET 1",
    "SELECT id FROM People UNION ALL SELECT id FROM Adults",
    "SELECT * FROM (PIVOT People ON name IN ('p1', 'p2') USING count(*))",
    "SELECT row_number() OVER (ORDER BY id) FROM People QUALIFY true",
    "SELECT " + " || ".join(["name"] * 300) + " FROM Adults, People LIMIT 1",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files next to the database that hold the marker."""
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / "marker.csv").write_text(f"secret\n{MARKER}\n")
    (folder / "x.duckdb_extension").write_bytes(b"\x7fELF")
    pq.write_table(pa.table({"secret": [MARKER]}), folder / "marker.parquet")
    with duckdb.connect(str(folder / "other.duckdb")) as con:
        con.execute(f"CREATE TABLE t AS SELECT '{MARKER}' AS secret")
    return folder


def _tree(path: Path) -> dict[str, tuple[int, int]]:
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(path.rglob("*"))}


@pytest.mark.parametrize("sql", OUTSIDE + INSIDE)
def test_a_hostile_statement_is_refused(engine: Engine, tmp_path: Path, folder: Path, sql: str) -> None:
    before = _tree(tmp_path)
    with pytest.raises(QueryError) as caught, engine.run(sql.format(folder=folder), limits=QueryLimits()) as reader:
        reader.read_all()
    assert caught.value.code in {"query_forbidden", "missing_table", "syntax"}
    assert MARKER not in repr(vars(caught.value))
    assert _tree(tmp_path) == before


@pytest.mark.parametrize("sql", OUTSIDE)
def test_the_locks_of_the_database_hold_alone(shop: Path, tmp_path: Path, folder: Path, sql: str) -> None:
    """The same on the child's connection, without our reading of the parse tree: two doors, each shut."""
    before = _tree(tmp_path)
    with (
        child._connect(LIMITS | {"path": str(shop), "spill": str(tmp_path / "spill")}) as con,
        pytest.raises(duckdb.Error),
    ):
        con.execute(sql.format(folder=folder)).fetchall()
    assert _tree(tmp_path) == before


@pytest.mark.parametrize("sql", ALLOWED)
def test_an_honest_select_passes(rows: Callable[..., list[tuple[object, ...]]], sql: str) -> None:
    assert rows(sql)


def test_tables_of_files_do_not_open_their_neighbours(tmp_path: Path, folder: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "t.parquet")
    engine = open_engine(DatabaseConfig(name="lake", tables={"t": str(tmp_path / "t.parquet")}))
    for sql in (
        "SELECT * FROM read_parquet('{}/marker.parquet')",
        "SELECT * FROM '{}/marker.parquet'",
        "COPY (SELECT 2 AS n) TO '{}/../t.parquet' (FORMAT parquet)",
    ):
        with pytest.raises(QueryError), engine.run(sql.format(folder), limits=QueryLimits()):
            pass
    with engine.run("SELECT n FROM t", limits=QueryLimits()) as reader:
        assert reader.read_all().to_pylist() == [{"n": 1}]


def test_the_locks_alone_keep_the_neighbours_of_tables_shut(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": [1]}), file)
    table = {"kind": "parquet", "files": [str(file)], "types": None}
    before = _tree(tmp_path)
    with child._connect(LIMITS | {"path": None, "tables": {"t": table}, "spill": str(tmp_path / "spill")}) as con:
        assert con.execute("FROM t").fetchall() == [(1,)]
        for sql in (f"SELECT * FROM read_parquet('{folder}/marker.parquet')", f"COPY t TO '{folder}/out.csv'"):
            with pytest.raises(duckdb.Error, match="Permission"):
                con.execute(sql)
    assert _tree(tmp_path) == before


def test_a_view_that_reads_a_file_is_refused(shop: Path, engine: Engine, folder: Path) -> None:
    with duckdb.connect(str(shop)) as con:
        con.execute(f"CREATE VIEW Leak AS SELECT * FROM read_csv('{folder}/marker.csv')")
    with pytest.raises(QueryError) as caught, engine.run("SELECT * FROM Leak", limits=QueryLimits()):
        pass
    assert caught.value.code == "query_forbidden"
    assert str(folder) not in repr(vars(caught.value))


def test_a_setup_that_fails_is_not_blamed_on_the_query(shop: Path) -> None:
    spec = {"sql": "SELECT 1", "trusted": False, "setup": ["CREATE TEMP MACRO m() AS nothing()"], "path": str(shop)}
    query = QueryProcess("shop", LIMITS | spec)
    try:
        with pytest.raises(StateError) as caught:
            query.reader()
    finally:
        query.close()
    assert caught.value.code == "setup_failed"
