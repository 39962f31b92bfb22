from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import phonenumbers
import pytest

from segue.database import DatabaseConfig, QueryLimits, open_engine
from segue.database.churn import ChurnCounts, churn_sample
from segue.database.sample import create_sample
from segue.errors import UsageError
from segue.query import compile_query

ROWS = 10_000
TABLES = ("Customer360", "Merged_Customers", "Unified_Transactions")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "customer360.duckdb"
    create_sample(path, rows=ROWS)
    return path


@pytest.fixture
def con(sample: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(sample), read_only=True) as con:
        yield con


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, ...]:
    row = con.execute(sql).fetchone()
    assert row is not None
    return row


def _content(path: Path) -> list[list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return [con.execute(f"FROM {table}").fetchall() for table in TABLES]


def test_every_customer_is_there_once(con: duckdb.DuckDBPyConnection) -> None:
    for table in ("Customer360", "Merged_Customers"):
        assert _one(con, f"SELECT count(*), count(DISTINCT amperity_id) FROM {table}") == (ROWS, ROWS)


def test_orders_are_three_per_customer_and_some_have_none(con: duckdb.DuckDBPyConnection) -> None:
    orders, repeated, buyers = _one(
        con,
        "SELECT count(*), count(*) - count(DISTINCT order_id), count(DISTINCT amperity_id) FROM Unified_Transactions",
    )
    assert orders / ROWS == pytest.approx(3, rel=0.05)
    assert repeated / orders == pytest.approx(0.002, rel=0.4)
    assert buyers / ROWS == pytest.approx(6 / 7, rel=0.02)


@pytest.mark.parametrize(
    ("flaw", "share"),
    [
        ("email IS NULL", 0.003),
        ("NOT regexp_full_match(trim(email), '[^@ ]+@[a-zA-Z.-]+[a-zA-Z]')", 0.002),
        ("email <> lower(trim(email))", 0.002),
        ("phone LIKE '0%' OR phone LIKE '(%'", 0.0085),
        ("NOT regexp_matches(phone, '[0-9]{6}|[0-9]{3}.?$') OR phone IN ('123', '+0000')", 0.00425),
        ("company IS NULL", 0.7),
        ("address2 IS NULL", 0.8),
        ("city IS NULL", 0.03),
    ],
)
def test_flaws_have_their_share(con: duckdb.DuckDBPyConnection, flaw: str, share: float) -> None:
    (found,) = _one(con, f"SELECT count(*) FILTER ({flaw}) FROM Merged_Customers")
    assert abs(found - ROWS * share) < 4 * (ROWS * share) ** 0.5  # four standard deviations


def test_a_household_shares_an_address_only_in_customer360(con: duckdb.DuckDBPyConnection) -> None:
    repeated = "SELECT count(*) FROM (SELECT email FROM {} WHERE email LIKE '%@%.%' GROUP BY email HAVING count(*) > 1)"
    (households,) = _one(con, repeated.format("Customer360"))
    assert households == pytest.approx(ROWS / 1000, abs=3)
    assert _one(con, repeated.format("Merged_Customers")) == (0,)


def test_numbers_in_e164_are_valid(con: duckdb.DuckDBPyConnection) -> None:
    phones = con.execute("SELECT phone FROM Merged_Customers WHERE regexp_full_match(phone, '[+][0-9]{8,}')").fetchall()
    valid = sum(phonenumbers.is_possible_number(phonenumbers.parse(phone)) for (phone,) in phones)
    assert valid == len(phones) > ROWS * 0.8


def test_names_need_care(con: duckdb.DuckDBPyConnection) -> None:
    given = {name for (name,) in con.execute("SELECT DISTINCT given_name FROM Merged_Customers").fetchall()}
    assert {"Zoë", "Łukasz", "雅美", None} <= given
    assert _one(con, "SELECT bool_or(surname = 'O''Neill'), bool_or(company = '\"Ace\" Co') FROM Merged_Customers") == (
        True,
        True,
    )


def test_customer_360_agrees_with_the_orders(con: duckdb.DuckDBPyConnection) -> None:
    (total,) = _one(
        con, "SELECT sum(order_revenue) FROM (SELECT DISTINCT order_id, order_revenue FROM Unified_Transactions)"
    )
    assert _one(con, "SELECT sum(lifetime_value) FROM Customer360") == (total,)
    assert _one(con, "SELECT count(*) FROM Customer360 WHERE (order_count = 0) <> (lifetime_value IS NULL)") == (0,)


def test_the_file_holds_tables_only(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("SELECT count(*) FROM duckdb_functions() WHERE NOT internal").fetchone() == (0,)
    tables = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert tables == [(table,) for table in TABLES]


def test_one_seed_makes_one_database(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        create_sample(tmp_path / name, rows=500, seed=seed)
    first, same, other = (_content(tmp_path / name) for name in "abc")
    assert first == same
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_a_larger_sample_begins_with_the_smaller(tmp_path: Path) -> None:
    create_sample(tmp_path / "a", rows=1)
    create_sample(tmp_path / "b", rows=50)
    assert _content(tmp_path / "a")[1] == _content(tmp_path / "b")[1][:1]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("mine")
    with pytest.raises(UsageError):
        create_sample(path, rows=1)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_sample_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text("CREATE TABLE t AS SELECT error('disk')")
    monkeypatch.setattr("segue.database.sample._GENERATORS", broken)
    with pytest.raises(duckdb.Error):
        create_sample(tmp_path / "new" / "x.duckdb", rows=10)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_sample_has_at_least_one_row(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        create_sample(tmp_path / "x.duckdb", rows=0)


def _customers(path: Path) -> dict[str, dict[str, object]]:
    with duckdb.connect(str(path), read_only=True) as con:
        cursor = con.execute("FROM Merged_Customers")
        names = [column[0] for column in cursor.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def test_churn_tells_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    create_sample(path, rows=2000)
    before = _customers(path)
    counts = churn_sample(path, share=0.04)
    after = _customers(path)
    assert counts == ChurnCounts(added=20, changed=20, cleared=20, removed=20)  # 2000 * 0.04 / 4
    assert len(after.keys() - before.keys()) == counts.added
    assert len(before.keys() - after.keys()) == counts.removed
    met = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    cleared = [key for key in met if before[key]["city"] is not None and after[key]["city"] is None]
    assert (len(met) - len(cleared), len(cleared)) == (counts.changed, counts.cleared)
    for key in set(met) - set(cleared):
        assert after[key]["address"] != before[key]["address"]
        assert all(after[key][name] is not None for name in before[key] if before[key][name] is not None)


def test_churn_meets_customers_with_a_good_email_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    create_sample(path, rows=2000)
    before = _customers(path)
    churn_sample(path, share=1.0)
    after = _customers(path)
    emails = [row["email"] for row in before.values()]
    for key in before.keys() ^ after.keys():
        email = str((before.get(key) or after[key])["email"])
        assert email == email.lower().strip()
        assert email.count("@") == 1
        assert emails.count(email) == (1 if key in before else 0)


def test_churn_keeps_the_tables_together(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    create_sample(path, rows=1000)
    churn_sample(path, share=0.2)
    with duckdb.connect(str(path), read_only=True) as con:
        # The address may be the household's there.
        shared = "SELECT amperity_id, city, country, phone, loyalty_tier FROM {}"
        one, two = shared.format("Merged_Customers"), shared.format("Customer360")
        assert con.execute(f"({one} EXCEPT {two}) UNION ALL ({two} EXCEPT {one})").fetchall() == []
        orphans = con.execute("FROM Unified_Transactions ANTI JOIN Merged_Customers USING (amperity_id)").fetchall()
        assert orphans == []


def test_churn_is_repeatable_and_goes_on(tmp_path: Path) -> None:
    for name in "ab":
        create_sample(tmp_path / name, rows=400)
        churn_sample(tmp_path / name)
    once = _content(tmp_path / "a")
    assert once == _content(tmp_path / "b")
    before = _customers(tmp_path / "a")
    counts = churn_sample(tmp_path / "a")
    after = _customers(tmp_path / "a")
    assert counts == ChurnCounts(added=1, changed=1, cleared=1, removed=1)
    assert len(after.keys() ^ before.keys()) == 2


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_churn_takes_a_share(tmp_path: Path, share: float) -> None:
    create_sample(tmp_path / "x", rows=10)
    with pytest.raises(UsageError):
        churn_sample(tmp_path / "x", share=share)


def test_churn_needs_a_sample(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        churn_sample(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


FULL_PROFILE = """
SELECT mc.amperity_id AS "external_id", given_name AS "first_name", surname AS "last_name", address AS "address1",
       address2 AS "address2", city, state AS "region", postal AS "zip", country, email AS "email", phone AS "phone_number",
       company AS "organization" {more}
FROM Merged_Customers mc {join}
"""
EVENTS = {
    "more": ',order_datetime AS "last_event_date" ,product AS "product"',
    "join": "LEFT JOIN Unified_Transactions ut ON mc.amperity_id = ut.amperity_id",
}


@pytest.mark.parametrize(
    ("sql", "columns", "count"),
    [
        ("SELECT email AS email FROM Customer360", 1, f"SELECT {ROWS}"),
        (FULL_PROFILE.format(more="", join=""), 12, f"SELECT {ROWS}"),
        (
            FULL_PROFILE.format(**EVENTS),
            14,
            "SELECT count(*) + (SELECT count(*) FROM Customer360 WHERE order_count = 0) FROM Unified_Transactions",
        ),
    ],
)
def test_the_queries_of_the_guide_run(
    sample: Path, con: duckdb.DuckDBPyConnection, sql: str, columns: int, count: str
) -> None:
    """From the author's SQL to the last row, by way of the query step."""
    engine = open_engine(DatabaseConfig(name="customer360", path=sample))
    compiled = compile_query(sql, tables=engine.tables())
    with engine.run(compiled.engine_sql, limits=QueryLimits()) as reader:
        table = reader.read_all()
    assert (table.num_columns, (table.num_rows,)) == (columns, _one(con, count))
