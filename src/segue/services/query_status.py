"""How a query stands, by the runs of the orchestrations that send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.catalog.base import now as utc_now
from segue.catalog.runs import ENDED_WELL, Run
from segue.services.names import unknown
from segue.services.workspace import Workspace

UNRUN = timedelta(days=30)
"""An activated query that has not run for so long is inactive."""


class QueryState(StrEnum):
    """The words for how a query stands. activated: it can be sent, and was not yet."""

    DRAFT = "draft"
    ACTIVATED = "activated"
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    INACTIVE = "inactive"
    ERROR = "error"


_STATES: Mapping[str, QueryState] = {
    "waiting to start": QueryState.WAITING,
    "running": QueryState.RUNNING,
    "stopping": QueryState.RUNNING,
    "completed": QueryState.COMPLETED,
    "completed with warnings": QueryState.COMPLETED,
    "failed": QueryState.ERROR,
}
"""Status of the last run -> the query's. A run that was stopped says nothing of the query: the one before it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStatus:
    """last_run_at, last_run_id: of the last run of any orchestration that sends it; row_count: of the last run that
    counted the rows. All are None for a query that never ran."""

    query: str
    status: QueryState
    last_run_at: datetime | None
    last_run_id: str | None
    row_count: int | None


def query_statuses(workspace: Workspace, *, now: datetime | None = None) -> tuple[QueryStatus, ...]:
    """How every query stands, by name."""
    with workspace.catalog.session(read_only=True) as session:
        rows = session.scalars(select(models.Query).order_by(models.Query.name)).all()
        return tuple(_status(session, row, now or utc_now()) for row in rows)


def query_status(workspace: Workspace, name: str, *, now: datetime | None = None) -> QueryStatus:
    """How one query stands. Raises UsageError with the nearest names when there is none."""
    with workspace.catalog.session(read_only=True) as session:
        row = session.scalars(select(models.Query).where(models.Query.name == name)).one_or_none()
        if row is None:
            raise unknown("query", name, session.scalars(select(models.Query.name)))
        return _status(session, row, now or utc_now())


def _status(session: Session, query: models.Query, now: datetime) -> QueryStatus:
    of_query = (
        select(Run)
        .join(models.Orchestration, models.Orchestration.id == Run.orchestration_id)
        .where(models.Orchestration.query_id == query.id, Run.kind == "sync", Run.status.in_(_STATES))
        .order_by(Run.started_at.desc(), Run.id.desc())
    )
    last = session.scalars(of_query.limit(1)).one_or_none()
    counts = of_query.with_only_columns(Run.counts).where(Run.status.in_(ENDED_WELL))
    counted = session.scalars(counts.limit(1)).first()
    return QueryStatus(
        query=query.name,
        status=_state(query, last, now),
        last_run_at=last.started_at if last else None,
        last_run_id=last.id if last else None,
        row_count=counted.get("source") if counted else None,
    )


def _state(query: models.Query, last: Run | None, now: datetime) -> QueryState:
    if query.status == "draft":
        return QueryState.DRAFT
    state = _STATES[last.status] if last else QueryState.ACTIVATED
    since = last.started_at if last else query.updated_at
    settled = state in (QueryState.ACTIVATED, QueryState.COMPLETED, QueryState.ERROR)
    return QueryState.INACTIVE if settled and now - since > UNRUN else state
