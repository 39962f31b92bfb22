"""The data explorer: the tables of a database, their columns, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from nicegui import ui

from segue.errors import SegueError
from segue.services.editing import get_configured
from segue.services.exploring import ColumnStatistics, TableStatistics, table_statistics
from segue.services.previews import tables_of
from segue.web.components.banner import error_banner, notice
from segue.web.components.parts import Part, heading, part
from segue.web.components.states import empty, skeleton
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_COLUMNS = (
    Column(key="name", label="Column"),
    Column(key="type", label="Type", kind="code"),
    Column(key="filled", label="Completion %", kind="number"),
    Column(key="unique", label="Uniqueness %", kind="number", wide=True),
    Column(key="distinct", label="Values", kind="number", wide=True),
    Column(key="examples", label="Examples", wide=True),
)
_PERCENT = 100


async def build(visit: Visit, ref: str, table: str = "") -> None:
    """Fill the page. table: the one that is shown; the first where none is named."""
    name = (await visit.call(get_configured, visit.workspace, "databases", ref)).name
    ui.page_title(f"{name} · Segue")
    heading(name, "The tables that queries read, and what is in them.")
    tables = await visit.call(tables_of, visit.workspace, name)
    if not tables:
        empty("table_chart", "No tables", "The database has none yet.")
        return
    shown = table if table in tables else next(iter(tables))
    with part("div", "explorer"):
        with part("nav", "card table-list", aria_label="Tables"):
            for each, columns in tables.items():
                current = {"aria_current": "page"} if each == shown else {}
                with part("a", "side-link", href=f"/databases/{quote(ref)}?table={quote(each, safe='')}", **current):
                    part("span", text=each)
                    part("span", "muted", text=f"{len(columns)} columns")
        with part("section", "card", aria_label=shown):
            part("h2", text=shown)
            state = part("div")
            grid = DataTable(f"Columns of {shown}", _COLUMNS, _plain(tables[shown]), page=0)
    with state:
        if visit.may("queries.run"):
            skeleton(1)
            ui.timer(0.1, partial(_look, visit, name, shown, state, grid), once=True)
        else:
            notice("What is in the columns is shown to people who may run queries.", tone="idle", name="lock")


async def _look(visit: Visit, database: str, table: str, state: Part, grid: DataTable) -> None:
    """Names and types are there at once; the rest takes a look at the rows."""
    found: TableStatistics | SegueError
    try:
        found = await visit.call(table_statistics, visit.workspace, visit.settings, database, table)
    except SegueError as error:
        found = error
    if state.is_deleted:
        return
    state.clear()
    with state:
        if isinstance(found, SegueError):
            error_banner(found)
            return
        part("p", "muted", text=_rows_of(found), role="status")
    grid.fill([_row(column, found.rows) for column in found.columns])


def _rows_of(found: TableStatistics) -> str:
    if not found.is_part:
        return f"{found.rows:,} rows"
    total = "a table whose rows take long to count" if found.total is None else f"{found.total:,} rows"
    return f"Of {total}; the columns tell of the first {found.rows:,}."


def _plain(columns: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"id": name, "name": name, "type": kind} for name, kind in columns.items()]


def _row(column: ColumnStatistics, rows: int) -> dict[str, object]:
    return {
        "id": column.name,
        "name": column.name,
        "type": column.type,
        "filled": _share(column.filled, rows),
        "unique": _share(column.distinct, column.filled),
        "distinct": column.distinct,
        "examples": " · ".join(column.examples),
    }


def _share(part_of: int, whole: int) -> float | None:
    """In percent, with one digit behind the point; never 100 for less than all."""
    if not whole:
        return None
    share = _PERCENT * part_of / whole
    return round(share, 1) if part_of == whole else min(round(share, 1), 99.9)


PAGE = Page(
    path="/databases/{ref}",
    title="Data explorer",
    section=Section.CUSTOMER_360,
    permission="configuration.read",
    build=build,
    listed=False,
    example="/databases/customer360",
)
