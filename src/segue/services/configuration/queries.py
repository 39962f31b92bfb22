"""Is the SQL of an active query one that its database can run?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from segue.errors import QueryError, SegueError
from segue.services.configuration.changes import Change
from segue.services.configuration.documents import Documents, Item
from segue.services.configuration.entries import DatabaseEntry, QueryEntry
from segue.services.configuration.problems import Problem
from segue.services.configuration.state import State


def query_problems(documents: Documents, future: State, changes: Iterable[Change]) -> Iterator[Problem]:
    """Mistakes in the SQL of active queries that change, or whose database does."""
    changed = {(change.kind, change.name) for change in changes if change.action in ("create", "update")}
    tables: dict[str, Mapping[str, Mapping[str, str]] | None] = {}
    for item in documents.named["queries"].values():
        query = item.entry
        if not isinstance(query, QueryEntry) or query.status != "active":
            continue
        database = future["databases"].get(query.database)
        if not isinstance(database, DatabaseEntry):
            continue
        if {("queries", query.name), ("databases", database.name)} & changed:
            yield from _check(item, query, database, tables)


def _check(
    item: Item,
    query: QueryEntry,
    database: DatabaseEntry,
    tables: dict[str, Mapping[str, Mapping[str, str]] | None],
) -> Iterator[Problem]:
    # sqlglot, pyarrow and DuckDB load here, and only when a query has to be checked.
    from segue.query import compile_query  # noqa: PLC0415

    if database.name not in tables:
        tables[database.name] = None
        try:
            tables[database.name] = read_tables(database)
        except SegueError as error:
            message = f'the database "{database.name}" cannot be read: {error.message}'
            yield Problem(item.place("database"), message)
    known = tables[database.name]
    if known is None:
        return
    try:
        compile_query(query.sql, tables=known)
    except QueryError as error:
        line, column = error.line or 1, error.column or 1
        where = f" (line {line}, column {column} of the SQL)" if error.line else ""
        place = item.source.text_place((*item.location, "sql"), line, column)
        yield Problem(place, f'the query "{query.name}": {error.message}{where}')


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
