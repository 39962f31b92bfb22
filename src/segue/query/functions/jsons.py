"""JSON functions."""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_f = category("JSON", "json")
_PATH = "The path is a literal such as $.orders[0].id, without wildcards."

JSONS = (
    _f(
        "is_json_scalar(json) -> boolean",
        ("is_json_scalar('1')", True, EXAMPLE),
        ("is_json_scalar('[1, 2, 3]')", False, EXAMPLE),
        macros="(x) AS json_type(x) NOT IN ('OBJECT', 'ARRAY')",
    ),
    _f(
        "json_array_contains(json, value) -> boolean",
        ("json_array_contains('[1, 2, 3]', 2)", True, EXAMPLE),
        ("json_array_contains('[1, 2, 3]', 4)", False),
        macros="""(x, v) AS CASE WHEN json_valid(x) AND json_type(x) = 'ARRAY' THEN len(list_filter(json_extract(x, '$[*]'),
            LAMBDA trino_j: CAST(trino_j AS VARCHAR) = CAST(to_json(v) AS VARCHAR))) > 0 END""",
    ),
    _f(
        "json_array_get(json, index) -> json",
        ('json_format(json_array_get(\'["a", [3, 9], "c"]\', 1))', "[3,9]", EXAMPLE),
        ("json_array_get('[1, 2]', 5)", None),
        macros="(x, n) AS trino_json_part(x, CAST(n AS BIGINT))",
    ),
    _f(
        "json_array_length(json) -> bigint",
        ("json_array_length('[1, 2, 3]')", 3, EXAMPLE),
        ("json_array_length('{}')", None, "not an array"),
        macros="(x) AS CASE WHEN json_valid(x) AND json_type(x) = 'ARRAY' THEN CAST(json_array_length(x) AS BIGINT) END",
    ),
    _f(
        "json_extract(json, path) -> json",
        ("json_format(json_extract('{\"a\": {\"b\": [1, 2]}}', '$.a.b'))", "[1,2]"),
        note=_PATH,
        special=True,
    ),
    _f(
        "json_extract_scalar(json, path) -> varchar",
        ("json_extract_scalar('[1, 2, 3]', '$[2]')", "3", EXAMPLE),
        ('json_extract_scalar(\'{"store": {"name": "x"}}\', \'$.store.name\')', "x"),
        ("json_extract_scalar('{\"a b\": true}', '$[\"a b\"]')", "true"),
        ("json_extract_scalar('{\"a\": [1]}', '$.a')", None, "not a scalar"),
        ("json_extract_scalar('no json', '$.a')", None, "there is nothing to extract"),
        note=_PATH,
        special=True,
    ),
    _f(
        "json_format(json) -> varchar",
        ("json_format(JSON '[1, 2, 3]')", "[1,2,3]", EXAMPLE),
        ("json_format(JSON '\"a\"')", '"a"', EXAMPLE),
        macros="(x) AS CAST(json(x) AS VARCHAR)",
    ),
    _f(
        "json_parse(string) -> json",
        ("json_format(json_parse('[1, 2, 3]'))", "[1,2,3]", EXAMPLE),
        engine="json",
    ),
    _f(
        "json_size(json, path) -> bigint",
        ('json_size(\'{"x": {"a": 1, "b": 2}}\', \'$.x\')', 2, EXAMPLE),
        ("json_size('{\"x\": [1, 2, 3]}', '$.x')", 3, EXAMPLE),
        ('json_size(\'{"x": {"a": 1, "b": 2}}\', \'$.x.a\')', 0, EXAMPLE),
        note=_PATH,
        special=True,
    ),
)
