"""The published list as a page: ``python -m segue.query.reference > docs/reference/sql-functions.md``."""

from __future__ import annotations

import sys
from itertools import groupby

from segue.query.functions import FUNCTIONS
from segue.query.values import Function

_HEAD = """# SQL functions

Queries are written in Trino's SQL. These {count} functions may be used over the embedded engine; any other is refused
when the query is saved. Each is tested against Trino's documentation.

Types: boolean, tinyint, smallint, integer, bigint, real, double, decimal(p, s), varchar, varchar(n), varbinary, json,
date, time, timestamp(0), timestamp(3), timestamp(6), timestamp with time zone, uuid, array(T), map(K, V), row(name T).

The session's time zone is UTC. A timestamp with time zone is an instant: its zone is not kept with it.
"""


def reference() -> str:
    """Give the page in Markdown."""
    parts = [_HEAD.format(count=len(FUNCTIONS))]
    ordered = sorted(FUNCTIONS, key=lambda entry: (entry.category, entry.name))
    for category, entries in groupby(ordered, key=lambda entry: entry.category):
        parts.append(f"\n## {category}\n\n| Function | Example | Note |\n|---|---|---|\n")
        parts.extend(_row(entry) for entry in entries)
    return "".join(parts)


def _row(entry: Function) -> str:
    case = entry.cases[0]
    cells = (f"`{entry.signature}`", f"`{case.sql}` is `{_shown(case.expected)}`", entry.note)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(reference())
