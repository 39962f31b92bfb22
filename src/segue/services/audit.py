"""The activity log: lines are added by use cases in their own transaction, read and exported by administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from segue.catalog.audit import AuditLine
from segue.errors import UsageError
from segue.services.permissions import Actor
from segue.services.workspace import Workspace

_BATCH = 1000
_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that somebody did. action: such as ``query.update``; before, after: what changed, without secrets; token:
    name of the API token that spoke for the actor; address: where the request came from."""

    id: int
    at: datetime
    actor_id: str | None
    actor: str
    token: str | None
    address: str | None
    action: str
    subject: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add a line in a transaction: it is there exactly when what it tells of is. before, after: no secrets."""
    session.add(
        AuditLine(
            actor_id=actor.id,
            actor=actor.name,
            token=actor.token,
            address=actor.address,
            action=action,
            subject=subject[:_LONGEST] if subject else None,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )


def note(workspace: Workspace, action: str, subject: str | None = None, **what: Mapping[str, Any] | None) -> None:
    """Add a line in a transaction of its own, for what changes nothing in the catalog: a download, a run that begins."""
    with workspace.catalog.session() as session:
        record(session, workspace.actor, action, subject, **what)


def audit_page(
    workspace: Workspace,
    *,
    action: str | None = None,
    actor: str | None = None,
    search: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> tuple[Line, ...]:
    """The latest lines, newest first. action, actor: only these, an action's beginning such as ``query.`` too; search: only
    those where it is in the actor, the action, what it was done to, or the address; before_id: the last id of the page
    before. Raises NotPermittedError."""
    workspace.actor.require("audit.read")
    query = select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)
    if action is not None:
        query = query.where(AuditLine.action.startswith(action, autoescape=True))
    if actor is not None:
        query = query.where(AuditLine.actor == actor)
    if search:
        where = (AuditLine.actor, AuditLine.action, AuditLine.subject, AuditLine.address)
        query = query.where(or_(*(column.icontains(search, autoescape=True) for column in where)))
    if before_id is not None:
        query = query.where(AuditLine.id < before_id)
    with workspace.catalog.session(read_only=True) as session:
        return tuple(map(_line, session.scalars(query)))


def audit_line(workspace: Workspace, line_id: int) -> Line:
    """One line. Raises NotPermittedError, UsageError ``unknown_line``."""
    workspace.actor.require("audit.read")
    with workspace.catalog.session(read_only=True) as session:
        row = session.get(AuditLine, line_id)
        if row is None:
            raise UsageError(f"the activity log has no line {line_id}", code="unknown_line")
        return _line(row)


def export_audit(workspace: Workspace) -> Iterator[Line]:
    """Every line, oldest first; that the log was exported is a line of its own. Raises NotPermittedError at once."""
    workspace.actor.require("audit.read")
    note(workspace, "audit.export")
    return audit_lines(workspace)


def audit_lines(workspace: Workspace) -> Iterator[Line]:
    """Every line, oldest first. Raises NotPermittedError at once."""
    workspace.actor.require("audit.read")
    return _lines(workspace)


def _lines(workspace: Workspace) -> Iterator[Line]:
    # In pages: a reader that takes its time holds no transaction open.
    last = 0
    while True:
        query = select(AuditLine).where(AuditLine.id > last).order_by(AuditLine.id).limit(_BATCH)
        with workspace.catalog.session(read_only=True) as session:
            found = [_line(row) for row in session.scalars(query)]
        yield from found
        if len(found) < _BATCH:
            return
        last = found[-1].id


def _line(row: AuditLine) -> Line:
    return Line(
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        actor=row.actor,
        token=row.token,
        address=row.address,
        action=row.action,
        subject=row.subject,
        before=row.before,
        after=row.after,
    )
