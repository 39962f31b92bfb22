from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue.database
from segue.database import DatabaseConfig, Engine, QueryLimits, open_engine
from segue.database.duckdb_engine import setup_for
from segue.errors import BusyError, ConfigError, QueryError
from segue.query import DUCKDB_SETUP

Rows = Callable[..., list[tuple[object, ...]]]


def test_exports() -> None:
    assert segue.database.__all__ == ["DatabaseConfig", "Engine", "QueryLimits", "open_engine"]


def test_rows_arrive_with_their_types(engine: Engine) -> None:
    with engine.run("SELECT email, value, seen FROM Odd ORDER BY email", limits=QueryLimits()) as reader:
        assert reader.schema == pa.schema(
            [("email", pa.string()), ("value", pa.decimal128(10, 2)), ("seen", pa.timestamp("us"))]
        )
        assert reader.read_all().to_pylist() == [
            {"email": "ann@inbox.test", "value": Decimal("1.50"), "seen": dt.datetime(2026, 1, 2, 3, 4, 5)},  # noqa: DTZ001
            {"email": "x", "value": None, "seen": None},
        ]


def test_a_large_result_streams_in_bounded_batches(engine: Engine) -> None:
    with engine.run("SELECT i FROM range(100000) AS t(i)", limits=QueryLimits()) as reader:
        batches = list(reader)
    assert max(batch.num_rows for batch in batches) <= 10_000
    assert sum(sum(batch.column(0).to_pylist()) for batch in batches) == 100_000 * 99_999 // 2


def test_two_columns_of_one_name_survive(rows: Rows, engine: Engine) -> None:
    with engine.run("SELECT id, name AS id FROM People LIMIT 1", limits=QueryLimits()) as reader:
        assert reader.schema.names == ["id", "id"]


def test_an_empty_result_has_a_schema(engine: Engine) -> None:
    with engine.run("SELECT id FROM People WHERE false", limits=QueryLimits()) as reader:
        assert reader.schema.names == ["id"]
        assert reader.read_all().num_rows == 0


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (7, 7), (1000, 1000), (5000, 1000)])
def test_a_row_limit_ends_the_stream(rows: Rows, limit: int, count: int) -> None:
    assert len(rows("SELECT id FROM People", rows=limit)) == count


def test_a_row_limit_cuts_across_batches(rows: Rows) -> None:
    assert len(rows("SELECT i FROM range(50000) AS t(i)", rows=25_001)) == 25_001


def test_the_digest_beside_the_rows_is_that_without_them(engine: Engine) -> None:
    sql, told = "SELECT id, name AS id, id * 0.5 AS half FROM People", list[str]()
    with engine.run(sql, limits=QueryLimits(), digest=told.append) as reader:
        assert reader.schema.names == ["id", "id", "half"]
        assert reader.read_all().num_rows == 1000
    assert told == [engine.digest(sql, limits=QueryLimits())]


def test_a_stream_that_is_left_early_has_no_digest(engine: Engine) -> None:
    told = list[str]()
    with engine.run("SELECT i FROM range(100000) AS t(i)", limits=QueryLimits(), digest=told.append) as reader:
        next(reader)
    assert told == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("(1, 'a'), (2, 'b')", "(2, 'b'), (1, 'a')", True),  # another order
        ("(1, 'a'), (2, 'b')", "(1, 'b'), (2, 'a')", False),  # values exchanged between rows
        ("(1, 'a'), (1, 'a')", "(2, 'b'), (2, 'b')", False),  # pairs: an XOR of hashes would be 0 for both
        ("(1, 'a'), (2, 'b')", "(1, 'a'), (2, 'b'), (2, 'b')", False),
        ("(1, 'a'), (2, NULL)", "(1, 'a'), (2, '')", False),
        ("(1, 'a ')", "(1, 'a')", False),
        ("(1, 'a'), (NULL, 'b')", "(NULL, 'a'), (1, 'b')", False),
    ],
)
def test_the_digest_is_over_rows_in_any_order(engine: Engine, one: str, other: str, same: bool) -> None:
    first, second = (
        engine.digest(f"SELECT * FROM (VALUES {rows}) AS t(n, s)", limits=QueryLimits()) for rows in (one, other)
    )
    assert (first == second) is same


def test_a_failing_query_has_no_digest(engine: Engine, nothing_left: None) -> None:
    with pytest.raises(QueryError):
        engine.digest("SELECT CAST(name AS INTEGER) FROM People", limits=QueryLimits())


def test_the_stamp_changes_when_the_file_is_written_to(engine: Engine, shop: Path) -> None:
    before = engine.stamp()
    assert engine.stamp() == before
    with duckdb.connect(str(shop)) as con:
        con.execute("INSERT INTO People SELECT id + 5000, name FROM People")
    assert engine.stamp() != before


def test_the_setup_of_the_query_step_holds(rows: Rows) -> None:
    # Trino: "7 / 2" of two integers is 3
    assert rows("SELECT 7 / 2") == [(3,)]


def test_the_setup_of_a_query_holds_the_macros_it_names() -> None:
    macros = {
        statement.split()[3]: statement for statement in DUCKDB_SETUP if statement.startswith("CREATE TEMP MACRO")
    }
    settings = [statement for statement in DUCKDB_SETUP if statement not in macros.values()]
    assert setup_for("SELECT 1") == settings
    for name, statement in macros.items():
        setup = setup_for(f"SELECT {name.upper()}(1)")
        assert statement in setup
        with duckdb.connect() as con:
            for needed in setup:
                con.execute(needed)  # fails where a macro is not there or comes too late


def test_leaving_early_ends_the_query(engine: Engine, nothing_left: None) -> None:
    with engine.run("SELECT i FROM range(100000000000) AS t(i)", limits=QueryLimits()) as reader:
        assert reader.read_next_batch().num_rows > 0


def test_an_error_of_the_caller_passes_and_ends_the_query(engine: Engine, nothing_left: None) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        engine.run("SELECT i FROM range(100000000000) AS t(i)", limits=QueryLimits()),
    ):
        raise ZeroDivisionError


def test_a_finished_query_leaves_nothing(rows: Rows, nothing_left: None) -> None:
    assert len(rows("SELECT id FROM People")) == 1000


def test_a_sort_larger_than_memory_spills_and_cleans_up(engine: Engine, nothing_left: None) -> None:
    sql = "SELECT hash(i) AS h, repeat('ab', 40) || i AS s FROM range(3000000) AS t(i) ORDER BY h"
    with engine.run(sql, limits=QueryLimits(memory_bytes=512 * 1024 * 1024)) as reader:
        assert sum(batch.num_rows for batch in reader) == 3_000_000


def test_a_late_error_reaches_the_reader(engine: Engine, nothing_left: None) -> None:
    sql = "SELECT CAST(CASE WHEN i < 40000 THEN '1' ELSE 'x' END AS INTEGER) FROM range(50000) AS t(i)"
    with pytest.raises(QueryError) as caught, engine.run(sql, limits=QueryLimits()) as reader:
        reader.read_all()
    assert caught.value.code == "invalid_cast"


def test_a_late_error_wins_over_the_error_of_a_library(engine: Engine) -> None:
    sql = "SELECT CAST(CASE WHEN i < 40000 THEN '1' ELSE 'x' END AS INTEGER) AS n FROM range(50000) AS t(i)"
    with (
        duckdb.connect() as con,
        pytest.raises(QueryError) as caught,
        engine.run(sql, limits=QueryLimits()) as reader,
    ):
        con.from_arrow(reader).aggregate("sum(n)").fetchall()
    assert caught.value.code == "invalid_cast"


def test_queries_run_side_by_side(engine: Engine) -> None:
    with (
        engine.run("SELECT id FROM People", limits=QueryLimits()) as one,
        engine.run("SELECT id FROM Adults", limits=QueryLimits()) as two,
    ):
        assert (one.read_all().num_rows, two.read_all().num_rows) == (1000, 10)


def test_tables_are_those_of_schema_main(engine: Engine) -> None:
    assert {table: dict(columns) for table, columns in engine.tables().items()} == {
        "Adults": {"id": "BIGINT"},
        "Odd": {"email": "VARCHAR", "value": "DECIMAL(10,2)", "seen": "TIMESTAMP"},
        "People": {"id": "BIGINT", "name": "VARCHAR"},
    }


def test_tables_keep_the_order_of_columns(engine: Engine) -> None:
    assert list(engine.tables()["Odd"]) == ["email", "value", "seen"]


def test_tables_are_read_again_only_after_a_change(engine: Engine, shop: Path) -> None:
    before = engine.tables()
    assert engine.tables() is before
    with duckdb.connect(str(shop)) as con:
        con.execute("ALTER TABLE People ADD COLUMN city VARCHAR")
    os.utime(shop, ns=(1, 1))  # clocks of file systems are coarse
    assert list(engine.tables()["People"]) == ["id", "name", "city"]


def test_parquet_files_are_a_table(tmp_path: Path) -> None:
    for number in (1, 2):
        pq.write_table(pa.table({"n": [number], "t": ["it's"]}), tmp_path / f"it's {number}.parquet")
    engine = open_engine(DatabaseConfig(name="lake", tables={'Odd "name"': f"{tmp_path}/*.parquet"}))
    assert engine.tables() == {'Odd "name"': {"n": "BIGINT", "t": "VARCHAR"}}
    with engine.run('SELECT sum(n) AS n FROM "Odd ""name"""', limits=QueryLimits()) as reader:
        assert reader.read_all().to_pylist() == [{"n": Decimal(3)}]


def test_a_file_that_appears_later_counts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "1.parquet")
    engine = open_engine(DatabaseConfig(name="lake", tables={"t": f"{tmp_path}/**/*.parquet"}))
    assert engine.tables() == {"t": {"n": "BIGINT"}}
    (tmp_path / "deep").mkdir()
    pq.write_table(pa.table({"n": [2], "more": ["x"]}), tmp_path / "deep/2.parquet")
    assert engine.tables() == {"t": {"n": "BIGINT", "more": "VARCHAR"}}


def test_codes_in_csv_stay_text(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "postal,phone,plain,amount,day,negative,late\n"
        "02139,+15550100,10,1.5,2026-01-02,-5,1\n"
        "10001,15550101,0,0.5,2026-01-03,0,2\n" + "10001,15550101,7,2,2026-01-03,0,3\n" * 30_000
        + "10001,15550101,7,2,2026-01-03,0,last\n"
    )  # fmt: skip
    engine = open_engine(DatabaseConfig(name="lake", tables={"c": str(tmp_path / "c.csv")}))
    assert engine.tables()["c"] == {
        "postal": "VARCHAR",
        "phone": "VARCHAR",
        "plain": "BIGINT",
        "amount": "DOUBLE",
        "day": "DATE",
        "negative": "BIGINT",
        "late": "VARCHAR",
    }
    with engine.run("SELECT postal, phone, plain FROM c LIMIT 1", limits=QueryLimits()) as reader:
        assert reader.read_all().to_pylist() == [{"postal": "02139", "phone": "+15550100", "plain": 10}]


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    engine = open_engine(DatabaseConfig(name="shop", path=tmp_path / "gone.duckdb"))
    with pytest.raises(ConfigError, match=r"gone\.duckdb") as caught:
        engine.tables()
    assert caught.value.code == "database_missing"
    assert str(tmp_path) not in caught.value.message


def test_a_pattern_without_files_is_an_error(tmp_path: Path) -> None:
    engine = open_engine(DatabaseConfig(name="lake", tables={"t": f"{tmp_path}/*.parquet"}))
    with pytest.raises(ConfigError, match="table t of database lake has no files"):
        engine.tables()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "database_invalid"), (b"hello" * 4000, "database_invalid")],
)
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        open_engine(DatabaseConfig(name="x", path=path)).tables()
    assert caught.value.code == code
    assert str(tmp_path) not in caught.value.message


def test_a_cut_off_file_is_an_error(shop: Path, engine: Engine) -> None:
    os.truncate(shop, 13_000)
    with pytest.raises(ConfigError) as caught:
        engine.tables()
    assert caught.value.code == "database_unreadable"


def test_a_file_of_a_newer_version_is_an_error(shop: Path, engine: Engine) -> None:
    content = bytearray(shop.read_bytes())
    content[12:20] = (1000).to_bytes(8, "little")  # the storage version follows the checksum and "DUCK"
    shop.write_bytes(content)
    with pytest.raises(duckdb.Error, match="computed checksum") as wrong:
        duckdb.connect(str(shop), read_only=True)
    content[:8] = int(str(wrong.value).split("computed checksum ")[1].split()[0]).to_bytes(8, "little")
    shop.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        engine.tables()
    assert caught.value.code == "database_version"


def test_a_damaged_parquet_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    engine = open_engine(DatabaseConfig(name="lake", tables={"t": str(tmp_path / "t.parquet")}))
    with pytest.raises(ConfigError) as caught:
        engine.tables()
    assert caught.value.code == "database_unreadable"


def test_a_file_held_by_a_writer_is_busy(shop: Path, engine: Engine) -> None:
    with duckdb.connect(str(shop)), pytest.raises(BusyError) as caught:
        engine.tables()
    assert caught.value.code == "database_locked"
    assert str(shop) not in caught.value.message
    assert len(engine.tables()) == 3


@pytest.mark.parametrize(
    "config",
    [
        DatabaseConfig(name="d"),
        DatabaseConfig(name="d", engine="oracle", path=Path("x")),
        DatabaseConfig(name="d", path=Path("x"), tables={"t": "t.csv"}),
        DatabaseConfig(name="d", tables={"t": "t.xlsx"}),
        DatabaseConfig(name="d", tables={"": "t.csv"}),
    ],
)
def test_settings_that_name_no_database_are_refused(config: DatabaseConfig) -> None:
    with pytest.raises(ConfigError):
        open_engine(config)


@pytest.mark.parametrize("limits", [{"memory_bytes": 1}, {"seconds": 0}, {"rows": -1}, {"threads": 0}])
def test_limits_that_no_query_can_keep_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        QueryLimits(**limits)
