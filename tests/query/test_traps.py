"""Expressions that both dialects read and that the engine alone would answer differently, silently.

Every expected value follows from Trino's documentation of the operator or function, or from arithmetic.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from segue.errors import QueryError
from segue.query import compile_query

Run = Callable[..., list[tuple[Any, ...]]]

at = dt.datetime.fromisoformat

TRAPS: tuple[tuple[str, object], ...] = (
    # division: integers truncate, decimals keep the larger scale and round half up, doubles stay exact
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("7 / 2.0", decimal.Decimal("3.5")),
    ("1.0 / 3", decimal.Decimal("0.3")),
    ("2.00 / 3", decimal.Decimal("0.67")),
    ("1 / 8.00", decimal.Decimal("0.13")),
    ("7e0 / 2", 3.5),
    ("100 / 10 / 4", 2),
    # dates stay dates
    ("DATE '2012-08-08' + INTERVAL '2' DAY", dt.date(2012, 8, 10)),
    ("DATE '2012-08-08' - INTERVAL '2' DAY", dt.date(2012, 8, 6)),
    ("INTERVAL '1' MONTH + DATE '2012-01-31'", dt.date(2012, 2, 29)),
    ("DATE '2012-08-08' + 2 * INTERVAL '1' DAY", dt.date(2012, 8, 10)),
    ("CAST(DATE '2012-08-08' + INTERVAL '2' DAY AS varchar)", "2012-08-10"),
    ("DATE '2012-08-08' - DATE '2012-08-01' > INTERVAL '6' DAY", True),
    ("TIMESTAMP '2012-10-31 01:00' + INTERVAL '1' MONTH", at("2012-11-30 01:00:00")),
    ("TIMESTAMP '2012-10-31 01:00' - INTERVAL '1' MONTH", at("2012-09-30 01:00:00")),
    ("TIMESTAMP '2012-08-08 01:00' + INTERVAL '29' HOUR", at("2012-08-09 06:00:00")),
    ("TIMESTAMP '2012-08-08 01:00:00' + INTERVAL '0.5' SECOND", at("2012-08-08 01:00:00.500000")),
    # text of values
    ("CAST(TIMESTAMP '2020-01-01 10:00:00' AS varchar)", "2020-01-01 10:00:00"),
    ("CAST(TIMESTAMP '2020-01-01 10:00:00.000000' AS varchar)", "2020-01-01 10:00:00.000000"),
    ("CAST(CAST('2020-01-01 10:00:00.1234' AS timestamp) AS varchar)", "2020-01-01 10:00:00.123"),
    ("CAST(0.001e0 AS varchar)", "1.0E-3"),
    ("CAST(-123456.789e0 AS varchar)", "-1.23456789E5"),
    ("CAST(1e100 AS varchar)", "1.0E100"),
    ("CAST(0e0 AS varchar)", "0.0E0"),
    ("CAST(infinity() AS varchar)", "Infinity"),
    # the clock of a zone
    ("hour(TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles')", 18),
    ("date(TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles')", dt.date(2012, 10, 30)),
    ("hour(TIMESTAMP '2012-10-31 01:00' AT TIME ZONE 'America/Los_Angeles')", 18),
    (
        "CAST(TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles' AS timestamp(3))",
        at("2012-10-30 18:00:00"),
    ),
    # subscripts, arrays, NULL
    ("ARRAY[1, 2] || 3", [1, 2, 3]),
    ("0 || ARRAY[1, 2]", [0, 1, 2]),
    ("ARRAY[1, 2][2]", 2),
    ("MAP(ARRAY['a'], ARRAY[1])['a']", 1),
    ("'a' || NULL", None),
    ("MAP(ARRAY[1, 2], ARRAY['x', 'y'])[2]", "y"),
    # lambdas of two parameters do not see positions, and inner names hide outer ones
    ("zip_with(ARRAY[1], ARRAY[2], (x, y) -> reduce(ARRAY[10], 0, (x, z) -> x + z, x -> x) + y)", [12]),
    ("transform(ARRAY[1], x -> map_filter(MAP(ARRAY[1, 2], ARRAY[5, 6]), (k, v) -> k > x))", [{2: 6}]),
    (
        "transform_values(MAP(ARRAY[1], ARRAY[MAP(ARRAY[2], ARRAY[3])]), (k, m) -> map_filter(m, (k2, v2) -> v2 > k))",
        {1: {2: 3}},
    ),
    ("array_remove(transform(ARRAY[1, 2], trino_e -> trino_e + 1), 2)", [3]),
    # one spelling of LIKE, comparison, NULL order
    ("'South_America' LIKE 'South\\_America' ESCAPE '\\'", True),
    ("2 BETWEEN NULL AND 6", None),
    ("NULL IS DISTINCT FROM NULL", False),
    ("'hello' = ANY (VALUES 'hello', 'world')", True),
    ("21 < ALL (SELECT x FROM (VALUES 19, 20, 21) AS t(x))", False),
)


@pytest.mark.parametrize(("sql", "expected"), TRAPS)
def test_trap(sql: str, expected: object, run: Run) -> None:
    ((value,),) = run(f"SELECT {sql}")
    assert value == expected
    assert type(value) is type(expected)


def test_null_is_last_in_either_direction(run: Run) -> None:
    values = "FROM (VALUES 1, NULL, 2) AS t(x)"
    assert run(f"SELECT array_agg(x ORDER BY x DESC), array_agg(x ORDER BY x) {values}") == [
        ([2, 1, None], [1, 2, None])
    ]
    assert run(f"SELECT x {values} ORDER BY x DESC") == [(2,), (1,), (None,)]
    assert run(f"SELECT row_number() OVER (ORDER BY x DESC) {values} ORDER BY x NULLS FIRST") == [(3,), (2,), (1,)]


def test_columns_take_part_in_the_rewrites(run: Run) -> None:
    rows = run(
        "WITH t AS (SELECT 7 AS n, 10.05 AS price, DATE '2020-01-31' AS d, ARRAY[1] AS a, MAP(ARRAY['k'], ARRAY[2]) AS m)"
        " SELECT n / 2, price / 3, d + INTERVAL '1' MONTH, a || 2, cardinality(m), cardinality(a) FROM t"
    )
    assert rows == [(3, decimal.Decimal("3.35"), dt.date(2020, 2, 29), [1, 2], 1, 1)]


@pytest.mark.parametrize(
    "sql",
    [
        "7 / 0",
        "7 % 0",
        "ARRAY[1][2]",
        "MAP(ARRAY['a'], ARRAY[1])['b']",
        "hamming_distance('a', 'ab')",
        "format('%d', 2.5e0)",
        "CAST('2.5' AS bigint)",
        "CAST('2020-01-02 10:00:00' AS date)",
        "CAST('2020-01-02T10:00:00' AS timestamp)",
        "CAST('yes' AS boolean)",
        "CAST('1_000' AS double)",
        "CAST(ARRAY[1] AS varchar)",
        "hour(from_iso8601_timestamp('2020-05-11T11:15:05+01:00'))",
    ],
)
def test_fails_as_trino_does_and_try_makes_null_of_it(sql: str, run: Run) -> None:
    with pytest.raises(duckdb.Error):
        run(f"SELECT {sql}")
    assert run(f"SELECT try({sql})") == [(None,)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles'", "unsupported_syntax"),
        ("date_add('day', 1, now() AT TIME ZONE 'Asia/Tokyo')", "unsupported_syntax"),
        ("hour(parse_datetime('2020-01-01 +0100', 'yyyy-MM-dd Z'))", "unsupported_syntax"),
        ("DATE '2020-01-01' + INTERVAL '1' HOUR", "unsupported_syntax"),
        ("date_diff('hour', DATE '2020-01-01', DATE '2020-01-02')", "function_arguments"),
        ("date_add('fortnight', 1, now())", "function_arguments"),
        ("date_add(lower('DAY'), 1, now())", "unsupported_syntax"),
        ("date_format(now(), '%U')", "unsupported_syntax"),
        ("format_datetime(now(), 'zzz')", "unsupported_syntax"),
        ("format('%tA', now())", "unsupported_syntax"),
        ("format('%x', 255)", "unsupported_syntax"),
        ("format('%+d', 1)", "unsupported_syntax"),
        ("format('%.2d', 1)", "unsupported_syntax"),
        ("format('%s %s', 1)", "function_arguments"),
        ("regexp_replace('a', '(?<n>a)', '${n}')", "unsupported_syntax"),
        ("json_extract('{}', '$..a')", "unsupported_syntax"),
        ("json_extract('{}', '$.a[*]')", "unsupported_syntax"),
        ("normalize('a', NFKD)", "unsupported_syntax"),
        ("CAST('a' AS char(3))", "unsupported_syntax"),
        ("CAST(now() AS timestamp(9))", "unsupported_syntax"),
        ("CAST(1 AS ipaddress)", "unsupported_syntax"),
        ("x FROM UNNEST(ARRAY[1])", "unsupported_syntax"),
        ("* FROM UNNEST(ARRAY[1]) AS t", "unsupported_syntax"),
        ("* FROM UNNEST(MAP(ARRAY[1], ARRAY[2])) AS t(k)", "unsupported_syntax"),
        ("* FROM UNNEST(ARRAY[1], ARRAY[2]) AS t(a, b, c)", "unsupported_syntax"),
        ("lower('a', 'b')", "function_arguments"),
        ("filter(ARRAY[1], (x, y) -> x > y)", "function_arguments"),
        ("lower(x -> x)", "function_arguments"),
        ("transform(ARRAY[1], 1)", "function_arguments"),
    ],
)
def test_refused_rather_than_answered_wrongly(sql: str, code: str) -> None:
    with pytest.raises(QueryError) as refused:
        compile_query(f"SELECT {sql}", tables={})
    assert refused.value.code == code
    assert refused.value.line == 1


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT x FROM UNNEST(ARRAY[1, 2]) AS t(x)", [(1,), (2,)]),
        ("SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x']) AS t(a, b)", [(1, "x"), (2, None)]),
        ("SELECT x, n FROM UNNEST(ARRAY['p', 'q']) WITH ORDINALITY AS t(x, n)", [("p", 1), ("q", 2)]),
        ("SELECT k, v FROM UNNEST(MAP(ARRAY['a'], ARRAY[1])) AS t(k, v)", [("a", 1)]),
        (
            "SELECT k, v FROM (SELECT map_agg(x, 1) AS m FROM (VALUES 'a') AS u(x)) CROSS JOIN UNNEST(m) AS t(k, v)",
            [("a", 1)],
        ),
        ("SELECT a, b FROM UNNEST(ARRAY[ROW(1, 'x'), ROW(2, 'y')]) AS t(a, b)", [(1, "x"), (2, "y")]),
        ("SELECT x FROM UNNEST(sequence(1, 3)) AS t(x) WHERE x > 2", [(3,)]),
        (
            "SELECT u.id, t.x FROM (VALUES (1, ARRAY['a']), (2, ARRAY[])) AS u(id, xs) LEFT JOIN UNNEST(xs) AS t(x) ON true",
            [(1, "a"), (2, None)],
        ),
    ],
)
def test_unnest(sql: str, rows: list[tuple[Any, ...]], run: Run) -> None:
    assert run(sql) == rows


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("sum(x) OVER (ORDER BY x)", [1, 3]),
        ("avg(x) OVER (PARTITION BY date_trunc('day', TIMESTAMP '2020-01-01 00:00:00'))", [1.5, 1.5]),
        ("count_if(x > 1) OVER ()", [1, 1]),
        ("map_agg(x, x) OVER (ORDER BY x)", [{1: 1}, {1: 1, 2: 2}]),
        ("sum(x) FILTER (WHERE x > 1) OVER ()", [2, 2]),
    ],
)
def test_aggregates_over_windows(call: str, expected: list[object], run: Run) -> None:
    assert run(f"SELECT {call} FROM (VALUES 1, 2) AS t(x) ORDER BY x") == [(value,) for value in expected]


def test_sums_of_integers_are_bigints_and_of_doubles_doubles(engine: duckdb.DuckDBPyConnection) -> None:
    compiled = compile_query(
        "SELECT sum(i), sum(d), sum(DISTINCT i), count_if(true) FROM (VALUES (1, 1e0)) t(i, d)", tables={}
    )
    assert [str(type_) for type_ in engine.sql(compiled.engine_sql).types] == ["BIGINT", "DOUBLE", "BIGINT", "BIGINT"]
