"""The canonical JSON text of a value, one rule a type, as DuckDB SQL.

The same text is sent and hashed, so a change of engine or version does not look like a change of the data:

    text            JSON string
    integers        digits; beyond a signed 64-bit number the field is dropped and named in the rejects
    decimal         digits with the column's scale, ``12.50``
    real, double    shortest text that reads back as the same number; NaN and infinity are dropped and named
    boolean         true, false
    date            "2024-01-31"; infinity and years beyond 1 to 9999 are dropped and named
    timestamp       "2024-01-31T10:00:00Z", with milliseconds when there are any; without a zone it is read as UTC
    time            "10:00:00"
    list, row, map  arrays and objects of the same texts, null inside them stays null; of a value that cannot be sent, which
                    is named too, a row or map goes without the member, and a list has null in its place: the others
                    keep theirs

Klaviyo recognises dates in these forms only (https://developers.klaviyo.com, "dates in custom properties").
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa

from segue.errors import DataError

_INT64 = f"{-(2**63)} AND {2**63 - 1}"
_YEARS = "1 AND 9999"
"""What a four-digit year can say; engines know years before and after, and infinity."""


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted SQL string."""
    return "'" + text.replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """SQL for the rows of a Parquet file."""
    return f"read_parquet({path_literal(path)})"


def path_literal(path: Path) -> str:
    """A quoted path; a folder's name may hold what DuckDB takes for a wildcard."""
    return literal(re.sub(r"([*?[])", r"[\1]", str(path)))


def json_string(text: str) -> str:
    """A JSON string, not escaped beyond need, so that it equals what the SQL writes."""
    return json.dumps(text, ensure_ascii=False)


def json_text(sql: str, kind: pa.DataType, *, column: str) -> str:
    """SQL for the canonical JSON text of the value of ``sql``; NULL gives NULL, and so does an unsendable number.

    Raises DataError ``unsupported_type`` for a type that has no JSON form; ``column`` names it there.
    """
    if is_text(kind):
        return f"to_json({sql})::VARCHAR"
    if pa.types.is_boolean(kind):
        return f"({sql})::VARCHAR"
    if pa.types.is_floating(kind):
        # to_json widens a REAL to its double first: 0.1 would become 0.10000000149011612.
        shortest = f"to_json({sql})::VARCHAR" if kind == pa.float64() else f"({sql})::FLOAT::VARCHAR"
        return f"CASE WHEN isfinite({sql}) THEN {shortest} END"
    if pa.types.is_integer(kind):
        return f"({sql})::VARCHAR" if kind != pa.uint64() else _within_int64(sql)
    if pa.types.is_decimal(kind):
        return _decimal(sql, kind)
    if pa.types.is_temporal(kind):
        return _temporal(sql, kind)
    return _nested(sql, kind, column=column)


def plain_text(sql: str, kind: pa.DataType, *, column: str) -> str:
    """SQL for a value as text, for profile fields that are strings at the destination: 02138 and 2138 alike."""
    if is_text(kind):
        return sql
    if pa.types.is_temporal(kind):
        return f"trim({_temporal(sql, kind)}, '\"')"
    return json_text(sql, kind, column=column)


def unsendable(sql: str, kind: pa.DataType) -> tuple[tuple[str, str], ...]:
    """SQL conditions that are true where a value, or one inside it, cannot be written as JSON, each with its reason."""
    if _is_list(kind):
        return _any_of(sql, unsendable("x", kind.value_type))
    if pa.types.is_map(kind):
        return _any_of(f"map_entries({sql})", unsendable("x.value", kind.item_type))
    if pa.types.is_struct(kind):
        inside = [rule for f in kind for rule in unsendable(_member(sql, f.name), f.type)]
        reasons = dict.fromkeys(reason for _, reason in inside)
        return tuple((" OR ".join(f"({bad})" for bad, why in inside if why == reason), reason) for reason in reasons)
    rule = _unsendable_scalar(sql, kind)
    return (rule,) if rule else ()


def _any_of(sql: str, rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"len(list_filter({sql}, lambda x: {bad})) > 0", reason) for bad, reason in rules)


def _unsendable_scalar(sql: str, kind: pa.DataType) -> tuple[str, str] | None:
    if pa.types.is_floating(kind):
        return f"NOT isfinite({sql})", "not_finite"
    if kind == pa.uint64() or (pa.types.is_decimal(kind) and kind.scale == 0 and kind.precision > 18):  # noqa: PLR2004
        return f"({sql})::HUGEINT NOT BETWEEN {_INT64}", "number_too_large"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return f"NOT ({_datable(_moment(sql, kind))})", "date_out_of_range"
    return None


def is_text(kind: pa.DataType) -> bool:
    """Whether the values of a column are text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether the values of a column are numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _within_int64(sql: str) -> str:
    return f"CASE WHEN ({sql})::HUGEINT BETWEEN {_INT64} THEN ({sql})::VARCHAR END"


def _decimal(sql: str, kind: pa.DataType) -> str:
    if kind.scale == 0 and kind.precision > 18:  # noqa: PLR2004
        return _within_int64(sql)
    if kind.scale == kind.precision:
        # DuckDB writes such a fraction without the zero in front, which is not JSON.
        return f"regexp_replace(({sql})::VARCHAR, '^(-?)[.]', '\\10.')"
    return f"({sql})::VARCHAR"


def _temporal(sql: str, kind: pa.DataType) -> str:
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return f"'\"' || ({sql})::VARCHAR || '\"'"
    moment = _moment(sql, kind)
    if pa.types.is_date(kind):
        return f"CASE WHEN {_datable(moment)} THEN '\"' || {moment}::VARCHAR || '\"' END"
    whole = f"strftime({moment}, '\"%Y-%m-%dT%H:%M:%S')"
    fraction = f"CASE WHEN millisecond({moment}) % 1000 <> 0 THEN strftime({moment}, '.%g') ELSE '' END"
    return f"CASE WHEN {_datable(moment)} THEN {whole} || {fraction} || 'Z\"' END"


def _moment(sql: str, kind: pa.DataType) -> str:
    """A date, or a timestamp as it is in UTC."""
    if pa.types.is_date(kind):
        return f"({sql})::DATE"
    return f"(({sql})::TIMESTAMPTZ AT TIME ZONE 'UTC')" if kind.tz else f"({sql})::TIMESTAMP"


def _datable(moment: str) -> str:
    return f"isfinite({moment}) AND year({moment}) BETWEEN {_YEARS}"


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _member(sql: str, name: str) -> str:
    return f"struct_extract({sql}, {literal(name)})"


def _nested(sql: str, kind: pa.DataType, *, column: str) -> str:
    if _is_list(kind):
        item = json_text("x", kind.value_type, column=column)
        return f"'[' || array_to_string(list_transform({sql}, lambda x: coalesce({item}, 'null')), ',') || ']'"
    if pa.types.is_map(kind):
        entry = _entry("to_json(x.key::VARCHAR)::VARCHAR || ':'", "x.value", kind.item_type, column=column)
        return f"'{{' || array_to_string(list_transform(map_entries({sql}), lambda x: {entry}), ',') || '}}'"
    if pa.types.is_struct(kind):
        parts = [_entry(literal(json_string(f.name) + ":"), _member(sql, f.name), f.type, column=column) for f in kind]
        return f"CASE WHEN {sql} IS NOT NULL THEN '{{' || concat_ws(',', {', '.join(parts)}) || '}}' END"
    if pa.types.is_null(kind):
        return "NULL::VARCHAR"
    raise DataError(
        f'Column "{column}" is of type {kind}, which has no JSON form.',
        code="unsupported_type",
        steps=(f'Convert "{column}" in the query, for example with to_hex(...) or CAST(... AS varchar).',),
    )


def _entry(name: str, sql: str, kind: pa.DataType, *, column: str) -> str:
    """A member of an object; NULL, which is skipped, where its value cannot be sent."""
    text = json_text(sql, kind, column=column)
    entry = f"{name} || coalesce({text}, 'null')"
    return (
        f"CASE WHEN {sql} IS NULL OR ({text}) IS NOT NULL THEN {entry} END" if _unsendable_scalar(sql, kind) else entry
    )
