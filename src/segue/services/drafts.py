"""Working at a query: a draft beside the version that runs use, made active or thrown away."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.catalog.base import now
from segue.catalog.drafts import QueryDraft
from segue.errors import UsageError
from segue.services.audit import record
from segue.services.editing import ChangedError, Configured, create, get_configured, replace
from segue.services.folders import check_folder
from segue.services.versions import record_version
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuery:
    """A query as its editor shows it. sql: of the draft where there is one; active_sql: what runs use, None for a query that
    was never active; by, at: who saved the draft of an active query, and when; tag: another one after every change."""

    id: str
    name: str
    folder: str | None
    database: str
    sql: str
    active_sql: str | None
    by: str | None
    at: datetime | None
    tag: str

    @property
    def is_draft(self) -> bool:
        """Whether what is shown is not what runs use."""
        return self.active_sql != self.sql


def open_query(workspace: Workspace, ref: str) -> OpenQuery:
    """The query of this name or id, with its draft. Raises NotPermittedError, UsageError when there is none."""
    query = get_configured(workspace, "queries", ref)
    with workspace.catalog.session(read_only=True) as session:
        draft = session.get(QueryDraft, query.id)
        return _open(query, draft)


def save_draft(workspace: Workspace, ref: str, sql: str, *, tag: str) -> OpenQuery:
    """Keep SQL without a check of it; an active query goes on as it was.

    tag: as the caller saw the query last. Raises ChangedError when somebody else changed it since.
    """
    workspace.actor.require("queries.edit")
    opened = _unchanged(workspace, ref, tag)
    if not sql.strip():
        raise UsageError("The query is empty.", code="empty_query", steps=("Write a SELECT first.",))
    if opened.active_sql is None:
        query = get_configured(workspace, "queries", opened.id)
        replace(workspace, "queries", opened.id, {**query.entry, "sql": sql}, tag=query.tag)
        return open_query(workspace, opened.id)
    with workspace.catalog.session() as session:
        draft = session.get(QueryDraft, opened.id)
        _check(session, opened, draft)
        if sql == opened.active_sql:
            if draft is not None:
                session.delete(draft)
        elif draft is None:
            session.add(QueryDraft(query_id=opened.id, sql=sql, by=workspace.actor.name, updated_at=now()))
        else:
            draft.sql, draft.by, draft.updated_at = sql, workspace.actor.name, now()
        record_version(session, workspace.actor, opened.id, sql, active=False)
    return open_query(workspace, opened.id)


def activate(workspace: Workspace, ref: str, sql: str, *, tag: str) -> OpenQuery:
    """Make SQL what runs use, after the checks of ``segue apply``. Raises ConfigurationError, ChangedError."""
    opened = _unchanged(workspace, ref, tag)
    query = get_configured(workspace, "queries", opened.id)
    replace(workspace, "queries", opened.id, {**query.entry, "sql": sql, "status": "active"}, tag=query.tag)
    _drop(workspace, opened.id)
    return open_query(workspace, opened.id)


def discard_draft(workspace: Workspace, ref: str) -> OpenQuery:
    """Throw the draft of an active query away. Raises NotPermittedError."""
    workspace.actor.require("queries.edit")
    opened = open_query(workspace, ref)
    _drop(workspace, opened.id)
    return open_query(workspace, opened.id)


def new_query(workspace: Workspace, name: str, *, database: str, sql: str, folder: str | None = None) -> OpenQuery:
    """A new query, as a draft. Raises ConfigurationError, UsageError ``exists``."""
    entry: dict[str, Any] = {"name": name, "database": database, "sql": sql, "status": "draft"}
    if folder:
        entry["folder"] = folder
    return open_query(workspace, create(workspace, "queries", entry).id)


def copy_query(workspace: Workspace, ref: str, name: str) -> OpenQuery:
    """A draft under another name with the SQL of a query, or of its draft."""
    opened = open_query(workspace, ref)
    return new_query(workspace, name, database=opened.database, sql=opened.sql, folder=opened.folder)


def rename_query(workspace: Workspace, ref: str, name: str) -> OpenQuery:
    """Give a query another name; what sends it goes on sending it. Raises UsageError ``exists``, ConfigError."""
    workspace.actor.require("queries.edit")
    opened = open_query(workspace, ref)
    name = name.strip()
    with workspace.catalog.session() as session:
        if name != opened.name:
            _check_name(session, name)
            session.get_one(models.Query, opened.id).name = name
            record(session, workspace.actor, "query.rename", name, before={"name": opened.name}, after={"name": name})
    return open_query(workspace, opened.id)


def move_query(workspace: Workspace, ref: str, folder: str) -> OpenQuery:
    """Put a query into a folder, ``VIP/Spring`` into one that is in another; an empty name takes it out of the one that it is
    in. Raises UsageError ``bad_name``."""
    workspace.actor.require("queries.edit")
    opened = open_query(workspace, ref)
    target = check_folder(folder) or None
    with workspace.catalog.session() as session:
        if target != opened.folder:
            session.get_one(models.Query, opened.id).folder = target
            before, after = {"folder": opened.folder}, {"folder": target}
            record(session, workspace.actor, "query.move", opened.name, before=before, after=after)
    return open_query(workspace, opened.id)


def _bad_name() -> UsageError:
    return UsageError(
        "A name has 1 to 255 characters, all of them visible.", code="bad_name", steps=("Choose another name.",)
    )


def _check_name(session: Session, name: str) -> None:
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise _bad_name()
    if session.scalars(select(models.Query.id).where(models.Query.name == name)).first() is not None:
        raise UsageError(f'there is a query "{name}" already', code="exists", steps=("Take another name.",))


_LONGEST = 255


def _unchanged(workspace: Workspace, ref: str, tag: str) -> OpenQuery:
    opened = open_query(workspace, ref)
    if opened.tag != tag:
        raise _changed(opened)
    return opened


def _check(session: Session, opened: OpenQuery, draft: QueryDraft | None) -> None:
    """Once more under the write lock: what the draft was, it must still be."""
    if (draft.updated_at if draft else None) != opened.at:
        raise _changed(opened)
    session.get_one(models.Query, opened.id)


def _changed(opened: OpenQuery) -> ChangedError:
    return ChangedError(
        f'The query "{opened.name}" was changed by somebody else.',
        steps=("Copy what you wrote, open the query again, and put your change in.",),
    )


def _drop(workspace: Workspace, query_id: str) -> None:
    with workspace.catalog.session() as session:
        draft = session.get(QueryDraft, query_id)
        if draft is not None:
            session.delete(draft)


def _open(query: Configured, draft: QueryDraft | None) -> OpenQuery:
    entry = query.entry
    active = entry["sql"] if entry.get("status") == "active" else None
    at = draft.updated_at if draft else None
    return OpenQuery(
        id=query.id,
        name=query.name,
        folder=entry.get("folder"),
        database=entry["database"],
        sql=draft.sql if draft else entry["sql"],
        active_sql=active,
        by=draft.by if draft else None,
        at=at,
        tag=hashlib.sha256(f"{query.tag} {at}".encode()).hexdigest()[:16],
    )
