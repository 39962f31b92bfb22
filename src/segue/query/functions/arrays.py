"""Array functions."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_f = category("Array", "array")

_SLICE = """(x, s, n) AS CASE
    WHEN s = 0 OR n < 0 THEN cast_to_type([CAST(trino_fail('slice: the start is 0 or the length below 0') AS VARCHAR)], x)
    WHEN n = 0 OR abs(s) > len(x) THEN x[1:0]
    WHEN s > 0 THEN x[s:s + n - 1]
    ELSE x[len(x) + s + 1:len(x) + s + n] END"""

_ADD_UP = "LAMBDA trino_e, trino_i: list_position({0}, trino_e) = trino_i"

ARRAYS = (
    _f(
        "all_match(array(T), function(T,boolean)) -> boolean",
        ("all_match(ARRAY[1, 2], x -> x > 0)", True),
        ("all_match(ARRAY[1, -2], x -> x > 0)", False),
        ("all_match(ARRAY[1, NULL], x -> x > 0)", None),
        ("all_match(CAST(ARRAY[] AS array(bigint)), x -> x > 0)", True, "an empty array matches"),
        macros="(a, f) AS trino_all(list_transform(a, f))",
    ),
    _f(
        "any_match(array(T), function(T,boolean)) -> boolean",
        ("any_match(ARRAY[1, -2], x -> x < 0)", True),
        ("any_match(ARRAY[1, NULL], x -> x < 0)", None),
        ("any_match(CAST(ARRAY[] AS array(bigint)), x -> x > 0)", False, "none of an empty array matches"),
        macros="(a, f) AS trino_any(list_transform(a, f))",
    ),
    _f(
        "none_match(array(T), function(T,boolean)) -> boolean",
        ("none_match(ARRAY[1, 2], x -> x < 0)", True),
        ("none_match(ARRAY[1, -2], x -> x < 0)", False),
        ("none_match(ARRAY[1, NULL], x -> x < 0)", None),
        macros="(a, f) AS NOT trino_any(list_transform(a, f))",
    ),
    _f(
        "array_distinct(x) -> array",
        ("array_distinct(ARRAY[3, 1, 3, NULL, NULL])", [3, 1, None]),
        macros=f"(x) AS list_filter(x, {_ADD_UP.format('x')})",
    ),
    _f(
        "array_intersect(x, y) -> array",
        ("array_sort(array_intersect(ARRAY[1, 2, 2, 3], ARRAY[2, 3, 4]))", [2, 3]),
        macros="(x, y) AS trino_array_distinct(list_filter(x, LAMBDA trino_k: list_position(y, trino_k) IS NOT NULL))",
    ),
    _f(
        "array_union(x, y) -> array",
        ("array_sort(array_union(ARRAY[1, 2], ARRAY[2, 3]))", [1, 2, 3]),
        macros="(x, y) AS trino_array_distinct(x || y)",
    ),
    _f(
        "array_except(x, y) -> array",
        ("array_sort(array_except(ARRAY[1, 2, 2, 3], ARRAY[3, 4]))", [1, 2]),
        macros="(x, y) AS trino_array_distinct(list_filter(x, LAMBDA trino_k: list_position(y, trino_k) IS NULL))",
    ),
    _f("array_first(x) -> E", ("array_first(ARRAY[7, 8])", 7), macros="(x) AS x[1]"),
    _f("array_last(x) -> E", ("array_last(ARRAY[7, 8])", 8), macros="(x) AS x[-1]"),
    _f(
        "array_histogram(x) -> map(K, bigint)",
        ("array_histogram(ARRAY[42, 7, 42, NULL])", {42: 2, 7: 1}, EXAMPLE),
        macros="""(x) AS map_from_entries(list_transform(list_filter(trino_array_distinct(x),
            LAMBDA trino_k: trino_k IS NOT NULL), LAMBDA trino_k: (trino_k, CAST(len(list_filter(x,
            LAMBDA trino_v: trino_v = trino_k)) AS BIGINT))))""",
    ),
    _f(
        "array_join(x, delimiter[, null_replacement]) -> varchar",
        ("array_join(ARRAY['a', NULL, 'b'], '-')", "a-b"),
        ("array_join(ARRAY['a', NULL, 'b'], '-', '?')", "a-?-b"),
        ("array_join(ARRAY[1, 2], ',')", "1,2"),
        macros=(
            """(x, d) AS coalesce(array_to_string(list_transform(list_filter(x, LAMBDA trino_e: trino_e IS NOT NULL),
                LAMBDA trino_e: trino_to_varchar(trino_e)), d), CASE WHEN x IS NOT NULL THEN '' END)""",
            """(x, d, n) AS coalesce(array_to_string(list_transform(x,
                LAMBDA trino_e: coalesce(trino_to_varchar(trino_e), n)), d), CASE WHEN x IS NOT NULL THEN '' END)""",
        ),
    ),
    _f(
        "array_max(x) -> E",
        ("array_max(ARRAY[1, 3, 2])", 3),
        ("array_max(ARRAY[1, NULL])", None, "greatest(): NULL if any value is"),
        macros="(x) AS CASE WHEN list_position(x, NULL) IS NULL THEN list_max(x) END",
    ),
    _f(
        "array_min(x) -> E",
        ("array_min(ARRAY[1, 3, 2])", 1),
        ("array_min(ARRAY[1, NULL])", None, "least(): NULL if any value is"),
        macros="(x) AS CASE WHEN list_position(x, NULL) IS NULL THEN list_min(x) END",
    ),
    _f(
        "array_position(x, element) -> bigint",
        ("array_position(ARRAY['a', 'b', 'b'], 'b')", 2),
        ("array_position(ARRAY['a'], 'z')", 0),
        macros="""(x, e) AS CASE WHEN x IS NOT NULL AND e IS NOT NULL
            THEN CAST(coalesce(list_position(x, e), 0) AS BIGINT) END""",
    ),
    _f(
        "array_remove(x, element) -> array",
        ("array_remove(ARRAY[1, 2, NULL, 1], 1)", [2, None]),
        macros="""(x, v) AS CASE WHEN v IS NOT NULL
            THEN list_filter(x, LAMBDA trino_e: trino_e IS DISTINCT FROM v) END""",
    ),
    _f(
        "array_sort(x) -> array",
        ("array_sort(ARRAY[3, NULL, 1])", [1, 3, None]),
        macros="(x) AS list_sort(x, 'ASC', 'NULLS LAST')",
        note="Without a comparator.",
    ),
    _f(
        "arrays_overlap(x, y) -> boolean",
        ("arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", True),
        ("arrays_overlap(ARRAY[1], ARRAY[3])", False),
        ("arrays_overlap(ARRAY[1, NULL], ARRAY[3])", None),
        macros="""(x, y) AS CASE WHEN list_has_any(list_filter(x, LAMBDA trino_e: trino_e IS NOT NULL), y) THEN true
            WHEN list_position(x, NULL) IS NULL AND list_position(y, NULL) IS NULL AND x IS NOT NULL AND y IS NOT NULL
            THEN false END""",
    ),
    _f(
        "cardinality(x) -> bigint",
        ("cardinality(ARRAY['a', 'b'])", 2),
        ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", 1),
        special=True,
    ),
    _f(
        "contains(x, element) -> boolean",
        ("contains(ARRAY[1, 2], 2)", True),
        ("contains(ARRAY[1, 2], 3)", False),
        ("contains(ARRAY[1, NULL], 3)", None, "3 = NULL is not known"),
        macros="""(x, e) AS CASE WHEN e IS NULL THEN NULL WHEN list_contains(x, e) THEN true
            WHEN list_position(x, NULL) IS NULL AND x IS NOT NULL THEN false END""",
    ),
    _f(
        "contains_sequence(x, seq) -> boolean",
        ("contains_sequence(ARRAY[1, 2, 3, 4], ARRAY[2, 3])", True),
        ("contains_sequence(ARRAY[1, 2, 3, 4], ARRAY[2, 4])", False),
        macros="""(x, s) AS len(s) = 0 OR len(list_filter(generate_series(1, len(x) - len(s) + 1),
            LAMBDA trino_i: x[trino_i:trino_i + len(s) - 1] = s)) > 0""",
    ),
    _f(
        "element_at(x, key) -> E",
        ("element_at(ARRAY[1, 2], 2)", 2),
        ("element_at(ARRAY[1, 2], 5)", None, "an index beyond the array gives NULL"),
        ("element_at(ARRAY[1, 2], -1)", 2, "from the last to the first"),
        ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'a')", 1),
        ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", None),
        macros="(x, k) AS x[k]",
    ),
    _f(
        "euclidean_distance(array(double), array(double)) -> double",
        ("euclidean_distance(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])", 2.8284271247461903, EXAMPLE),
        engine="list_distance",
    ),
    _f(
        "dot_product(array(double), array(double)) -> double",
        ("dot_product(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])", 11.0, EXAMPLE),
        engine="list_dot_product",
    ),
    _f(
        "filter(array(T), function(T,boolean)) -> array(T)",
        ("filter(ARRAY[5, -6, NULL, 7], x -> x > 0)", [5, 7], EXAMPLE),
        ("filter(ARRAY[5, NULL, 7, NULL], x -> x IS NOT NULL)", [5, 7], EXAMPLE),
        engine="list_filter",
    ),
    _f("flatten(x) -> array", ("flatten(ARRAY[ARRAY[1, 2], ARRAY[3]])", [1, 2, 3])),
    _f(
        "ngrams(array(T), n) -> array(array(T))",
        (
            "ngrams(ARRAY['foo', 'bar', 'baz', 'foo'], 3)",
            [["foo", "bar", "baz"], ["bar", "baz", "foo"]],
            EXAMPLE,
        ),
        ("ngrams(ARRAY['foo', 'bar'], 5)", [["foo", "bar"]], EXAMPLE),
        macros="""(x, n) AS CASE WHEN n < 1 THEN [x[trino_fail('ngrams: n is below 1'):1]]
            WHEN n >= len(x) THEN [x]
            ELSE list_transform(generate_series(1, len(x) - n + 1), LAMBDA trino_i: x[trino_i:trino_i + n - 1]) END""",
    ),
    _f(
        "reduce(array(T), S, function(S,T,S), function(S,R)) -> R",
        ("reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)", 75, EXAMPLE),
        ("reduce(CAST(ARRAY[] AS array(integer)), 0, (s, x) -> s + x, s -> s)", 0, EXAMPLE),
        ("reduce(ARRAY[5, 20, NULL, 50], 0, (s, x) -> s + x, s -> s)", None, EXAMPLE),
        ("reduce(ARRAY[5, 20, NULL, 50], 0, (s, x) -> s + coalesce(x, 0), s -> s)", 75, EXAMPLE),
        ("reduce(ARRAY[2147483647, 1], BIGINT '0', (s, x) -> s + x, s -> s)", 2147483648, EXAMPLE),
        (
            """reduce(ARRAY[5, 6, 10, 20], CAST(ROW(0.0, 0) AS ROW(sum DOUBLE, count INTEGER)), (s, x) ->
                CAST(ROW(x + s.sum, s.count + 1) AS ROW(sum DOUBLE, count INTEGER)),
                s -> IF(s.count = 0, NULL, s.sum / s.count))""",
            10.25,
            EXAMPLE,
        ),
        macros="(a, i, f, o) AS list_transform([list_reduce(a, f, i)], o)[1]",
    ),
    _f(
        "repeat(element, count) -> array",
        ("repeat('a', 3)", ["a", "a", "a"]),
        macros="(e, n) AS list_transform(range(CAST(n AS BIGINT)), LAMBDA trino_i: e)",
    ),
    _f(
        "sequence(start, stop[, step]) -> array",
        ("sequence(1, 3)", [1, 2, 3]),
        ("sequence(3, 1)", [3, 2, 1], "down when start is greater"),
        ("sequence(1, 7, 3)", [1, 4, 7]),
        ("sequence(DATE '2020-01-01', DATE '2020-01-03')", ["2020-01-01", "2020-01-02", "2020-01-03"]),
        (
            "sequence(DATE '2020-01-31', DATE '2020-03-31', INTERVAL '1' MONTH)",
            ["2020-01-31", "2020-02-29", "2020-03-31"],
            "every element is start plus so many steps",
        ),
        special=True,
    ),
    _f(
        "slice(x, start, length) -> array",
        ("slice(ARRAY[1, 2, 3, 4], 2, 2)", [2, 3]),
        ("slice(ARRAY[1, 2, 3, 4], -2, 2)", [3, 4]),
        ("slice(ARRAY[1, 2], 5, 1)", []),
        macros=_SLICE,
    ),
    _f(
        "trim_array(x, n) -> array",
        ("trim_array(ARRAY[1, 2, 3, 4], 1)", [1, 2, 3], EXAMPLE),
        ("trim_array(ARRAY[1, 2, 3, 4], 2)", [1, 2], EXAMPLE),
        macros="""(x, n) AS CASE WHEN n BETWEEN 0 AND len(x) THEN x[1:len(x) - n]
            ELSE x[1:trino_fail('trim_array: n is not within the array')] END""",
    ),
    _f(
        "transform(array(T), function(T,U)) -> array(U)",
        ("transform(ARRAY[5, 6], x -> x + 1)", [6, 7], EXAMPLE),
        ("transform(ARRAY[5, NULL, 6], x -> coalesce(x, 0) + 1)", [6, 1, 7], EXAMPLE),
        ("transform(ARRAY['x', 'abc', 'z'], x -> x || '0')", ["x0", "abc0", "z0"], EXAMPLE),
        (
            "transform(ARRAY[ARRAY[1, NULL, 2], ARRAY[3, NULL]], a -> filter(a, x -> x IS NOT NULL))",
            [[1, 2], [3]],
            EXAMPLE,
        ),
        engine="list_transform",
    ),
    _f(
        "zip(array1, array2, ...) -> array(row)",
        ("zip(ARRAY[1, 2], ARRAY['1b', NULL, '3b'])", [(1, "1b"), (2, None), (None, "3b")], EXAMPLE),
        engine="list_zip",
    ),
    _f(
        "zip_with(array(T), array(U), function(T,U,R)) -> array(R)",
        ("zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x + y)", [4, 6], EXAMPLE),
        ("zip_with(ARRAY['a', 'b', 'c'], ARRAY['d', 'e', 'f'], (x, y) -> concat(x, y))", ["ad", "be", "cf"], EXAMPLE),
        ("zip_with(ARRAY['a'], ARRAY['d', NULL, 'f'], (x, y) -> coalesce(x, y))", ["a", None, "f"], EXAMPLE),
        ("zip_with(ARRAY[1, 3, 5], ARRAY['a', 'b', 'c'], (x, y) -> (y, x))", [("a", 1), ("b", 3), ("c", 5)], EXAMPLE),
        macros="(a, b, f) AS list_transform(list_zip(a, b), f)",
    ),
)
