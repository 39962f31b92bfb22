"""Aggregate functions. All of them take FILTER and OVER."""

from __future__ import annotations

import math

from segue.query.functions.build import EXAMPLE, category

_f = category("Aggregate", "aggregate")


def _over(call: str, values: str, columns: str = "x") -> str:
    """Give a SELECT of one aggregate over literal rows."""
    return f"SELECT {call} FROM (VALUES {values}) AS t({columns})"


AGGREGATES = (
    _f("any_value(x) -> same as input", (_over("any_value(x)", "NULL, 7"), 7)),
    _f("arbitrary(x) -> same as input", (_over("arbitrary(x)", "NULL, 7"), 7), engine="any_value"),
    _f(
        "array_agg(x) -> array",
        (_over("array_agg(x ORDER BY x DESC)", "1, 3, 2"), [3, 2, 1]),
        (_over("array_agg(x ORDER BY x)", "1, NULL"), [1, None], "NULL is a value too"),
        engine="list",
    ),
    _f(
        "avg(x) -> double",
        (_over("avg(x)", "1, 2"), 1.5),
        (_over("avg(x)", "1e0, 2e0"), 1.5),
        (_over("avg(x)", "1.5, 2.0"), "1.8", "a decimal keeps its scale: 1.75 rounds half up"),
        special=True,
    ),
    _f("bool_and(boolean) -> boolean", (_over("bool_and(x)", "true, false"), False)),
    _f("bool_or(boolean) -> boolean", (_over("bool_or(x)", "true, false"), True)),
    _f("every(boolean) -> boolean", (_over("every(x)", "true, NULL"), True), engine="bool_and"),
    _f(
        "count([x]) -> bigint",
        (_over("count(*)", "1, NULL"), 2),
        (_over("count(x)", "1, NULL"), 1),
        (_over("count(DISTINCT x)", "1, 1, 2"), 2),
        (_over("count(*) FILTER (WHERE x > 1)", "1, 2"), 1),
    ),
    _f("count_if(x) -> bigint", (_over("count_if(x > 1)", "1, 2, 3"), 2), special=True),
    _f("geometric_mean(x) -> double", (_over("geometric_mean(x)", "1, 4, 16"), 4.0), engine="geomean"),
    _f(
        "listagg(x[, separator]) WITHIN GROUP (ORDER BY y) -> varchar",
        (_over("listagg(x, ',') WITHIN GROUP (ORDER BY x)", "'a', 'c', 'b'"), "a,b,c", EXAMPLE),
        (_over("listagg(x) WITHIN GROUP (ORDER BY x DESC)", "'a', 'b'"), "ba", "no separator is the empty text"),
        special=True,
    ),
    _f("max(x[, n]) -> same as input", (_over("max(x)", "1, 3, NULL"), 3), (_over("max(x, 2)", "1, 3, 2"), [3, 2])),
    _f("min(x[, n]) -> same as input", (_over("min(x)", "1, 3, NULL"), 1), (_over("min(x, 2)", "1, 3, 2"), [1, 2])),
    _f(
        "max_by(x, y) -> same as input",
        (_over("max_by(x, y)", "('a', 1), ('b', 2)", "x, y"), "b"),
        (_over("max_by(x, y)", "('a', 1), (NULL, 2)", "x, y"), None, "the value of x at the maximum, NULL or not"),
        engine="arg_max_null",
    ),
    _f(
        "min_by(x, y) -> same as input",
        (_over("min_by(x, y)", "('a', 1), ('b', 2)", "x, y"), "a"),
        (_over("min_by(x, y)", "(NULL, 1), ('b', 2)", "x, y"), None, "the value of x at the minimum, NULL or not"),
        engine="arg_min_null",
    ),
    _f(
        "sum(x) -> same as input",
        (_over("sum(x)", "1, 2, NULL"), 3),
        (_over("sum(x)", "1.50, 2.25"), "3.75"),
        (_over("sum(x) FILTER (WHERE x > 5)", "1, 2"), None, "NULL, not zero, for no rows"),
        special=True,
    ),
    _f("bitwise_and_agg(x) -> bigint", (_over("bitwise_and_agg(x)", "19, 25"), 17), engine="bit_and"),
    _f("bitwise_or_agg(x) -> bigint", (_over("bitwise_or_agg(x)", "19, 25"), 27), engine="bit_or"),
    _f("bitwise_xor_agg(x) -> bigint", (_over("bitwise_xor_agg(x)", "19, 25"), 10), engine="bit_xor"),
    _f("histogram(x) -> map(K, bigint)", (_over("histogram(x)", "'a', 'b', 'a'"), {"a": 2, "b": 1})),
    _f(
        "map_agg(key, value) -> map(K, V)",
        (_over("map_agg(k, v)", "('a', 1), ('b', 2)", "k, v"), {"a": 1, "b": 2}),
        (_over("map_agg(k, v) FILTER (WHERE v > 1)", "('a', 1), ('b', 2)", "k, v"), {"b": 2}),
        special=True,
    ),
    _f(
        "map_union(map(K,V)) -> map(K, V)",
        (_over("map_union(x)", "(MAP(ARRAY['a'], ARRAY[1])), (MAP(ARRAY['b'], ARRAY[2]))"), {"a": 1, "b": 2}),
        special=True,
    ),
    _f(
        "multimap_agg(key, value) -> map(K, array(V))",
        (_over("multimap_agg(k, v)", "('a', 1), ('b', 2), ('a', 3)", "k, v"), {"a": [1, 3], "b": [2]}),
        special=True,
    ),
    _f(
        "approx_distinct(x) -> bigint",
        (_over("approx_distinct(x)", "1, 1, NULL"), 1),
        (_over("approx_distinct(x)", "CAST(NULL AS bigint)"), 0, "zero if all values are NULL"),
        engine="approx_count_distinct",
    ),
    _f(
        "approx_percentile(x, percentage) -> same as input",
        (_over("approx_percentile(x, 0.5)", "1, 2, 3"), 2),
        (_over("approx_percentile(x, ARRAY[0.0, 1.0])", "1, 2, 3"), [1, 3]),
        engine="quantile_disc",
        note="Exact here. Without weights.",
    ),
    _f("corr(y, x) -> double", (_over("corr(y, x)", "(1, 1), (2, 2), (3, 3)", "y, x"), 1.0)),
    _f("covar_pop(y, x) -> double", (_over("covar_pop(y, x)", "(1, 1), (3, 3)", "y, x"), 1.0)),
    _f("covar_samp(y, x) -> double", (_over("covar_samp(y, x)", "(1, 1), (3, 3)", "y, x"), 2.0)),
    _f(
        "kurtosis(x) -> double",
        (_over("kurtosis(x)", "1, 2, 3, 4"), -1.2, "the page's formula: 10/3 * 10.25 / (5/3)^2 - 13.5"),
    ),
    _f("regr_intercept(y, x) -> double", (_over("regr_intercept(y, x)", "(3, 1), (5, 2)", "y, x"), 1.0)),
    _f("regr_slope(y, x) -> double", (_over("regr_slope(y, x)", "(3, 1), (5, 2)", "y, x"), 2.0)),
    _f("stddev(x) -> double", (_over("stddev(x)", "1, 3"), math.sqrt(2))),
    _f("stddev_pop(x) -> double", (_over("stddev_pop(x)", "1, 3"), 1.0)),
    _f("stddev_samp(x) -> double", (_over("stddev_samp(x)", "1, 3"), math.sqrt(2))),
    _f("variance(x) -> double", (_over("variance(x)", "1, 3"), 2.0)),
    _f("var_pop(x) -> double", (_over("var_pop(x)", "1, 3"), 1.0)),
    _f("var_samp(x) -> double", (_over("var_samp(x)", "1, 3"), 2.0)),
)
