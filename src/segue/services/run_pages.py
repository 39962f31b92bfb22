"""The list of runs, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from segue.catalog.base import before
from segue.catalog.runs import Run
from segue.services.cursors import cut, read_cursor
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """ids: newest first; cursor: gives the next page, None after the last one."""

    ids: tuple[str, ...]
    cursor: str | None


def run_page(
    workspace: Workspace, *, orchestration: str | None, status: str | None, cursor: str | None, limit: int
) -> RunPage:
    """One page. A run that begins meanwhile moves nobody to another page. Raises UsageError ``bad_cursor``."""
    query = select(Run.id, Run.started_at).order_by(Run.started_at.desc(), Run.id.desc()).limit(limit + 1)
    if orchestration is not None:
        query = query.where(Run.orchestration == orchestration)
    if status is not None:
        query = query.where(Run.status == status)
    if cursor is not None:
        query = query.where(before(Run.started_at, Run.id, read_cursor(cursor)))
    with workspace.catalog.session(read_only=True) as session:
        rows = session.execute(query).all()
    shown, following = cut(rows, limit, lambda row: (row.started_at, row.id))
    return RunPage(ids=tuple(row.id for row in shown), cursor=following)
