"""Dates and times: units, formats, fields."""

from __future__ import annotations

from sqlglot import exp

from segue.query.functions import BY_NAME
from segue.query.kinds import kind_of
from segue.query.place import Refusal
from segue.query.rewrites.build import call, cast, literal, unsupported
from segue.query.rewrites.operators import LOCAL_TIME, reads_clock

_UNITS = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "quarter": "to_quarters",
    "year": "to_years",
}
_SUB_DAY = frozenset({"millisecond", "second", "minute", "hour"})
_FIELDS = {"DAYOFWEEK": "day_of_week", "DAYOFYEAR": "day_of_year", "DAY_OF_MONTH": "day", "WEEK": "week"}
_MYSQL = {
    **dict.fromkeys("abdfHIjmpyY", ""),
    "c": "%-m",
    "e": "%-d",
    "h": "%I",
    "i": "%M",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
    "%": "%%",
}
_JODA = {
    "y": {1: "%Y", 2: "%y", 4: "%Y"},
    "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"},
    "d": {1: "%-d", 2: "%d"},
    "H": {1: "%-H", 2: "%H"},
    "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"},
    "s": {1: "%-S", 2: "%S"},
    "S": {3: "%g", 6: "%f"},
    "a": {1: "%p"},
    "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"},
    "D": {1: "%-j", 3: "%j"},
    "e": {1: "%u"},
}


def _unit(node: exp.Expr, value: exp.Expr) -> str:
    unit = literal(node.expressions[0], "a unit", node).lower()
    if unit not in _UNITS:
        raise Refusal(
            f"'{unit}' is not a unit",
            node.expressions[0],
            code="function_arguments",
            steps=(f"Use one of {', '.join(_UNITS)}.",),
        )
    if unit in _SUB_DAY and kind_of(value) == "date":
        raise Refusal(
            f"a date has no {unit}s",
            node.expressions[0],
            code="function_arguments",
            steps=("Cast the date to a timestamp first.",),
        )
    return unit


def date_add(node: exp.Expr) -> exp.Expr:
    """Add and keep the type; the engine makes a timestamp of a date."""
    _, amount, value = node.expressions
    unit = _unit(node, value)
    number = cast(amount, "BIGINT" if unit in _SUB_DAY else "INTEGER")
    moved = exp.Add(this=exp.Paren(this=value.copy()), expression=call(_UNITS[unit], number))
    return call("cast_to_type", moved, value)


def date_diff(node: exp.Expr) -> exp.Expr:
    """Count whole units that have passed; the engine's date_diff counts boundaries, its date_sub what is meant."""
    return call("date_sub", _unit(node, node.expressions[1]), *node.expressions[1:])


def date_trunc(node: exp.Expr) -> exp.Expr:
    """Truncate and keep the type."""
    value = node.expressions[1]
    return call("cast_to_type", call("date_trunc", _unit(node, value), value), value)


def date_format(node: exp.Expr) -> exp.Expr:
    """Give MySQL's format as the engine's."""
    value, pattern = node.expressions
    return call("strftime", cast(value, "TIMESTAMP"), mysql(literal(pattern, "a format", node), pattern))


def date_parse(node: exp.Expr) -> exp.Expr:
    """Parse by MySQL's format, to milliseconds."""
    value, pattern = node.expressions
    return cast(call("strptime", value, mysql(literal(pattern, "a format", node), pattern)), "TIMESTAMP_MS")


def format_datetime(node: exp.Expr) -> exp.Expr:
    """Give Joda's format as the engine's."""
    value, pattern = node.expressions
    return call("strftime", cast(value, "TIMESTAMP"), joda(literal(pattern, "a format", node), pattern, parsing=False))


def parse_datetime(node: exp.Expr) -> exp.Expr:
    """Parse by Joda's format; without a zone the time is UTC."""
    value, pattern = node.expressions
    engine = joda(literal(pattern, "a format", node), pattern, parsing=True)
    if "%z" in engine and reads_clock(node):
        raise unsupported("the clock of the offset that is parsed", node, "Write AT TIME ZONE around it.")
    return cast(call("strptime", value, engine), "TIMESTAMPTZ")


def mysql(pattern: str, node: exp.Expr) -> str:
    """Translate a format of date_format and date_parse."""
    result, position = "", 0
    while position < len(pattern):
        letter, following = pattern[position], pattern[position + 1 : position + 2]
        if letter != "%" or not following:
            result += "%%" if letter == "%" else letter
            position += 1
            continue
        if following in "DUuVwX":
            raise unsupported(f"%{following} in a format", node)
        result += _MYSQL.get(following, following) or f"%{following}"
        position += 2
    return result


def joda(pattern: str, node: exp.Expr, *, parsing: bool) -> str:
    """Translate a format of format_datetime and parse_datetime."""
    result, position = "", 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "'":
            text, position = _quoted(pattern, position, node)
            result += text.replace("%", "%%")
            continue
        run = len(pattern[position:]) - len(pattern[position:].lstrip(letter))
        if not letter.isascii() or not letter.isalpha():
            result += letter.replace("%", "%%") * run
        elif pattern[position : position + run] in {"Z", "ZZ"} and parsing:
            result += "%z"
        elif run in _JODA.get(letter, {}):
            result += _JODA[letter][run]
        else:
            raise unsupported(f"{letter * run} in a format", node)
        position += run
    return result


def _quoted(pattern: str, start: int, node: exp.Expr) -> tuple[str, int]:
    """Give the text between quotes and where it ends; two quotes are one quote."""
    if pattern[start + 1 : start + 2] == "'":
        return "'", start + 2
    text, position = "", start + 1
    while position < len(pattern):
        if pattern[position] != "'":
            text += pattern[position]
            position += 1
        elif pattern[position + 1 : position + 2] == "'":
            text += "'"
            position += 2
        else:
            return text, position + 1
    raise Refusal("a quote in the format is not closed", node, code="function_arguments")


def extract(node: exp.Expr) -> exp.Expr:
    """Give EXTRACT as the function of that field."""
    field = node.this.name.upper()
    name = _FIELDS.get(field, field.lower())
    if name not in LOCAL_TIME or BY_NAME[name].category != "Date and time":
        raise unsupported(f"the field {field}", node)
    return call(BY_NAME[name].engine, node.args["expression"])


def instant(_node: exp.Expr) -> exp.Expr:
    """Give the time at which the query began, to milliseconds as Trino's."""
    return cast(call("date_trunc", "millisecond", call("now")), "TIMESTAMPTZ")


def local_instant(node: exp.Expr) -> exp.Expr:
    """Give the same without a zone."""
    return cast(cast(instant(node), "TIMESTAMP"), "TIMESTAMP_MS")


def today(_node: exp.Expr) -> exp.Expr:
    """Give the date in UTC."""
    return cast(call("now"), "DATE")
