"""How far the set-up is and how things go: what the first page tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.catalog.base import Named
from segue.catalog.groups import GroupRun
from segue.catalog.runs import ENDED_WELL, Run
from segue.services.workspace import Workspace

_RUNS = 2000
"""How many runs the curves look back at; more of them would be more points than a screen has."""
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How many there are of each."""

    databases: int
    credentials: int
    active_queries: int
    destinations: int
    data_templates: int
    orchestrations: int
    good_runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Members of a list as an orchestration kept them, after each of its runs, the oldest first."""

    list_name: str
    orchestration: str
    points: tuple[tuple[datetime, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A time of a group at which nothing watched. text: what became of it."""

    id: str
    group: str
    due_at: datetime
    text: str


def setup_of(workspace: Workspace) -> Setup:
    """Count what is configured. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        return Setup(
            databases=_count(session, models.Database),
            credentials=_count(session, models.Credential),
            active_queries=session.scalar(
                select(func.count()).select_from(models.Query).where(models.Query.status == "active")
            )
            or 0,
            destinations=_count(session, models.Destination),
            data_templates=_count(session, models.DataTemplate),
            orchestrations=_count(session, models.Orchestration),
            good_runs=len(session.scalars(select(Run.id).where(Run.status.in_(ENDED_WELL)).limit(1)).all()),
        )


def curves(workspace: Workspace) -> tuple[Curve, ...]:
    """The members of every list over the last runs, the largest list first. Raises NotPermittedError."""
    workspace.actor.require("runs.read")
    rows = (
        select(Run.orchestration, Run.list_name, Run.started_at, Run.counts)
        .where(Run.status.in_(ENDED_WELL), Run.kind == "sync", Run.list_name.is_not(None))
        .order_by(Run.started_at.desc())
        .limit(_RUNS)
    )
    found: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    with workspace.catalog.session(read_only=True) as session:
        for name, list_name, at, counts in session.execute(rows):
            members = sum(counts.get(part) or 0 for part in ("added", "changed", "unchanged"))
            found.setdefault((list_name, name), []).append((at, members))
    made = [
        Curve(list_name=list_name, orchestration=name, points=tuple(reversed(points)))
        for (list_name, name), points in found.items()
    ]
    return tuple(sorted(made, key=lambda curve: -curve.points[-1][1]))


def missed_runs(workspace: Workspace, *, limit: int = 5) -> tuple[Missed, ...]:
    """Times of groups that passed while nothing watched, the latest first. Raises NotPermittedError."""
    workspace.actor.require("runs.read")
    rows = (
        select(GroupRun.id, GroupRun.group, GroupRun.due_at, GroupRun.warnings)
        .order_by(GroupRun.due_at.desc())
        .limit(_LOOKED_AT)
    )
    found = []
    with workspace.catalog.session(read_only=True) as session:
        for run_id, group, due_at, warnings in session.execute(rows):
            text = next((warning for warning in warnings if warning.startswith("missed run")), None)
            if text is not None:
                found.append(Missed(id=run_id, group=group, due_at=due_at, text=text))
    return tuple(found[:limit])


def _count(session: Session, table: type[Named]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
