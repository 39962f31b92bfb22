"""Every run, newest first, page by page as one scrolls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from nicegui.events import GenericEventArguments

from segue.catalog.base import now
from segue.services.run_pages import RunFilter, RunLine, orchestration_names, run_lines
from segue.web.components.looking import look_every
from segue.web.components.parts import heading
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.status import RunStatus

_PAGE = 100
_EVERY = 3.0
"""Seconds between two looks at the newest runs."""
_SINCE = {
    "last hour": timedelta(hours=1),
    "last 24 hours": timedelta(days=1),
    "last 7 days": timedelta(days=7),
    "last 30 days": timedelta(days=30),
}
STARTERS = {"user": "a person", "api": "the API", "signal": "a signal", "schedule": "a schedule"}
"""Who starts a run, in words."""


async def build(visit: Visit, orchestration: str = "") -> None:
    """Fill the page. orchestration: the id of one, whose runs are shown at first."""
    heading("Workflows", "Every run: what was sent, and how it went.")
    names = await visit.call(orchestration_names, visit.workspace, orchestration or None)
    listing = _Listing(visit, names, names.get(orchestration, ""))
    await listing.show()
    look_every(_EVERY, listing.renew)


class _Listing:
    """The table, what is asked for, and how far the browser has it."""

    def __init__(self, visit: Visit, names: dict[str, str], chosen: str) -> None:
        self._visit = visit
        self._ids = {name: id_ for id_, name in names.items()}
        self._chosen = {"name": chosen} if chosen else {}
        self._wanted = self._filter("", self._chosen)
        self._first: tuple[RunLine, ...] = ()
        self._cursor: str | None = None
        self._turn = 0
        self._table: DataTable | None = None

    async def show(self) -> None:
        """Draw the first page."""
        found = await self._visit.call(run_lines, self._visit.workspace, self._wanted, limit=_PAGE)
        self._first, self._cursor = found.lines, found.cursor
        self._table = DataTable(
            "Runs",
            [
                Column(key="name", label="Orchestration", kind="link", filter=tuple(self._ids)),
                Column(key="status", label="Status", kind="status", filter=tuple(map(str, RunStatus))),
                Column(key="rows", label="Rows", kind="number", wide=True),
                Column(key="added", label="Added", kind="number", wide=True),
                Column(key="removed", label="Removed", kind="number", wide=True),
                Column(key="by", label="Started by", filter=tuple(STARTERS.values()), wide=True),
                Column(key="at", label="Started", kind="time", filter=tuple(_SINCE)),
                Column(key="seconds", label="Seconds", kind="number", wide=True),
                Column(key="run", label="Run", kind="code", wide=True),
            ],
            list(map(_row, found.lines)),
            on_ask=self._answer,
            page=0,
            more=found.cursor is not None,
            chosen=self._chosen,
            empty=("No run yet", "Run an orchestration, or let a group run: each run stands here then, and stays."),
        )

    async def renew(self) -> None:
        """Show the first page as it is now; those that it pushes down stay where they are."""
        turn = self._turn
        found = await self._visit.call(run_lines, self._visit.workspace, self._wanted, limit=_PAGE)
        if turn != self._turn or self._table is None:
            return
        last = found.lines[-1] if found.lines and found.cursor else None
        below = [line for line in self._first if last and (line.started_at, line.id) < (last.started_at, last.id)]
        lines = (*found.lines, *below)
        if lines != self._first:
            self._first = lines
            self._table.fill(list(map(_row, lines)), more=self._cursor is not None)

    async def _answer(self, event: GenericEventArguments) -> None:
        asked = event.args
        if not asked["more"]:
            self._turn += 1
            self._wanted = self._filter(asked["search"], asked["filters"])
            self._cursor = None
        elif self._cursor is None:
            return
        turn = self._turn
        found = await self._visit.call(run_lines, self._visit.workspace, self._wanted, cursor=self._cursor, limit=_PAGE)
        if turn != self._turn or self._table is None:
            return  # something else was asked for meanwhile
        self._cursor = found.cursor
        if asked["more"]:
            self._table.add(list(map(_row, found.lines)), more=found.cursor is not None)
        else:
            self._first = found.lines
            self._table.fill(list(map(_row, found.lines)), more=found.cursor is not None)

    def _filter(self, search: str, chosen: dict[str, str]) -> RunFilter:
        starters = {said: word for word, said in STARTERS.items()}
        return RunFilter(
            orchestration_id=self._ids.get(chosen.get("name", "")),
            status=chosen.get("status") or None,
            started_by=starters.get(chosen.get("by", "")),
            since=_since(chosen.get("at", "")),
            text=search or None,
        )


def _since(chosen: str) -> datetime | None:
    length = _SINCE.get(chosen)
    return now() - length if length is not None else None


def _row(line: RunLine) -> dict[str, Any]:
    name = f"Undo: {line.orchestration}" if line.kind == "undo" else line.orchestration
    return {
        "id": line.id,
        "name": (name, f"/workflows/{line.id}"),
        "status": line.status,
        "rows": line.rows,
        "added": line.added,
        "removed": line.removed,
        "by": STARTERS.get(line.started_by, line.started_by),
        "at": line.started_at,
        "seconds": None if line.seconds is None else round(line.seconds, 1),
        "run": line.id,
    }


PAGE = Page(
    path="/workflows",
    title="Run history",
    section=Section.WORKFLOWS,
    permission="runs.read",
    build=build,
    tab="Run history",
)
