"""Numbers over all runs that are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from segue.catalog.runs import ENDED_WELL, Run
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRun:
    """The last run of an orchestration that ended. rows: by outcome; well: when the last one ended well, None for never."""

    orchestration: str
    status: str
    ended_at: datetime
    seconds: float
    rows: Mapping[str, int]
    well: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """runs: by status; rows: by outcome; requests: by endpoint of the destination; seconds: of all runs that ended, and
    how many those are."""

    runs: Mapping[str, int]
    rows: Mapping[str, int]
    requests: Mapping[str, int]
    seconds: float
    ended: int
    latest: tuple[LatestRun, ...]


def statistics(workspace: Workspace) -> Statistics:
    """Read them."""
    runs: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    seconds, ended = 0.0, 0
    query = select(Run.status, Run.counts, Run.requests, Run.started_at, Run.ended_at)
    with workspace.catalog.session(read_only=True) as session:
        for status, counts, calls, start, end in session.execute(query.execution_options(yield_per=1000)):
            runs[status] += 1
            rows.update(_numbers(counts))
            requests.update(calls)
            if end is not None:
                seconds, ended = seconds + (end - start).total_seconds(), ended + 1
        latest = _latest(session)
    return Statistics(runs=runs, rows=rows, requests=requests, seconds=seconds, ended=ended, latest=latest)


def _latest(session: Session) -> tuple[LatestRun, ...]:
    last = select(Run.orchestration, func.max(Run.ended_at).label("ended")).group_by(Run.orchestration)
    well = {name: ended for name, ended in session.execute(last.where(Run.status.in_(ENDED_WELL)))}  # noqa: C416 -- rows
    newest = last.subquery()
    query = (
        select(Run)
        .join(newest, (Run.orchestration == newest.c.orchestration) & (Run.ended_at == newest.c.ended))
        .order_by(Run.orchestration, Run.id)
    )
    # Two that ended in one moment would be one series twice: the later id wins.
    runs = {run.orchestration: run for run in session.scalars(query)}
    return tuple(
        LatestRun(
            orchestration=name,
            status=run.status,
            ended_at=run.ended_at,
            seconds=(run.ended_at - run.started_at).total_seconds(),
            rows=_numbers(run.counts),
            well=well.get(name),
        )
        for name, run in runs.items()
        if run.ended_at is not None
    )


def _numbers(counts: Mapping[str, object]) -> dict[str, int]:
    return {name: value for name, value in counts.items() if isinstance(value, int)}
