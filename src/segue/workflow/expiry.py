"""Which runs of an orchestration are past their time."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from segue.catalog.models import Orchestration
from segue.catalog.runs import ENDED_WELL, AudienceSnapshot, DeliveryPart, Run, Task
from segue.services.retention import Retention
from segue.workflow.rows import SETTLED
from segue.workflow.status import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Runs of one orchestration. alive: whether the orchestration is still configured; runs: all of them; payloads: those whose
    people's data go; given_up: of these, those that could be taken up as yet; records: those that go altogether; unfinished:
    those that are old and keep everything, because they have begun to send and did not end."""

    alive: bool
    runs: AbstractSet[str]
    payloads: AbstractSet[str]
    given_up: AbstractSet[str]
    records: AbstractSet[str]
    unfinished: AbstractSet[str]


def orchestration_ids(session: Session) -> set[str]:
    """Every orchestration of which something is stored, deleted ones too."""
    columns = (Orchestration.id, Run.orchestration_id, AudienceSnapshot.orchestration_id)
    return {found for column in columns for found in session.scalars(select(column).distinct())}


def expired(session: Session, orchestration_id: str, retention: Retention, at: datetime) -> Expired:
    """What has expired at a moment, by age or because so many runs are newer. A run's age counts from its end.

    The latest runs keep their record whatever their age, and so does the last one that ended well: a fuse looks at its count.
    Of an orchestration that was deleted nothing is kept beyond its time: nobody can go on with it.
    """
    alive = session.get(Orchestration, orchestration_id) is not None
    runs = session.scalars(
        select(Run).where(Run.orchestration_id == orchestration_id).order_by(Run.started_at.desc(), Run.id.desc())
    ).all()
    begun = set(_having(session, orchestration_id, DeliveryPart))
    settled = set(_having(session, orchestration_id, Task, *SETTLED))
    over = {run.id for run in runs if run.status in ENDED_WELL} | settled
    needed = {run.id for run in runs if run.status == RunStatus.WAITING or run.id in begun - over} if alive else set()
    lasting = {run.id for run in runs[: retention.keep_last_runs]} if alive else set()
    lasting |= {run.id for run in islice((r for r in runs if r.status in ENDED_WELL and r.kind == "sync"), 1) if alive}

    def past(seconds: float, most: int | None) -> set[str]:
        old = {run.id for run in runs if at - (run.ended_at or run.started_at) > timedelta(seconds=seconds)}
        return old | {run.id for run in runs[most:] if most is not None}

    old = past(retention.keep_payloads, retention.most_payloads)
    payloads = old - needed
    return Expired(
        alive=alive,
        runs={run.id for run in runs},
        payloads=payloads,
        given_up=payloads - over,
        records=(past(retention.keep_runs, retention.most_runs) & payloads) - lasting,
        unfinished=old & needed,
    )


def _having(
    session: Session, orchestration_id: str, table: type[DeliveryPart | Task], *where: ColumnElement[bool]
) -> list[str]:
    query = (
        select(table.run_id).join(Run, Run.id == table.run_id).where(Run.orchestration_id == orchestration_id, *where)
    )
    return list(session.scalars(query.distinct()))
