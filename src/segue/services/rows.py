"""The cells of a query's rows as text: JSON, CSV, or for people. One rule a type, the one of payloads."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv


def json_cell(value: Any) -> str:
    """The JSON text of a cell: decimals keep their digits, moments are ISO 8601 in UTC, NaN is null, bytes are hex."""
    match value:
        case None:
            return "null"
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else "null"
        case list() | tuple():
            return f"[{', '.join(map(json_cell, value))}]"
        case dict():
            return (
                "{"
                + ", ".join(f"{json.dumps(str(k), ensure_ascii=False)}: {json_cell(v)}" for k, v in value.items())
                + "}"
            )
        case _:
            return json.dumps(_text(value), ensure_ascii=False)


def _text(value: object) -> str:
    match value:
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value
            return moment.replace(tzinfo=None).isoformat() + "Z"
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)


def cell(value: Any) -> str:
    """A cell as people read it: JSON text without the quotes of a string; NULL stays apart from an empty text."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return value
    if isinstance(value, float | bool | list | tuple | dict):
        return json_cell(value) if not isinstance(value, float) or math.isfinite(value) else str(value)
    return _text(value)


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    """The rows of batches as Python values; columns may share a name."""
    for batch in batches:
        yield from zip(*(column_values(column) for column in batch.columns), strict=True)


def column_values(column: pa.Array) -> list[Any]:
    """The cells of a column as Python values."""
    # A map would come as pairs, which look like a list of arrays; its keys are unique, so nothing is lost.
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values


def csv_parts(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[bytes, int]]:
    """CSV as it grows: bytes and how many rows they hold, the names first. A NULL is empty, an empty text is ``""``."""
    plain = pa.schema([pa.field(f.name, f.type if _is_plain(f.type) else pa.string()) for f in schema])
    buffer = io.BytesIO()
    with pacsv.CSVWriter(buffer, plain) as writer:
        yield _taken(buffer), 0
        for batch in batches:
            columns = [
                column if _is_plain(column.type) else pa.array(map(_csv_cell, column_values(column)), pa.string())
                for column in batch.columns
            ]
            writer.write_batch(pa.record_batch(columns, schema=plain))
            yield _taken(buffer), batch.num_rows


def _taken(buffer: io.BytesIO) -> bytes:
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written


def _csv_cell(value: Any) -> str | None:
    return None if value is None else cell(value)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether Arrow writes a type as people and programs expect it."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date32(kind)
        or pa.types.is_decimal(kind)
    )
