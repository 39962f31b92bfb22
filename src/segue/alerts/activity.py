"""The recent activity: what happened, newest first, and what of it was seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update

from segue.catalog import Catalog, base
from segue.catalog.activity import Activity
from segue.catalog.base import now


class Kind(StrEnum):
    """What a line is about: something that goes on, that ended well, that wants a look, that went wrong."""

    RUNNING = "running"
    COMPLETED = "completed"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. run_id: the run that it is about, None when it is about none."""

    id: int
    at: datetime
    kind: Kind
    text: str
    run_id: str | None
    seen: bool


def record_activity(catalog: Catalog, kind: Kind, text: str, *, run_id: str | None = None) -> None:
    """Add a line. What came of a run, or its taking up, replaces the line that says it is running."""
    with catalog.session() as session:
        if run_id is not None:
            session.execute(delete(Activity).where(Activity.run_id == run_id, Activity.kind == Kind.RUNNING))
        session.add(Activity(at=now(), kind=kind, text=text, run_id=run_id))


def recent_activity(
    catalog: Catalog, *, unseen: bool = False, limit: int = 20, before: tuple[datetime, int] | None = None
) -> list[Line]:
    """The latest lines, newest first. unseen: only those that nobody has looked at; before: the line after which to go on."""
    query = select(Activity).order_by(Activity.at.desc(), Activity.id.desc()).limit(limit)
    if unseen:
        query = query.where(Activity.seen_at.is_(None))
    if before is not None:
        query = query.where(base.before(Activity.at, Activity.id, before))
    with catalog.session(read_only=True) as session:
        return [_line(row) for row in session.scalars(query)]


def mark_seen(catalog: Catalog, ids: Collection[int]) -> None:
    """Say that these lines were looked at. One of a run that goes on stays unseen: it will say something else."""
    with catalog.session() as session:
        session.execute(
            update(Activity)
            .where(Activity.id.in_(ids), Activity.seen_at.is_(None), Activity.kind != Kind.RUNNING)
            .values(seen_at=now())
        )


def _line(row: Activity) -> Line:
    return Line(
        id=row.id,
        at=row.at,
        kind=Kind(row.kind),
        text=row.text,
        run_id=row.run_id,
        seen=row.seen_at is not None,
    )
