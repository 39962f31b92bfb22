"""Rows of queries, over the wire: one JSON value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from segue.client import values
from segue.client.transport import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a query as they come. query: its name, None for SQL that is not saved; columns: ``name`` and ``type`` of each;
    lines: a row as the text of a JSON array, in the order of the columns, whose names may repeat."""

    query: str | None
    database: str
    columns: tuple[dict[str, str], ...]
    lines: Iterator[str]


def read_rows(lines: Iterator[str]) -> Rows:
    """The rows of an answer. Reading them raises Refused where the query broke off."""
    head = json.loads(next(lines))
    return Rows(query=head["query"], database=head["database"], columns=tuple(head["columns"]), lines=_arrays(lines))


def asked_for(
    what: Literal["preview", "rows.csv"], *, name: str | None, sql: str | None, database: str | None, limit: int
) -> tuple[str, dict[str, Any]]:
    """Where the rows of a saved query, or of SQL, are asked for, and with what."""
    if name is not None:
        return f"queries/{quote(name, safe='')}/{what}", {"params": {"limit": limit}}
    path = {"preview": "previews", "rows.csv": "previews.csv"}[what]
    return path, {"json": {"sql": sql, "database": database, "limit": limit}}


def _arrays(lines: Iterator[str]) -> Iterator[str]:
    """The lines that are rows; the last one is none."""
    for line in lines:
        if line.startswith("["):
            yield line
        elif "problem" in (last := json.loads(line)):
            raise Refused(values.Problem.model_validate(last["problem"]))
