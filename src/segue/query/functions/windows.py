"""Window functions."""

from __future__ import annotations

from segue.query.functions.build import category

_f = category("Window", "window")


def _column(call: str, values: str) -> str:
    """Give a SELECT of what a window function answers for each row, in the order of the rows."""
    inner = f"SELECT v, {call} OVER (ORDER BY v) AS r FROM (VALUES {values}) AS t(v)"
    return f"SELECT array_agg(r ORDER BY v) FROM ({inner})"


def _value(call: str) -> str:
    """Give a SELECT of a value function over the rows a, NULL, c."""
    inner = f"SELECT n, {call} OVER (ORDER BY n) AS r FROM (VALUES (1, 'a'), (2, NULL), (3, 'c')) AS t(n, v)"
    return f"SELECT array_agg(r ORDER BY n) FROM ({inner})"


WINDOWS = (
    _f("cume_dist() -> double", (_column("cume_dist()", "1, 2, 2, 3"), [0.25, 0.75, 0.75, 1.0])),
    _f("dense_rank() -> bigint", (_column("dense_rank()", "1, 2, 2, 3"), [1, 2, 2, 3])),
    _f("ntile(n) -> bigint", (_column("ntile(4)", "1, 2, 3, 4, 5, 6"), [1, 1, 2, 2, 3, 4])),
    _f("percent_rank() -> double", (_column("percent_rank()", "1, 2, 3"), [0.0, 0.5, 1.0])),
    _f("rank() -> bigint", (_column("rank()", "1, 2, 2, 3"), [1, 2, 2, 4])),
    _f("row_number() -> bigint", (_column("row_number()", "10, 20, 30"), [1, 2, 3])),
    _f("first_value(x) -> same as input", (_value("first_value(v)"), ["a", "a", "a"])),
    _f(
        "last_value(x) -> same as input",
        (_value("last_value(v)"), ["a", None, "c"], "the window ends at the current row"),
        (_value("last_value(v) IGNORE NULLS"), ["a", "a", "c"]),
    ),
    _f("nth_value(x, offset) -> same as input", (_value("nth_value(v, 3)"), [None, None, "c"])),
    _f(
        "lead(x[, offset[, default_value]]) -> same as input",
        (_value("lead(v)"), [None, "c", None]),
        (_value("lead(v, 2, 'z')"), ["c", "z", "z"]),
    ),
    _f(
        "lag(x[, offset[, default_value]]) -> same as input",
        (_value("lag(v)"), [None, "a", None]),
        (_value("lag(v, 1, 'z')"), ["z", "a", None]),
        (_value("lag(v) IGNORE NULLS"), [None, "a", "a"]),
    ),
)
