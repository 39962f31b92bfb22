"""Operators whose meaning depends on types: division, dates and intervals, ``||``, subscripts, time zones."""

from __future__ import annotations

from sqlglot import exp

from segue.query.kinds import kind_of
from segue.query.rewrites.build import call, cast, unsupported

_PLAIN_DIVISION = frozenset({"double", "float", "real", "bigint", "integer", "int", "smallint", "tinyint"})
_SUB_DAY = frozenset({"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND", "NANOSECOND"})

LOCAL_TIME = frozenset(
    {
        *("date", "date_format", "date_trunc", "format_datetime", "last_day_of_month"),
        *("year", "quarter", "month", "week", "week_of_year", "year_of_week", "yow"),
        *("day", "day_of_month", "day_of_week", "day_of_year", "dow", "doy"),
        *("hour", "minute", "second", "millisecond"),
    }
)
"""Functions that read a timestamp by the clock of its zone."""


def division(node: exp.Expr) -> exp.Expr | None:
    """A quotient of decimals has the larger scale of the two; the engine would give a double."""
    if kind_of(node.this) in _PLAIN_DIVISION and kind_of(node.expression) in _PLAIN_DIVISION:
        return None
    return exp.Paren(this=call("trino_divide", node.this, node.expression))


def addition(node: exp.Expr) -> exp.Expr | None:
    """A date plus or minus an interval stays a date; the engine would give a timestamp."""
    left, right = kind_of(node.this), kind_of(node.expression)
    if isinstance(node, exp.Sub) and left == right == "date":
        days = exp.Paren(this=node.copy())
        return call("to_days", cast(days, "INTEGER"))
    if right == "interval" and left not in {"interval", "timestamptz"}:
        return _kept(node, node.this, left, node.expression)
    if left == "interval" and right not in {"interval", "timestamptz"} and isinstance(node, exp.Add):
        return _kept(node, node.expression, right, node.this)
    return None


def _kept(node: exp.Expr, value: exp.Expr, kind: str, interval: exp.Expr) -> exp.Expr:
    if kind == "date" and any(part.text("unit").upper() in _SUB_DAY for part in interval.find_all(exp.Interval)):
        raise unsupported("a date plus hours, minutes or seconds", node, "Cast the date to a timestamp first.")
    if kind == "timestamp":
        # An interval counts milliseconds, so a timestamp without them gains them.
        return call("cast_to_type", node, call("coalesce", value, cast(exp.Null(), "TIMESTAMP_MS")))
    return call("cast_to_type", node, value)


def concatenation(node: exp.Expr) -> exp.Expr | None:
    """``||`` joins an array with an element too; the engine joins only two arrays."""
    left, right = kind_of(node.this), kind_of(node.expression)
    if left == "array" and right not in {"array", ""}:
        return exp.DPipe(this=node.this.copy(), expression=exp.Array(expressions=[node.expression.copy()]))
    if right == "array" and left not in {"array", ""}:
        return exp.DPipe(this=exp.Array(expressions=[node.this.copy()]), expression=node.expression.copy())
    return None


def subscript(node: exp.Expr) -> exp.Expr | None:
    """An index or key that is not there fails the query; the engine would give NULL."""
    kind = kind_of(node.this)
    if kind in {"array", "map"} and len(node.expressions) == 1:
        return call(f"trino_subscript_{kind}", node.this, node.expressions[0])
    return None


def reads_clock(node: exp.Expr) -> bool:
    """Tell whether a value with a time zone is read by the clock of that zone, where it stands."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return (
        (isinstance(parent, exp.Anonymous) and parent.name.lower() in LOCAL_TIME)
        or isinstance(parent, exp.Extract)
        or (isinstance(parent, exp.Cast) and parent.to.this in {exp.DType.DATE, exp.DType.TIMESTAMP})
    )


def at_time_zone(node: exp.Expr) -> exp.Expr:
    """Give the clock of a zone; the engine keeps no zone with a value, so only a function of time may read it."""
    if not reads_clock(node):
        raise unsupported(
            "AT TIME ZONE outside a date or time function",
            node,
            "Use it inside date(), date_format(), hour(), CAST(... AS timestamp) and the like.",
        )
    zone = node.args["zone"] if isinstance(node, exp.AtTimeZone) else node.expressions[1]
    value = node.this if isinstance(node, exp.AtTimeZone) else node.expressions[0]
    return call("timezone", zone, cast(value, "TIMESTAMPTZ"))


def with_timezone(node: exp.Expr) -> exp.Expr | None:
    """The clock of the zone shows the timestamp itself."""
    return cast(node.expressions[0], "TIMESTAMP") if reads_clock(node) else None


def from_iso8601_timestamp(node: exp.Expr) -> exp.Expr | None:
    """The clock of an offset in the text is not kept: where it would be read, only UTC is taken."""
    return call("trino_iso8601_utc", *node.expressions) if reads_clock(node) else None
