"""The recent activity: what happened, newest first, and what of it somebody has seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select

from segue.catalog import Catalog, base
from segue.catalog.activity import Activity, ActivitySeen
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
    catalog: Catalog,
    *,
    reader: str | None = None,
    unseen: bool = False,
    limit: int = 20,
    before: tuple[datetime, int] | None = None,
) -> list[Line]:
    """The latest lines, newest first. reader: who looks, see ``Actor.person``; unseen: only those that they have not looked
    at; before: the line after which to go on."""
    looked = (ActivitySeen.activity_id == Activity.id) & (ActivitySeen.reader == (reader or ""))
    query = select(Activity, ActivitySeen.reader).outerjoin(ActivitySeen, looked)
    if unseen:
        query = query.where(ActivitySeen.reader.is_(None))
    if before is not None:
        query = query.where(base.before(Activity.at, Activity.id, before))
    with catalog.session(read_only=True) as session:
        rows = session.execute(query.order_by(Activity.at.desc(), Activity.id.desc()).limit(limit))
        return [_line(row, seen=by is not None) for row, by in rows]


def mark_seen(catalog: Catalog, ids: Collection[int], *, reader: str) -> None:
    """Say that these lines were looked at. One of a run that goes on stays unseen: it will say something else."""
    looked = (ActivitySeen.activity_id == Activity.id) & (ActivitySeen.reader == reader)
    new = (
        select(Activity.id)
        .outerjoin(ActivitySeen, looked)
        .where(Activity.id.in_(ids), Activity.kind != Kind.RUNNING, ActivitySeen.reader.is_(None))
    )
    with catalog.session() as session:
        session.add_all(ActivitySeen(activity_id=number, reader=reader) for number in session.scalars(new).all())


def _line(row: Activity, *, seen: bool) -> Line:
    return Line(id=row.id, at=row.at, kind=Kind(row.kind), text=row.text, run_id=row.run_id, seen=seen)
