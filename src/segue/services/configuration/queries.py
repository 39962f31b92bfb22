"""Is the SQL of an active query one that its database can run?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from segue.errors import QueryError, SegueError
from segue.services.configuration.changes import Change
from segue.services.configuration.documents import Documents
from segue.services.configuration.entries import DatabaseEntry, QueryEntry
from segue.services.configuration.problems import Problem
from segue.services.configuration.state import State


def query_problems(documents: Documents, future: State, changes: Iterable[Change]) -> Iterator[Problem]:
    """Mistakes in the SQL of active queries that change, or whose database does."""
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
            yield from _check(documents, database, queries)


def _check(documents: Documents, database: DatabaseEntry, queries: Iterable[QueryEntry]) -> Iterator[Problem]:
    # sqlglot, pyarrow and DuckDB load here, and only when a query has to be checked.
    from segue.query import compile_query  # noqa: PLC0415

    try:
        tables = read_tables(database)
    except SegueError as error:
        item = documents.named["databases"].get(database.name)
        places = [item.place("path" if database.path else "tables")] if item else []
        places += [used.place("database") for query in queries if (used := documents.named["queries"].get(query.name))]
        yield Problem(places[0], f'the database "{database.name}" cannot be read: {error.message}')
        return
    for query in queries:
        try:
            compile_query(query.sql, tables=tables)
        except QueryError as error:
            yield _problem(documents, query, error)


def _problem(documents: Documents, query: QueryEntry, error: QueryError) -> Problem:
    """At the place in the SQL; or at the database, when the query itself is in none of the files."""
    line, column = error.line or 1, error.column or 1
    item = documents.named["queries"].get(query.name)
    if item is not None:
        place = item.source.text_place((*item.location, "sql"), line, column)
    else:
        place = documents.named["databases"][query.database].place("name")
    return Problem(place, f'the query "{query.name}": {error.message}')


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
