"""Rewrites that keep Trino's meaning on the engine, innermost part first."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segue.query.functions import BY_NAME
from segue.query.kinds import kind_of
from segue.query.rewrites import aggregates, collections, conversions, dates, operators, texts, unnest

Rewrite = Callable[[exp.Expr], exp.Expr | None]
"""Gives what takes the place of a part, or None to leave it."""

_BY_SYNTAX: dict[type[exp.Expr], Rewrite] = {
    exp.Add: operators.addition,
    exp.AtTimeZone: operators.at_time_zone,
    exp.Bracket: operators.subscript,
    exp.Cast: conversions.conversion,
    exp.CurrentDate: dates.today,
    exp.CurrentTimestamp: dates.instant,
    exp.DPipe: operators.concatenation,
    exp.Div: operators.division,
    exp.Extract: dates.extract,
    exp.GroupConcat: texts.listagg,
    exp.Lambda: collections.pair_lambda,
    exp.Localtimestamp: dates.local_instant,
    exp.Normalize: texts.normalize,
    exp.Overlay: texts.overlay,
    exp.ParseJSON: collections.json_literal,
    exp.StrPosition: texts.position,
    exp.Sub: operators.addition,
    exp.Substring: texts.substring,
    exp.Trim: texts.trim,
    exp.TryCast: conversions.conversion,
    exp.Unnest: unnest.unnest,
}
_BY_NAME: dict[str, Rewrite] = {
    "at_timezone": operators.at_time_zone,
    "cardinality": collections.cardinality,
    "concat": texts.concat,
    "concat_ws": texts.concat_ws,
    "date_add": dates.date_add,
    "date_diff": dates.date_diff,
    "date_format": dates.date_format,
    "date_parse": dates.date_parse,
    "date_trunc": dates.date_trunc,
    "format": texts.format_text,
    "format_datetime": dates.format_datetime,
    "from_iso8601_timestamp": operators.from_iso8601_timestamp,
    "greatest": collections.extreme,
    "json_extract": collections.json_extract,
    "json_extract_scalar": collections.json_extract_scalar,
    "json_size": collections.json_size,
    "least": collections.extreme,
    "length": texts.length,
    "now": dates.instant,
    "parse_datetime": dates.parse_datetime,
    "regexp_replace": texts.regexp_replace,
    "reverse": texts.reverse,
    "sequence": collections.sequence,
    "with_timezone": operators.with_timezone,
}
_AGGREGATES: dict[str, Callable[[exp.Expr], None]] = {
    "avg": aggregates.average,
    "count_if": aggregates.count_if,
    "map_agg": aggregates.map_agg,
    "map_union": aggregates.map_union,
    "multimap_agg": aggregates.multimap_agg,
    "sum": aggregates.total,
}


def rewrite(query: exp.Query) -> None:
    """Rewrite a resolved query in place.

    Aggregates come last: they move their FILTER and OVER, whose parts must have been rewritten before.
    """
    parts = list(query.walk())
    parts.reverse()
    for part in parts:
        if not isinstance(part, exp.Query):
            part.meta["kind"] = kind_of(part)
    for part in parts:
        _apply(part)
    for part in reversed(list(query.find_all(exp.Anonymous))):
        change = _AGGREGATES.get(part.name.lower())
        if change is not None:
            change(part)


def _apply(part: exp.Expr) -> None:
    if not isinstance(part, exp.Anonymous):
        change = _BY_SYNTAX.get(type(part))
        _put(part, change(part) if change is not None else None)
        return
    name = part.name.lower()
    change = _BY_NAME.get(name)
    changed = change(part) if change is not None else None
    if changed is None and name not in _AGGREGATES:
        part.set("this", BY_NAME[name].engine)
    _put(part, changed)


def _put(part: exp.Expr, changed: exp.Expr | None) -> None:
    if changed is not None:
        changed.meta["kind"] = part.meta.get("kind", "")
        part.replace(changed)
