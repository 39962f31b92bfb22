"""Databases: what there is, and saved once they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from segue.catalog import models
from segue.database import DatabaseConfig, open_engine
from segue.errors import ConfigError
from segue.services.configuration.entries import DatabaseEntry
from segue.services.editing import Configured, save_together
from segue.services.names import names_by_reference
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLine:
    """A database. path: of its file, None where it is files: tables, each with its pattern; used_by: names of queries."""

    id: str
    name: str
    engine: str
    path: str | None
    tables: Mapping[str, str]
    personal: tuple[str, ...]
    used_by: tuple[str, ...]


def database_lines(workspace: Workspace) -> tuple[DatabaseLine, ...]:
    """Every database, by name. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        users = names_by_reference(session, models.Query.database_id, models.Query.name)
        return tuple(
            DatabaseLine(
                id=row.id,
                name=row.name,
                engine=row.engine,
                path=row.path,
                tables=dict(row.tables),
                personal=tuple(row.personal),
                used_by=tuple(users.get(row.id, ())),
            )
            for row in session.scalars(select(models.Database).order_by(models.Database.name))
        )


def save_database(workspace: Workspace, entry: Mapping[str, Any], *, seen: Configured | None = None) -> int:
    """Save a database when it can be read; else nothing. The answer is how many tables it has.

    entry: as in a file, relative paths from the workspace folder; seen: the database that is changed. Raises
    ConfigurationError, UsageError ``exists``, ChangedError; ConfigError and BusyError when it cannot be opened.
    """
    if seen is not None:
        entry = {**entry, "name": seen.name}
    known = [("databases", seen)] if seen is not None else []
    save_together(workspace, [("databases", entry)], seen=known, dry_run=True)
    placed = DatabaseEntry.model_validate(entry).resolved(workspace.layout.home)
    path = Path(placed.path) if placed.path else None
    tables = open_engine(
        DatabaseConfig(name=placed.name, engine=placed.engine, path=path, tables=dict(placed.tables))
    ).tables()
    if not tables:
        raise ConfigError(
            f'The database "{placed.name}" has no tables.',
            code="no_tables",
            steps=("Take another file, or load the tables first.",),
        )
    save_together(workspace, [("databases", entry)], seen=known)
    return len(tables)
