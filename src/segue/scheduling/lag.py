"""How late groups start."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from segue.catalog import Catalog
from segue.catalog.groups import GroupRun, OrchestrationGroup
from segue.scheduling.status import Cause, GroupStatus


def lags(catalog: Catalog, *, now: datetime) -> dict[str, float]:
    """Seconds between being due and starting, of the latest run of each group; of one that still waits, until now.

    Runs that a person asked for are left out, and those that were skipped or missed: they never start.
    """
    query = (
        select(OrchestrationGroup.name, GroupRun.due_at, GroupRun.started_at)
        .join(GroupRun, GroupRun.group_id == OrchestrationGroup.id)
        .where(
            GroupRun.cause != Cause.MANUAL,
            or_(GroupRun.started_at.is_not(None), GroupRun.status == GroupStatus.WAITING),
        )
        .order_by(GroupRun.due_at)
    )
    with catalog.session(read_only=True) as session:
        return {name: max(0.0, ((began or now) - due).total_seconds()) for name, due, began in session.execute(query)}
