"""Customer 360: the databases that queries read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from segue.errors import SegueError
from segue.services.databases import DatabaseLine, database_lines
from segue.services.previews import tables_of
from segue.web.components.banner import error_banner
from segue.web.components.icons import button, menu_button
from segue.web.components.parts import Part, heading, part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.deleting import delete_thing
from segue.web.pages.database_form import open_database_form
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EDIT = "databases.edit"
Refill = Callable[[], Awaitable[None]]


async def build(visit: Visit) -> None:
    """Fill the page."""

    async def refill() -> None:
        lines = await visit.call(database_lines, visit.workspace)
        place.clear()
        with place:
            states = _show(visit, lines, refill)
        await _check_all(visit, states)

    with heading("Customer 360", "The databases that queries read. Segue only reads them."):
        if visit.may(_EDIT):
            button("Add database", on_click=lambda: open_database_form(visit, None, refill), name="add", kind="primary")
    place = part("div", "stack")
    with place:
        states = _show(visit, await visit.call(database_lines, visit.workspace), refill)
    ui.timer(0.1, partial(_check_all, visit, states), once=True)


def _show(visit: Visit, lines: tuple[DatabaseLine, ...], refill: Refill) -> list[tuple[DatabaseLine, Part, Part]]:
    """The cards. With each comes where to say how it stands, and what is wrong with it."""
    if not lines:
        with part("section", "card"):
            empty("storage", "No database yet", "Add one: a DuckDB file, or Parquet and CSV files. Queries read it.")
    return [_card(visit, line, refill) for line in lines]


def _card(visit: Visit, line: DatabaseLine, refill: Refill) -> tuple[DatabaseLine, Part, Part]:
    with part("section", "card", aria_label=line.name):
        with part("div", "card-head wraps") as head, part("div", "card-title"):
            with part("h2"):
                part("a", text=line.name, href=f"/databases/{line.id}")
            state = part("div", "card-title", role="status")
            with state:
                status("checking")
        problem = part("div")
        with head, part("div", "actions"):
            part("a", "button", text="Explore", href=f"/databases/{line.id}")
            entries: list[tuple[str, str, Callable[[], Awaitable[None]]]] = [
                ("network_check", "Check", partial(_check, visit, line, state, problem))
            ]
            if visit.may(_EDIT):
                entries += [
                    ("edit", "Edit", lambda: open_database_form(visit, line.id, refill)),
                    ("delete", "Delete", partial(_delete, visit, line, refill)),
                ]
            menu_button(f"Actions: {line.name}", entries, danger="Delete")
        with part("dl", "facts"):
            for term, text in _facts(line):
                if text:
                    part("dt", text=term)
                    part("dd", text=text)
    return line, state, problem


def _facts(line: DatabaseLine) -> tuple[tuple[str, str], ...]:
    files = "; ".join(f"{table}: {pattern}" for table, pattern in line.tables.items())
    return (
        ("Engine", line.engine),
        ("File" if line.path else "Files", line.path or files),
        ("Personal columns", ", ".join(line.personal)),
        ("Read by", ", ".join(line.used_by)),
    )


async def _check_all(visit: Visit, states: list[tuple[DatabaseLine, Part, Part]]) -> None:
    for line, state, problem in states:
        await _check(visit, line, state, problem)


async def _check(visit: Visit, line: DatabaseLine, state: Part, problem: Part) -> None:
    try:
        tables = await visit.call(tables_of, visit.workspace, line.name)
    except SegueError as error:
        _say(state, problem, "error", "", error)
    else:
        _say(state, problem, "connected", f"{len(tables)} table{'' if len(tables) == 1 else 's'}")


def _say(state: Part, problem: Part, word: str, text: str, error: SegueError | None = None) -> None:
    if state.is_deleted:
        return
    state.clear()
    problem.clear()
    with state:
        status(word)
        part("span", "muted", text=text)
    with problem:
        if error is not None:
            error_banner(error)


async def _delete(visit: Visit, line: DatabaseLine, refill: Refill) -> None:
    users = [f'the query "{name}"' for name in line.used_by]
    text = "is forgotten. Its files stay as they are."
    if await delete_thing(visit, "databases", line.id, line.name, noun="database", text=text, users=users):
        await refill()


PAGE = Page(
    path="/databases",
    title="Customer 360",
    section=Section.CUSTOMER_360,
    permission="configuration.read",
    build=build,
)
