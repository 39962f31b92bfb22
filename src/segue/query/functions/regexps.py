"""Regular expression functions.

The engine's expressions are RE2: no look-around and no back-references. They fail loudly.
"""

from __future__ import annotations

from segue.query.functions.build import EXAMPLE, category

_f = category("Regular expression", "regexp")
_NOTE = "RE2 syntax: no look-around, no back-references."

REGEXPS = (
    _f(
        "regexp_count(string, pattern) -> bigint",
        ("regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')", 3, EXAMPLE),
        macros="(x, p) AS CAST(len(regexp_extract_all(x, p)) AS BIGINT)",
        note=_NOTE,
    ),
    _f(
        "regexp_extract(string, pattern[, group]) -> varchar",
        ("regexp_extract('1a 2b 14m', '\\d+')", "1", EXAMPLE),
        ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a", EXAMPLE),
        ("regexp_extract('abc', '\\d+')", None, "no match gives NULL"),
        macros=(
            "(x, p) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p) END",
            "(x, p, g) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p, g) END",
        ),
        note=_NOTE,
    ),
    _f(
        "regexp_extract_all(string, pattern[, group]) -> array(varchar)",
        ("regexp_extract_all('1a 2b 14m', '\\d+')", ["1", "2", "14"], EXAMPLE),
        ("regexp_extract_all('1a 2b 14m', '(\\d+)([a-z]+)', 2)", ["a", "b", "m"], EXAMPLE),
        note=_NOTE,
    ),
    _f(
        "regexp_like(string, pattern) -> boolean",
        ("regexp_like('1a 2b 14m', '\\d+b')", True, EXAMPLE),
        ("regexp_like('abc', '^b')", False),
        engine="regexp_matches",
        note=_NOTE,
    ),
    _f(
        "regexp_position(string, pattern) -> integer",
        ("regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b')", 8, EXAMPLE),
        ("regexp_position('abc', '\\d')", -1, "not found is -1"),
        macros="""(x, p) AS CASE WHEN regexp_matches(x, p)
            THEN CAST(length(regexp_extract(x, '^(?s:(.*?))(?:' || p || ')', 1)) + 1 AS INTEGER)
            WHEN x IS NOT NULL AND p IS NOT NULL THEN -1 END""",
        note=_NOTE,
    ),
    _f(
        "regexp_replace(string, pattern[, replacement]) -> varchar",
        ("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m", EXAMPLE),
        ("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m", EXAMPLE),
        ("regexp_replace('a1', '\\d', '\\$')", "a$", "a backslash escapes the dollar sign"),
        note=f"{_NOTE} The replacement is a literal with $1 to $9; no lambda and no named group.",
        special=True,
    ),
    _f(
        "regexp_split(string, pattern) -> array(varchar)",
        ("regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')", ["1", "2", "14", ""], EXAMPLE),
        engine="string_split_regex",
        note=_NOTE,
    ),
)
