"""The activity log as text: CSV, or one JSON object a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any

from segue.services.audit import Line

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula: names of things are chosen by their makers."""


def json_lines(lines: Iterable[Line]) -> Iterator[str]:
    """Every line as an object; ``at`` is ISO 8601 in UTC."""
    for line in lines:
        yield json.dumps({**asdict(line), "at": line.at.isoformat()}, ensure_ascii=False) + "\n"


def csv_lines(lines: Iterable[Line]) -> Iterator[str]:
    """The names of the columns, then every line; ``before`` and ``after`` are JSON."""
    yield _row(field.name for field in fields(Line))
    for line in lines:
        yield _row(_cell(value) for value in asdict(line).values())


def _row(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return value
    return value.isoformat()
