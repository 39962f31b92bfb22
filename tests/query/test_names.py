"""Names: tables and columns are found by scope, without regard to case, and written back unmistakably."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from segue.errors import QueryError
from segue.query import DUCKDB_SETUP, CompiledQuery, compile_query

CUSTOMER = (
    "amperity_id given_name surname address address2 city state postal country email phone company".split()  # noqa: SIM905
)
TABLES = {
    "Customer360": {"email": "VARCHAR", "birthdate": "DATE", "address": "STRUCT(city VARCHAR, zip VARCHAR)"},
    "Merged_Customers": dict.fromkeys(CUSTOMER, "VARCHAR"),
    "Unified_Transactions": {"amperity_id": "VARCHAR", "order_datetime": "TIMESTAMP", "product": "VARCHAR"},
}
FULL_PROFILE = """SELECT
    amperity_id AS "external_id"
    ,given_name AS "first_name"
    ,surname AS "last_name"
    ,address AS "address1"
    ,address2 AS "address2"
    ,city
    ,state AS "region"
    ,postal AS "zip"
    ,country
    ,email AS "email"
    ,phone AS "phone_number"
    ,company AS "organization"
    {more}
FROM Merged_Customers mc
{join}"""
PROFILE_COLUMNS = [
    *("external_id", "first_name", "last_name", "address1", "address2", "city"),
    *("region", "zip", "country", "email", "phone_number", "organization"),
]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    for statement in DUCKDB_SETUP:
        connection.execute(statement)
    for table, columns in TABLES.items():
        connection.execute(
            f'CREATE TABLE "{table}" ({", ".join(f"{name} {type_}" for name, type_ in columns.items())})'
        )
    connection.execute("INSERT INTO Customer360 VALUES ('Ann@x.io', DATE '1990-05-01', {'city': 'Oslo', 'zip': '1'})")
    connection.execute(
        "INSERT INTO Merged_Customers (amperity_id, city, email) VALUES ('1', 'Oslo', 'a@x.io'), ('2', 'Rome', 'b@x.io')"
    )
    connection.execute("INSERT INTO Unified_Transactions VALUES ('1', TIMESTAMP '2020-01-01 00:00:00', 'shoe')")
    yield connection
    connection.close()


def compiled(sql: str) -> CompiledQuery:
    return compile_query(sql, tables=TABLES)


def columns(database: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return database.sql(compiled(sql).engine_sql).columns


def test_the_email_query(database: duckdb.DuckDBPyConnection) -> None:
    query = compiled("SELECT email AS email FROM Customer360")
    assert query.tables == ("Customer360",)
    assert query.functions == ()
    assert query.source_sql == "SELECT email AS email FROM Customer360"
    assert database.sql(query.engine_sql).fetchall() == [("Ann@x.io",)]


def test_the_full_profile_query(database: duckdb.DuckDBPyConnection) -> None:
    assert columns(database, FULL_PROFILE.format(more="", join="")) == PROFILE_COLUMNS


def test_the_full_profile_query_with_transactions(database: duckdb.DuckDBPyConnection) -> None:
    sql = FULL_PROFILE.format(
        more=',order_datetime AS "last_event_date" ,product AS "product"',
        join="LEFT JOIN Unified_Transactions ut ON mc.amperity_id = ut.amperity_id",
    )
    query = compiled(sql)
    assert query.tables == ("Merged_Customers", "Unified_Transactions")
    relation = database.sql(query.engine_sql)
    assert relation.columns == [*PROFILE_COLUMNS, "last_event_date", "product"]
    assert sorted((row[0], row[-1]) for row in relation.fetchall()) == [("1", "shoe"), ("2", None)]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('SELECT email AS "external_id", EMAIL, Email AS E FROM customer360', ["external_id", "EMAIL", "E"]),
        ("SELECT email, email, lower(email) AS email FROM Customer360", ["email", "email", "email"]),
        ("SELECT lower(email), 1, c.address.city FROM Customer360 c", ["_col0", "_col1", "city"]),
        ("SELECT * FROM Customer360", ["email", "birthdate", "address"]),
        ("SELECT c.*, 1 AS one FROM Customer360 c", ["email", "birthdate", "address", "one"]),
        ("WITH a(x, y) AS (SELECT 1, 2) SELECT * FROM a", ["x", "y"]),
        ("SELECT amperity_id FROM Merged_Customers JOIN Unified_Transactions USING (amperity_id)", ["amperity_id"]),
        ("SELECT email FROM Customer360 UNION ALL SELECT city FROM Merged_Customers", ["email"]),
    ],
)
def test_names_of_the_output(database: duckdb.DuckDBPyConnection, sql: str, names: list[str]) -> None:
    assert columns(database, sql) == names


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        # a WITH name hides a table, but not inside its own text
        (
            "WITH Customer360 AS (SELECT lower(email) AS email FROM Customer360) SELECT email FROM customer360",
            [("ann@x.io",)],
        ),
        (
            "WITH a AS (SELECT 1 AS n), b AS (WITH a AS (SELECT n + 1 AS n FROM a) SELECT n FROM a) SELECT a.n, b.n FROM a, b",
            [(1, 2)],
        ),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r",
            [(1,), (2,), (3,)],
        ),
        # the source's column answers in WHERE and GROUP BY, the SELECT list's name in ORDER BY
        ("SELECT lower(email) AS email FROM Customer360 WHERE email = 'Ann@x.io'", [("ann@x.io",)]),
        ("SELECT lower(e) AS e FROM (SELECT email AS e FROM Customer360) WHERE e = 'Ann@x.io'", [("ann@x.io",)]),
        ("SELECT lower(email) AS email, count(*) FROM Customer360 GROUP BY email", [("ann@x.io", 1)]),
        ("SELECT -n AS n FROM (VALUES 1, 2) AS t(n) ORDER BY n", [(-2,), (-1,)]),
        ("SELECT -n AS n FROM (VALUES 1, 2) AS t(n) ORDER BY n + 0", [(-2,), (-1,)]),
        ("SELECT -n AS n FROM (VALUES 1, 2) AS t(n) ORDER BY abs(t.n) DESC", [(-2,), (-1,)]),
        # rows without names are called as Trino calls them
        ("SELECT _col1, t._col0 FROM (VALUES (1, 'a')) AS t", [("a", 1)]),
        ("SELECT _col0 FROM (VALUES 1)", [(1,)]),
        ("WITH v AS (VALUES 1) SELECT _col0 FROM v", [(1,)]),
        # a subquery sees the sources around it, and nearer ones first
        (
            """SELECT (SELECT product FROM Unified_Transactions u WHERE u.amperity_id = m.amperity_id)
            FROM Merged_Customers m ORDER BY city""",
            [("shoe",), (None,)],
        ),
        (
            "SELECT city FROM Merged_Customers WHERE EXISTS (SELECT 1 FROM Customer360 c WHERE c.address.city = city)",
            [("Oslo",)],
        ),
        ("SELECT t.n FROM (VALUES 1) AS s(m) CROSS JOIN LATERAL (SELECT m + 1 AS n) AS t", [(2,)]),
        # words that mean something to the engine are names to Trino
        (
            'SELECT positional.email FROM Customer360 positional JOIN Merged_Customers AS "asof" ON true LIMIT 1',
            [("Ann@x.io",)],
        ),
    ],
)
def test_meaning(database: duckdb.DuckDBPyConnection, sql: str, rows: list[tuple[object, ...]]) -> None:
    assert database.sql(compiled(sql).engine_sql).fetchall() == rows


@pytest.mark.parametrize(
    ("sql", "code", "near"),
    [
        ("SELECT email FROM Custmer360", "missing_table", "Customer360"),
        ("SELECT emial FROM Customer360", "unresolved_column", "email"),
        ("SELECT c.emial FROM Customer360 c", "unresolved_column", "email"),
        ("SELECT email FROM Customer360 GROUP BY emial", "unresolved_column", "email"),
        ("SELECT loewr(email) FROM Customer360", "unsupported_function", "lower"),
        ("SELECT lower(email) AS mail FROM Customer360 WHERE mail = 'x'", "unresolved_column", "email"),
        ("SELECT x.* FROM Customer360 c", "missing_table", ""),
        ("SELECT Customer360.email FROM Customer360 c", "unresolved_column", ""),
        ("SELECT email FROM Customer360, Merged_Customers", "ambiguous_column", "in front"),
        (
            "SELECT amperity_id FROM Merged_Customers a FULL JOIN Unified_Transactions b ON a.amperity_id = b.amperity_id",
            "ambiguous_column",
            "in front",
        ),
        ("SELECT 1 FROM Customer360, Customer360", "ambiguous_table", "alias"),
        ("SELECT 1 FROM Customer360 JOIN Merged_Customers USING (nothing)", "unresolved_column", ""),
        ("WITH a(x, y) AS (SELECT 1) SELECT x FROM a", "syntax", ""),
        ("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1", "syntax", ""),
        ("SELECT *", "missing_table", ""),
    ],
)
def test_refusals_name_what_is_near(sql: str, code: str, near: str) -> None:
    with pytest.raises(QueryError) as refused:
        compiled(sql)
    assert refused.value.code == code
    assert near in " ".join(refused.value.steps)
    assert refused.value.line == 1


def test_a_join_keeps_the_side_that_has_the_value(database: duckdb.DuckDBPyConnection) -> None:
    right = (
        "SELECT amperity_id FROM Unified_Transactions u RIGHT JOIN Merged_Customers m ON u.amperity_id = m.amperity_id"
    )
    assert sorted(database.sql(compiled(right).engine_sql).fetchall()) == [("1",), ("2",)]


def test_functions_and_tables_are_listed_once_and_sorted() -> None:
    query = compiled(
        "SELECT upper(lower(c.email)), CAST(1 AS varchar), UPPER('x') FROM merged_customers c JOIN customer360 d ON true"
    )
    assert query.tables == ("Customer360", "Merged_Customers")
    assert query.functions == ("cast", "lower", "upper")
