"""Looking at queries: run them, explain what would become of their columns, search the functions they may call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.audience.fields import Field, Place, lost_zeros, place_columns
from segue.audience.text import json_text
from segue.catalog import models
from segue.database import DatabaseConfig, Engine, QueryLimits, open_engine
from segue.destinations.contract import Plugin
from segue.destinations.registry import DEFAULT_PLUGIN, find_plugin
from segue.errors import DataError, UsageError
from segue.query import FUNCTIONS, CompiledQuery, Function, compile_query
from segue.services.audit import note
from segue.services.names import suggestion, unknown
from segue.services.orchestrations import database_config
from segue.services.privacy import mask_rows
from segue.services.workspace import Workspace
from segue.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuery:
    """A query of the workspace, a draft included. name: None for SQL that is not saved."""

    name: str | None
    sql: str
    database: DatabaseConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """One column and where it goes. arrow: its type; json: the type that the destination gets, None where the
    column is never sent; full_profile, email_only: its place under a data template with ``use_full_profile`` and without."""

    name: str
    arrow: str
    json: str | None
    full_profile: Field
    email_only: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a query reads and where its columns go. warnings: a sentence each."""

    query: SavedQuery
    compiled: CompiledQuery
    plugin: str
    columns: tuple[ColumnPlan, ...]
    warnings: tuple[str, ...]


def find_query(session: Session, name: str) -> SavedQuery:
    """The query of this name. Raises UsageError with the nearest names when there is none."""
    row = session.scalars(select(models.Query).where(models.Query.name == name)).one_or_none()
    if row is None:
        raise unknown("query", name, session.scalars(select(models.Query.name)))
    return SavedQuery(name=row.name, sql=row.sql, database=database_config(row.database))


def find_database(session: Session, name: str | None) -> DatabaseConfig:
    """The database of this name, or the only one there is. Raises UsageError."""
    rows = {row.name: row for row in session.scalars(select(models.Database))}
    if name is None and len(rows) == 1:
        return database_config(next(iter(rows.values())))
    if name is not None and name in rows:
        return database_config(rows[name])
    if name is not None or not rows:
        raise unknown("database", name or "", rows)
    raise UsageError(
        "there are several databases, so the SQL alone does not say which one is meant",
        code="database_needed",
        steps=(f"Add --database and one of: {', '.join(sorted(rows))}.",),
    )


def plugin_for(session: Session, destination: str | None) -> Plugin:
    """The plug-in of a destination; without a name, the one that every destination uses.

    Raises UsageError for an unknown destination, and when there are several plug-ins to choose from.
    """
    plugins = {row.name: row.plugin for row in session.scalars(select(models.Destination))}
    if destination is not None:
        if destination not in plugins:
            raise unknown("destination", destination, plugins)
        return find_plugin(plugins[destination])
    used = set(plugins.values()) or {DEFAULT_PLUGIN}
    if len(used) > 1:
        raise UsageError(
            "the destinations are of several kinds, and each places columns in its own way",
            code="destination_needed",
            steps=(f"Add --destination and one of: {', '.join(sorted(plugins))}.",),
        )
    return find_plugin(used.pop())


@contextmanager
def answering(
    query: SavedQuery, settings: Settings, *, workspace: Workspace, limit: int | None = None, download: bool = False
) -> Iterator[pa.RecordBatchReader]:
    """The rows of a query as they come, at most ``limit``; leaving the block ends the query.

    Personal columns are masked for actors who may not see them. The activity log has a line of it without the SQL, which may
    name people; download: whether the rows leave as a file. Raises NotPermittedError, QueryError with the place in the
    SQL, ConfigError and BusyError for the database.
    """
    actor = workspace.actor
    actor.require("queries.run")
    asked = {"database": query.database.name, **({"rows": limit} if limit is not None else {})}
    note(workspace, "query.download" if download else "query.run", query.name, after=asked)
    engine, compiled = _compile(query)
    with engine.run(compiled.engine_sql, limits=_limits(settings, limit)) as reader:
        yield mask_rows(actor, reader, query.sql, find_plugin(DEFAULT_PLUGIN).fields, query.database.personal)


def explain(query: SavedQuery, settings: Settings, plugin: Plugin) -> Explanation:
    """Say what a query reads and where its columns go, without running it. Raises as ``answering`` does."""
    engine, compiled = _compile(query)
    # A row limit of 0 would still sort and group everything before the first row; in parentheses, equal names stay equal.
    columns_only = f"({compiled.engine_sql}\n) LIMIT 0"
    with engine.run(columns_only, limits=_limits(settings, 0)) as reader:
        schema = reader.schema
    fields, names = plugin.fields, schema.names
    full = {f.column: f for f in place_columns(names, fields, full_profile=True)}
    email = {f.column: f for f in place_columns(names, fields, full_profile=False)}
    columns = tuple(
        ColumnPlan(
            name=column.name,
            arrow=str(column.type),
            json=_json_type(column.type, full[column.name], numeric=fields.numeric),
            full_profile=full[column.name],
            email_only=email[column.name],
        )
        for column in schema
    )
    warnings = (*column_notes(schema, plugin), *_type_warnings(schema))
    return Explanation(query=query, compiled=compiled, plugin=plugin.name, columns=columns, warnings=warnings)


def column_notes(schema: pa.Schema, plugin: Plugin) -> tuple[str, ...]:
    """What an author should know about the columns of a query, a sentence each."""
    return (*plugin.notes(schema.names), *lost_zeros(schema, plugin.fields))


def functions(pattern: str | None = None) -> tuple[Function, ...]:
    """The published functions whose name, category, signature or note holds the pattern, those by name first.

    Raises UsageError with the nearest names when there is none.
    """
    wanted = (pattern or "").casefold()
    found = [f for f in FUNCTIONS if wanted in f"{f.name} {f.category} {f.signature} {f.note}".casefold()]
    if not found:
        raise UsageError(
            f'no supported function matches "{pattern}"{suggestion(pattern or "", [f.name for f in FUNCTIONS])}',
            code="unknown_function",
            steps=("See all of them with: segue query functions",),
        )
    return tuple(sorted(found, key=lambda f: (wanted not in f.name, f.category, f.name)))


def _compile(query: SavedQuery) -> tuple[Engine, CompiledQuery]:
    engine = open_engine(query.database)
    return engine, compile_query(query.sql, tables=engine.tables())


def _limits(settings: Settings, rows: int | None) -> QueryLimits:
    return QueryLimits(
        memory_bytes=settings.query_memory, seconds=settings.query_seconds, rows=rows, threads=settings.threads
    )


def _type_warnings(schema: pa.Schema) -> Iterator[str]:
    """Columns whose type cannot be sent at all."""
    for column in schema:
        try:
            json_text("value", column.type, column=column.name)
        except DataError as error:
            yield " ".join((error.message, *error.steps))


_JSON_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_decimal, "number"),
    (pa.types.is_date, "string, a date"),
    (pa.types.is_timestamp, "string, a timestamp in UTC"),
    (pa.types.is_time, "string, a time"),
    (pa.types.is_list, "array"),
    (pa.types.is_map, "object"),
    (pa.types.is_struct, "object"),
    (pa.types.is_null, "null"),
)


def _json_type(kind: pa.DataType, field: Field, *, numeric: frozenset[str]) -> str | None:
    """What a value becomes; the destination's own fields are text but for the numeric ones."""
    if field.place is Place.LEFT_OUT:
        return None
    if field.place is not Place.PROPERTY and field.column not in numeric:
        return "string"
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return next((name for test, name in _JSON_TYPES if test(kind)), "string")
