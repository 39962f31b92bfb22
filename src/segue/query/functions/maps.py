"""Map functions. Entries are rows of a key and a value."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_f = category("Map", "map")

MAPS = (
    _f(
        "map([keys, values]) -> map(K, V)",
        ("map(ARRAY[1, 3], ARRAY[2, 4])", {1: 2, 3: 4}, EXAMPLE),
        ("map()", {}, EXAMPLE),
    ),
    _f(
        "map_from_entries(array(row(K,V))) -> map(K, V)",
        ("map_from_entries(ARRAY[(1, 'x'), (2, 'y')])", {1: "x", 2: "y"}, EXAMPLE),
    ),
    _f(
        "multimap_from_entries(array(row(K,V))) -> map(K, array(V))",
        ("multimap_from_entries(ARRAY[(1, 'x'), (2, 'y'), (1, 'z')])", {1: ["x", "z"], 2: ["y"]}, EXAMPLE),
        macros="(x) AS trino_multimap(x)",
    ),
    _f(
        "map_entries(map(K,V)) -> array(row(K, V))",
        ("map_entries(MAP(ARRAY[1, 2], ARRAY['x', 'y']))", [(1, "x"), (2, "y")], EXAMPLE),
        macros="(x) AS trino_entries(x)",
    ),
    _f(
        "map_concat(map1, map2, ...) -> map(K, V)",
        ("map_concat(MAP(ARRAY[1, 2], ARRAY['a', 'b']), MAP(ARRAY[2], ARRAY['c']))", {1: "a", 2: "c"}),
    ),
    _f(
        "map_filter(map(K,V), function(K,V,boolean)) -> map(K, V)",
        (
            "map_filter(MAP(ARRAY[10, 20, 30], ARRAY['a', NULL, 'c']), (k, v) -> v IS NOT NULL)",
            {10: "a", 30: "c"},
            EXAMPLE,
        ),
        ("map_filter(MAP(ARRAY['k1', 'k2', 'k3'], ARRAY[20, 3, 15]), (k, v) -> v > 10)", {"k1": 20, "k3": 15}, EXAMPLE),
        macros="(m, f) AS map_from_entries(list_filter(trino_entries(m), f))",
    ),
    _f("map_keys(map(K,V)) -> array(K)", ("map_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", ["a", "b"])),
    _f("map_values(map(K,V)) -> array(V)", ("map_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", [1, 2])),
    _f(
        "map_zip_with(map(K,V1), map(K,V2), function(K,V1,V2,V3)) -> map(K, V3)",
        (
            """map_zip_with(MAP(ARRAY[1, 2, 3], ARRAY['a', 'b', 'c']), MAP(ARRAY[1, 2, 3], ARRAY['d', 'e', 'f']),
                (k, v1, v2) -> concat(v1, v2))""",
            {1: "ad", 2: "be", 3: "cf"},
            EXAMPLE,
        ),
        (
            """map_zip_with(MAP(ARRAY['k1', 'k2'], ARRAY[1, 2]), MAP(ARRAY['k2', 'k3'], ARRAY[4, 9]),
                (k, v1, v2) -> coalesce(v1, 0) + coalesce(v2, 0))""",
            {"k1": 1, "k2": 6, "k3": 9},
            "a key of one map has NULL for the other",
        ),
        (
            """map_zip_with(MAP(ARRAY['a', 'b', 'c'], ARRAY[1, 8, 27]), MAP(ARRAY['a', 'b', 'c'], ARRAY[1, 2, 3]),
                (k, v1, v2) -> k || CAST(v1 / v2 AS VARCHAR))""",
            {"a": "a1", "b": "b4", "c": "c9"},
            EXAMPLE,
        ),
        macros="""(a, b, f) AS map(trino_array_union(map_keys(a), map_keys(b)), list_transform(list_transform(
            trino_array_union(map_keys(a), map_keys(b)), LAMBDA trino_z: (trino_z, a[trino_z], b[trino_z])), f))""",
    ),
    _f(
        "transform_keys(map(K1,V), function(K1,V,K2)) -> map(K2, V)",
        (
            "transform_keys(MAP(ARRAY[1, 2, 3], ARRAY['a', 'b', 'c']), (k, v) -> k + 1)",
            {2: "a", 3: "b", 4: "c"},
            EXAMPLE,
        ),
        (
            "transform_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> k || CAST(v AS VARCHAR))",
            {"a1": 1, "b2": 2},
            EXAMPLE,
        ),
        macros="(m, f) AS map(list_transform(trino_entries(m), f), map_values(m))",
    ),
    _f(
        "transform_values(map(K,V1), function(K,V1,V2)) -> map(K, V2)",
        ("transform_values(MAP(ARRAY[1, 2, 3], ARRAY[10, 20, 30]), (k, v) -> v + k)", {1: 11, 2: 22, 3: 33}, EXAMPLE),
        (
            "transform_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> k || CAST(v AS VARCHAR))",
            {"a": "a1", "b": "b2"},
            EXAMPLE,
        ),
        macros="(m, f) AS map(map_keys(m), list_transform(trino_entries(m), f))",
    ),
)
