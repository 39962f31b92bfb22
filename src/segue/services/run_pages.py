"""The list of runs, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, or_, select

from segue.catalog import models
from segue.catalog.base import before
from segue.catalog.runs import Run
from segue.services.cursors import cut, read_cursor
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """ids: newest first; cursor: gives the next page, None after the last one."""

    ids: tuple[str, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; None: all. orchestration: a name as it was then; orchestration_id: whatever its name was; since: those that
    began later; text: a part of the orchestration's or the list's name, or the beginning of the run's id."""

    orchestration: str | None = None
    orchestration_id: str | None = None
    status: str | None = None
    started_by: str | None = None
    since: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run at a glance. The numbers are of rows, None where the run did not come so far."""

    id: str
    orchestration: str
    kind: str
    status: str
    started_by: str
    started_at: datetime
    seconds: float | None
    rows: int | None
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLines:
    """lines: newest first; cursor: gives the next page, None after the last one."""

    lines: tuple[RunLine, ...]
    cursor: str | None


def run_page(
    workspace: Workspace, *, orchestration: str | None, status: str | None, cursor: str | None, limit: int
) -> RunPage:
    """One page. A run that begins meanwhile moves nobody to another page. Raises UsageError ``bad_cursor``."""
    wanted = RunFilter(orchestration=orchestration, status=status)
    rows, following = _page(workspace, select(Run.id, Run.started_at), wanted, cursor, limit)
    return RunPage(ids=tuple(row.id for row in rows), cursor=following)


def run_lines(workspace: Workspace, wanted: RunFilter, *, cursor: str | None = None, limit: int = 100) -> RunLines:
    """One page of the runs that are wanted, in one read however many there are. Raises UsageError, NotPermittedError."""
    workspace.actor.require("runs.read")
    columns = select(
        Run.id,
        Run.orchestration,
        Run.kind,
        Run.status,
        Run.started_by,
        Run.started_at,
        Run.ended_at,
        Run.counts,
    )
    rows, following = _page(workspace, columns, wanted, cursor, limit)
    return RunLines(lines=tuple(map(_line, rows)), cursor=following)


def orchestration_names(workspace: Workspace, also: str | None = None) -> dict[str, str]:
    """Id -> name of every orchestration, by name. also: the id of one that may be gone and has left runs behind."""
    workspace.actor.require("runs.read")
    with workspace.catalog.session(read_only=True) as session:
        rows = session.execute(select(models.Orchestration.id, models.Orchestration.name))
        names = {row.id: row.name for row in rows}
        if also is not None and also not in names:
            last = select(Run.orchestration).where(Run.orchestration_id == also).order_by(Run.started_at.desc())
            if gone := session.scalars(last.limit(1)).one_or_none():
                names[also] = gone if gone not in names.values() else f"{gone} (deleted)"
    return dict(sorted(names.items(), key=lambda pair: pair[1].casefold()))


def wanted_runs(
    columns: Select[*tuple[Any, ...]], wanted: RunFilter, cursor: str | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """What is asked of the catalog for a page, and for one run more. Raises UsageError ``bad_cursor``."""
    if wanted.text:
        # An index holds all that a search looks at: rows are read of those alone that it finds.
        found = _narrowed(select(Run.id), wanted, cursor, limit)
        return columns.where(Run.id.in_(found)).order_by(Run.started_at.desc(), Run.id.desc())
    return _narrowed(columns, wanted, cursor, limit)


def _narrowed(
    columns: Select[*tuple[Any, ...]], wanted: RunFilter, cursor: str | None, limit: int
) -> Select[*tuple[Any, ...]]:
    query = columns.order_by(Run.started_at.desc(), Run.id.desc()).limit(limit + 1)
    for column, value in (
        (Run.orchestration, wanted.orchestration),
        (Run.orchestration_id, wanted.orchestration_id),
        (Run.status, wanted.status),
        (Run.started_by, wanted.started_by),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(Run.started_at >= wanted.since)
    if wanted.text:
        query = query.where(
            or_(
                Run.orchestration.icontains(wanted.text, autoescape=True),
                Run.list_name.icontains(wanted.text, autoescape=True),
                Run.id.istartswith(wanted.text, autoescape=True),
            )
        )
    if cursor is not None:
        query = query.where(before(Run.started_at, Run.id, read_cursor(cursor)))
    return query


def _page(
    workspace: Workspace, columns: Select[*tuple[Any, ...]], wanted: RunFilter, cursor: str | None, limit: int
) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
    query = wanted_runs(columns, wanted, cursor, limit)
    with workspace.catalog.session(read_only=True) as session:
        rows = session.execute(query).all()
    return cut(rows, limit, lambda row: (row.started_at, row.id))


def _line(row: Row[*tuple[Any, ...]]) -> RunLine:
    return RunLine(
        id=row.id,
        orchestration=row.orchestration,
        kind=row.kind,
        status=row.status,
        started_by=row.started_by,
        started_at=row.started_at,
        seconds=(row.ended_at - row.started_at).total_seconds() if row.ended_at else None,
        rows=row.counts.get("source"),
        added=row.counts.get("added"),
        removed=row.counts.get("removed"),
    )
