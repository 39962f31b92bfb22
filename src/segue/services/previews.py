"""Looking at SQL that is being written: its first rows, its tables, its layout, a beginning for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from segue.database import open_engine
from segue.query import FUNCTIONS
from segue.services.queries import SavedQuery, answering, find_database
from segue.services.rows import cell, rows_of
from segue.services.workspace import Workspace
from segue.settings import Settings

ROWS = 100
"""Rows of a preview."""

Tables = Mapping[str, Mapping[str, str]]
"""Table -> column -> type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first rows of a query. columns: names and types; rows: cells as people read them, None for NULL; more: whether the
    query has more rows than these."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]
    seconds: float
    more: bool


def unsaved(workspace: Workspace, sql: str, database: str) -> SavedQuery:
    """SQL as a query. Raises UsageError for an unknown database."""
    with workspace.catalog.session(read_only=True) as session:
        return SavedQuery(name=None, sql=sql, database=find_database(session, database))


def preview(query: SavedQuery, settings: Settings, *, workspace: Workspace, rows: int = ROWS) -> Preview:
    """Run a query for its first rows. Raises NotPermittedError, QueryError with the place, ConfigError,
    BusyError."""
    started = time.monotonic()
    with answering(query, settings, workspace=workspace, limit=rows + 1) as reader:
        columns = tuple((column.name, str(column.type)) for column in reader.schema)
        found = list(islice(rows_of(reader), rows + 1))
    shown = tuple(tuple(None if value is None else cell(value) for value in row) for row in found[:rows])
    return Preview(columns=columns, rows=shown, seconds=time.monotonic() - started, more=len(found) > rows)


def tables_of(workspace: Workspace, database: str) -> Tables:
    """The tables of a database with their columns. Raises NotPermittedError, UsageError, ConfigError, BusyError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        config = find_database(session, database)
    return open_engine(config).tables()


def words(tables: Tables) -> tuple[tuple[str, str, str], ...]:
    """What may be written in a query: text, kind (``table``, ``column``, ``function``) and what it is."""
    columns: dict[str, list[str]] = {}
    for table, names in tables.items():
        for name in names:
            columns.setdefault(name, []).append(table)
    return (
        *((table, "table", f"{len(names)} columns") for table, names in tables.items()),
        *((name, "column", ", ".join(where)) for name, where in columns.items()),
        *((function.name, "function", function.signature) for function in FUNCTIONS),
    )


_NAMES = {
    "given_name": "first_name",
    "surname": "last_name",
    "address": "address1",
    "state": "region",
    "postal": "zip",
    "phone": "phone_number",
    "company": "organization",
}
"""What columns of a Customer 360 are often called -> what the destination calls them."""
_PROFILE = (
    "email", "phone", "phone_number", "given_name", "first_name", "surname", "last_name", "title", "company", "organization",
    "address", "address1", "address2", "city", "state", "region", "postal", "zip", "country", "loyalty_tier",
)  # fmt: skip


def template(tables: Tables, *, full_profile: bool) -> str:
    """A beginning for a query: the email of everybody, or with the columns of a customer profile that the table has."""
    table, columns = next(((t, c) for t, c in tables.items() if "email" in c), ("Customer360", {"email": "VARCHAR"}))
    wanted = [name for name in _PROFILE if name in columns] if full_profile else ["email"]
    selected = ",\n".join(f"  {name} AS {_NAMES[name]}" if name in _NAMES else f"  {name}" for name in wanted)
    return f"SELECT\n{selected}\nFROM {table}\n"
