"""How a query stands, by the runs of the orchestrations that send it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

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
        return tuple(standing(session, rows, now=now or utc_now()).values())


def query_status(workspace: Workspace, name: str, *, now: datetime | None = None) -> QueryStatus:
    """How one query stands. Raises UsageError with the nearest names when there is none."""
    with workspace.catalog.session(read_only=True) as session:
        row = session.scalars(select(models.Query).where(models.Query.name == name)).one_or_none()
        if row is None:
            raise unknown("query", name, session.scalars(select(models.Query.name)))
        return standing(session, [row], now=now or utc_now())[row.id]


def standing(session: Session, queries: Sequence[models.Query], *, now: datetime) -> dict[str, QueryStatus]:
    """How queries stand, by id, in their order: two reads, however many there are."""
    ids = [query.id for query in queries] if len(queries) == 1 else None
    last = _latest_runs(session, _STATES, ids)
    counted = _latest_runs(session, ENDED_WELL, ids)
    return {query.id: _status(query, last.get(query.id), counted.get(query.id), now) for query in queries}


def _latest_runs(session: Session, statuses: Iterable[str], ids: Sequence[str] | None) -> dict[str, Run]:
    """The latest run in one of these statuses of each query, by its id; ids: of these queries, None for all.

    For each orchestration the index over (orchestration, start) gives its latest run, however many there are.
    """
    latest = aliased(Run)
    found = (
        select(latest.id)
        .where(
            latest.orchestration_id == models.Orchestration.id,
            latest.kind == "sync",
            latest.status.in_(tuple(statuses)),
        )
        .order_by(latest.started_at.desc(), latest.id.desc())
        .limit(1)
        .correlate(models.Orchestration)
        .scalar_subquery()
    )
    rows = select(models.Orchestration.query_id, Run).join(Run, Run.id == found).order_by(Run.started_at, Run.id)
    if ids is not None:
        rows = rows.where(models.Orchestration.query_id.in_(ids))
    return {row.query_id: row.Run for row in session.execute(rows)}


def _status(query: models.Query, last: Run | None, counted: Run | None, now: datetime) -> QueryStatus:
    return QueryStatus(
        query=query.name,
        status=_state(query, last, now),
        last_run_at=last.started_at if last else None,
        last_run_id=last.id if last else None,
        row_count=counted.counts.get("source") if counted else None,
    )


def _state(query: models.Query, last: Run | None, now: datetime) -> QueryState:
    if query.status == "draft":
        return QueryState.DRAFT
    state = _STATES[last.status] if last else QueryState.ACTIVATED
    since = last.started_at if last else query.updated_at
    settled = state in (QueryState.ACTIVATED, QueryState.COMPLETED, QueryState.ERROR)
    return QueryState.INACTIVE if settled and now - since > UNRUN else state
