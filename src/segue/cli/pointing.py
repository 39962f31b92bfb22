"""Mistakes in SQL, shown at their place."""

# ruff: noqa: PLC0415 -- rich loads where there is a mistake
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from segue.errors import QueryError

_WINDOW = 100
"""Characters of a long line that are shown around the place of a mistake."""
_ADDRESS = re.compile(r"[^\s'\"@,()]+@[^\s'\"@,()]+")


@contextmanager
def pointing_at(sql: str) -> Iterator[None]:
    """Put the offending line, with a caret under the column, into the message of an error."""
    try:
        yield
    except QueryError as error:
        if error.line is None or error.column is None:
            raise
        raise QueryError(
            f"{error.message}\n{_pointed(sql, error.line, error.column)}",
            code=error.code,
            cause=error.cause,
            steps=error.steps,
            line=error.line,
            column=error.column,
        ) from error


def _pointed(sql: str, line: int, column: int) -> str:
    """The line of a mistake and a caret below it. Addresses in it are masked: an error may be shown to anyone."""
    from rich.cells import cell_len

    lines = sql.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    text = _ADDRESS.sub(lambda found: "*" * len(found[0]), text)
    text = "".join(c if c.isprintable() else " " for c in text)
    start = max(0, column - 1 - _WINDOW) if len(text) > 2 * _WINDOW else 0
    shown, before = text[start : start + 2 * _WINDOW], text[start : column - 1]
    return f"{line:>6} | {shown.rstrip()}\n{'':>6} | {' ' * cell_len(before)}^"
