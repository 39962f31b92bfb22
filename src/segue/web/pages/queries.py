"""Queries: the list, and what is done with one of them as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.services.drafts import copy_query, move_query, new_query, rename_query
from segue.services.editing import configured_names
from segue.services.folders import folder_path, folder_tree
from segue.services.overview import QueryLine, query_lines
from segue.services.previews import tables_of, template
from segue.web.components.banner import toast
from segue.web.components.dialogs import ask, confirm, dialog
from segue.web.components.fields import choice_field, needed, suggest, text_field
from segue.web.components.folder_tree import paths_of
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.table import Action, Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.query_folders import LOOSE, show_path, show_tree, within
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.requests import request_run

_COLUMNS = (
    Column(key="name", label="Query", kind="link"),
    Column(key="status", label="Status", kind="status", filter=True),
    Column(key="folder", label="Folder", wide=True),
    Column(key="last", label="Last run", kind="time"),
    Column(key="rows", label="Rows", kind="number", wide=True),
    Column(key="used", label="Used by", wide=True),
    Column(key="changed", label="Changed", kind="time", wide=True),
)
_EDIT = "queries.edit"
_BLANK = "SELECT\n  email\nFROM Customer360\n"


async def build(visit: Visit, folder: str = "") -> None:
    """Fill the page. folder: whose queries are shown; empty: all."""
    folder = folder if folder == LOOSE else folder_path(folder)
    with heading("Queries", "What is asked of the Customer 360. Its rows go where an orchestration sends them."):
        if visit.may(_EDIT):
            button("New query", on_click=lambda: _ask_new(visit, folder), name="add", kind="primary")
    lines = await visit.call(query_lines, visit.workspace)
    nothing = ("No query here", "It was moved or renamed.") if folder and lines else _NOTHING

    async def refill() -> None:
        now = await visit.call(query_lines, visit.workspace)
        table.fill(_rows(visit, now, folder))
        tree.clear()
        with tree:
            show_tree(now, folder)

    with part("div", "explorer"):
        with part("div") as tree:
            show_tree(lines, folder)
        with part("div", "stack"):
            show_path(visit, folder)
            table = DataTable(
                "Queries",
                _COLUMNS,
                _rows(visit, lines, folder),
                actions=_actions(visit),
                on_action=lambda event: _act(visit, event, refill),
                empty=nothing,
            )


_NOTHING = ("No query yet", "Write a SELECT; its rows become the members of a list.")


def _rows(visit: Visit, lines: tuple[QueryLine, ...], folder: str) -> list[dict[str, object]]:
    linked = visit.may("runs.read") and visit.has("/workflows/{run_id}")
    return [
        {
            "id": line.id,
            "name": (line.name, f"/queries/{line.id}"),
            "status": line.status,
            "folder": line.folder,
            "last": (line.last_run_at, f"/workflows/{line.last_run_id}")
            if linked and line.last_run_id
            else line.last_run_at,
            "rows": line.rows,
            "used": ", ".join(line.used_by),
            "changed": line.updated_at,
            "actions": [key for key in _ACTIONS if key != "run" or line.used_by],
        }
        for line in lines
        if within(line, folder)
    ]


_ACTIONS = {
    "open": Action(key="open", label="View and edit", icon="edit"),
    "copy": Action(key="copy", label="Make a copy", icon="content_copy"),
    "run": Action(key="run", label="Run what sends it", icon="play_arrow"),
    "csv": Action(key="csv", label="Download CSV", icon="download"),
    "rename": Action(key="rename", label="Rename", icon="drive_file_rename_outline"),
    "move": Action(key="move", label="Move to folder", icon="drive_file_move"),
    "delete": Action(key="delete", label="Delete", icon="delete", danger=True),
}
_NEEDS = {"copy": _EDIT, "rename": _EDIT, "move": _EDIT, "delete": _EDIT, "run": "runs.start", "csv": "queries.run"}


def _actions(visit: Visit) -> list[Action]:
    return [action for key, action in _ACTIONS.items() if key not in _NEEDS or visit.may(_NEEDS[key])]


async def _act(visit: Visit, event: GenericEventArguments, refill: Callable[[], Awaitable[None]]) -> None:
    line = next((x for x in await visit.call(query_lines, visit.workspace) if x.id == event.args["row"]), None)
    if line is None:
        ui.notify("The query is gone.", type="warning")
        return
    await _DOING[event.args["action"]](visit, line)
    await refill()


async def _open(_visit: Visit, line: QueryLine) -> None:
    ui.navigate.to(f"/queries/{line.id}")


async def _download(_visit: Visit, line: QueryLine) -> None:
    ui.download.from_url(f"/queries/{line.id}/rows.csv")


async def _copy(visit: Visit, line: QueryLine) -> None:
    name = await ask("Make a copy", "Name of the copy", value=f"{line.name} copy", yes="Copy")
    if name:
        copied = await visit.call(copy_query, visit.workspace, line.id, name)
        ui.navigate.to(f"/queries/{copied.id}")


async def _rename(visit: Visit, line: QueryLine) -> None:
    name = await ask("Rename the query", "Name", value=line.name, yes="Rename")
    if name:
        await visit.call(rename_query, visit.workspace, line.id, name)


async def _move(visit: Visit, line: QueryLine) -> None:
    found = await visit.call(query_lines, visit.workspace)
    folders = paths_of(folder_tree(each.folder for each in found))
    with dialog("Move to folder") as box:
        field = text_field(
            "Folder",
            value=line.folder or "",
            hint="One that is there or a new one, such as VIP/Spring; empty: no folder.",
        )
        suggest(field, folders)
        field.on("keydown.enter", lambda: box.submit(field.value or ""))
        with part("div", "dialog-actions"):
            button("Cancel", on_click=lambda: box.submit(None))
            button("Move", on_click=lambda: box.submit(field.value or ""), kind="primary")
    folder = await box
    box.delete()
    if folder is not None:
        await visit.call(move_query, visit.workspace, line.id, str(folder))


async def _delete(visit: Visit, line: QueryLine) -> None:
    await delete_thing(visit, "queries", line.id, line.name, noun="query", text="is deleted for good.")


async def _run(visit: Visit, line: QueryLine) -> None:
    names = ", ".join(line.used_by)
    if await confirm("Run it now?", f"These orchestrations send the query, and run: {names}.", yes="Run"):
        for name in line.used_by:
            asked = await visit.call(request_run, visit.workspace, name)
            visit.started.add(asked.run.id)
            toast(f"Started: {name}.", "info", "See the run", f"/workflows/{asked.run.id}")


_DOING = {
    "open": _open,
    "csv": _download,
    "run": _run,
    "copy": _copy,
    "rename": _rename,
    "move": _move,
    "delete": _delete,
}


async def _ask_new(visit: Visit, folder: str) -> None:
    names = await visit.call(configured_names, visit.workspace, "databases")
    with dialog("New query") as box:
        if not names:
            part("p", text="There is no database yet, and a query needs one.")
            with part("div", "dialog-actions"):
                part("a", "button primary", text="Add a database", href="/databases")
            box.open()
            return
        name = text_field("Name")
        database = choice_field("Database", names, value=names[0])
        begin = choice_field(
            "Begin with",
            {"email": "Email only", "profile": "Email + customer profile", "blank": "A blank SELECT"},
            value="profile",
            hint="A template takes the first table that has a column named email.",
        )

        async def make() -> None:
            if not needed(name) or not needed(database):
                return
            kind, where = begin.value, str(database.value)
            sql = _BLANK
            if kind != "blank":
                tables = await visit.call(tables_of, visit.workspace, where)
                sql = template(tables, full_profile=kind == "profile")
            made = await visit.call(
                partial(new_query, database=where, sql=sql, folder=folder.strip("/")),
                visit.workspace,
                str(name.value).strip(),
            )
            ui.navigate.to(f"/queries/{made.id}")

        with part("div", "dialog-actions"):
            button("Cancel", on_click=box.close)
            button("Create", on_click=make, kind="primary")
    box.open()


PAGE = Page(path="/queries", title="Queries", section=Section.QUERIES, permission="configuration.read", build=build)
