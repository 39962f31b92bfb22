"""Is the SQL of an active query one that its database can run, and do its columns do what they seem to?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import ConfigError, QueryError, SegueError
from segue.services.configuration.changes import Change
from segue.services.configuration.documents import Documents
from segue.services.configuration.entries import DatabaseEntry, DestinationEntry, QueryEntry
from segue.services.configuration.problems import Place, Problem
from segue.services.configuration.state import State

if TYPE_CHECKING:
    from segue.destinations.contract import Plugin


@dataclass(slots=True)
class Checked:
    """problems: mistakes in SQL; warnings: what authors should know about the columns."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check_queries(documents: Documents, future: State, changes: Iterable[Change]) -> Checked:
    """Look at the SQL of active queries that change, or whose database does."""
    checked = Checked()
    changed = {(change.kind, change.name) for change in changes if change.action in ("create", "update")}
    by_database: dict[str, list[QueryEntry]] = {}
    for query in future["queries"].values():
        if not isinstance(query, QueryEntry) or query.status != "active":
            continue
        if {("queries", query.name), ("databases", query.database)} & changed:
            by_database.setdefault(query.database, []).append(query)
    for name, queries in by_database.items():
        database = future["databases"].get(name)
        if isinstance(database, DatabaseEntry):
            _check(documents, future, database, queries, checked)
    return checked


def _check(
    documents: Documents, future: State, database: DatabaseEntry, queries: Iterable[QueryEntry], checked: Checked
) -> None:
    # sqlglot, pyarrow and DuckDB load here, and only when a query has to be checked.
    from segue.query import compile_query  # noqa: PLC0415

    try:
        tables = read_tables(database)
    except SegueError as error:
        item = documents.named["databases"].get(database.name)
        places = [item.place("path" if database.path else "tables")] if item else []
        places += [used.place("database") for query in queries if (used := documents.named["queries"].get(query.name))]
        checked.problems.append(Problem(places[0], f'the database "{database.name}" cannot be read: {error.message}'))
        return
    plugins = _plugins(future)
    for query in queries:
        try:
            compiled = compile_query(query.sql, tables=tables)
        except QueryError as error:
            told = f"{error.message}. {' '.join(error.steps)}" if error.steps else error.message
            place = _place(documents, query, error.line or 1, error.column or 1)
            checked.problems.append(Problem(place, f'the query "{query.name}": {told}'))
            continue
        notes = dict.fromkeys(note for plugin in plugins for note in plugin.notes(compiled.columns))
        place = _place(documents, query, 1, 1)
        checked.warnings += [Problem(place, f'the query "{query.name}": {note}') for note in notes]


def _plugins(future: State) -> list[Plugin]:
    """The plug-ins of the destinations. One that cannot be loaded is told of when it is used."""
    from segue.destinations.registry import DEFAULT_PLUGIN, find_plugin  # noqa: PLC0415

    entries = [entry for entry in future["destinations"].values() if isinstance(entry, DestinationEntry)]
    found = []
    for name in sorted({entry.plugin for entry in entries} or {DEFAULT_PLUGIN}):
        with suppress(ConfigError):
            found.append(find_plugin(name))
    return found


def _place(documents: Documents, query: QueryEntry, line: int, column: int) -> Place:
    """The place in the SQL; or the database, when the query itself is in none of the files."""
    item = documents.named["queries"].get(query.name)
    if item is not None:
        return item.source.text_place((*item.location, "sql"), line, column)
    return documents.named["databases"][query.database].place("name")


def read_tables(database: DatabaseEntry) -> Mapping[str, Mapping[str, str]]:
    """Table name -> column -> type text. Raises SegueError when the database cannot be read."""
    from segue.database import DatabaseConfig, open_engine  # noqa: PLC0415

    config = DatabaseConfig(
        name=database.name,
        engine=database.engine,
        path=Path(database.path) if database.path else None,
        tables=database.tables,
    )
    return open_engine(config).tables()
