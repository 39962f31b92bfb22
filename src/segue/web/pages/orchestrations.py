"""Orchestrations: the list, and what is done with one of them as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.services.editing import create, get_configured
from segue.services.overview import OrchestrationLine, orchestration_lines
from segue.web.components.banner import toast
from segue.web.components.dialogs import ask, confirm
from segue.web.components.icons import button
from segue.web.components.looking import look_every
from segue.web.components.parts import heading
from segue.web.components.table import Action, Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.orchestration_form import open_form
from segue.web.pages.sample import send_sample
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.requests import request_run

_COLUMNS = (
    Column(key="name", label="Orchestration", kind="link"),
    Column(key="status", label="Status", kind="status", filter=True),
    Column(key="query", label="Query", kind="link", wide=True),
    Column(key="destination", label="Destination", filter=True, wide=True),
    Column(key="list", label="List", wide=True),
    Column(key="workflow", label="Workflow", filter=True, wide=True),
    Column(key="members", label="Members", kind="number", wide=True),
    Column(key="last", label="Last run", kind="time"),
)
_EDIT = "orchestrations.edit"
_PLAN = "/orchestrations/{ref}/plan"
_RUNS = "/workflows"


async def build(visit: Visit) -> None:
    """Fill the page."""
    with heading("Orchestrations", "What is sent where. Each keeps one list equal to its query."):
        if visit.may(_EDIT):
            button("Add orchestration", on_click=lambda: open_form(visit, None, refill), name="add", kind="primary")

    async def refill() -> None:
        table.fill(_rows(await visit.call(orchestration_lines, visit.workspace)))

    table = DataTable(
        "Orchestrations",
        _COLUMNS,
        _rows(await visit.call(orchestration_lines, visit.workspace)),
        actions=_actions(visit),
        on_action=lambda event: _act(visit, event, refill),
        empty=("No orchestration yet", "Add one: a query, a destination, and how the columns go there."),
    )
    look_every(_EVERY, refill)


_EVERY = 5.0
"""Seconds between two looks at how the runs go."""


def _rows(lines: tuple[OrchestrationLine, ...]) -> list[dict[str, object]]:
    return [
        {
            "id": line.id,
            "name": (line.name, f"{_RUNS}?orchestration={line.id}"),
            "status": _status(line),
            "query": (line.query, f"/queries/{line.query_id}"),
            "destination": line.destination,
            "list": line.list_name,
            "workflow": f"automatic: {line.group}" if line.group else line.workflow,
            "members": line.members,
            "last": (line.last.started_at, f"{_RUNS}/{line.last.run_id}") if line.last else None,
        }
        for line in lines
    ]


def _status(line: OrchestrationLine) -> str:
    if not line.ready:
        return "draft"
    return line.last.status if line.last else "never run"


def _actions(visit: Visit) -> list[Action]:
    return [
        action
        for action, offered in (
            (Action(key="run", label="Run", icon="play_arrow"), visit.may("runs.start")),
            (Action(key="plan", label="Plan", icon="fact_check"), visit.may("runs.start") and visit.has(_PLAN)),
            (Action(key="sample", label="Send a sample", icon="science"), visit.may("runs.start")),
            (Action(key="edit", label="Edit", icon="edit"), visit.may(_EDIT)),
            (Action(key="copy", label="Make a copy", icon="content_copy"), visit.may(_EDIT)),
            (Action(key="history", label="Run history", icon="history"), visit.has(_RUNS)),
            (Action(key="delete", label="Delete", icon="delete", danger=True), visit.may(_EDIT)),
        )
        if offered
    ]


async def _act(visit: Visit, event: GenericEventArguments, refill: Callable[[], Awaitable[None]]) -> None:
    lines = await visit.call(orchestration_lines, visit.workspace)
    line = next((x for x in lines if x.id == event.args["row"]), None)
    if line is None:
        ui.notify("The orchestration is gone.", type="warning")
    elif event.args["action"] == "edit":
        await open_form(visit, line.id, refill)
    else:
        await _DOING[event.args["action"]](visit, line)
    await refill()


async def _run(visit: Visit, line: OrchestrationLine) -> None:
    text = f'The rows of "{line.query}" go to the list "{line.list_name}" at {line.destination}; who left is removed.'
    if await confirm(f"Run {line.name}?", text, yes="Run"):
        asked = await visit.call(partial(request_run, started_by="user"), visit.workspace, line.name)
        visit.started.add(asked.run.id)
        toast("Started.", "info", "See the run", f"{_RUNS}/{asked.run.id}")


async def _sample(visit: Visit, line: OrchestrationLine) -> None:
    run_id = await send_sample(visit, line.name, line.list_name)
    if run_id is not None:
        ui.navigate.to(f"{_RUNS}/{run_id}")


async def _plan(_visit: Visit, line: OrchestrationLine) -> None:
    ui.navigate.to(_PLAN.format(ref=line.id))


async def _history(_visit: Visit, line: OrchestrationLine) -> None:
    ui.navigate.to(f"{_RUNS}?orchestration={line.id}")


async def _copy(visit: Visit, line: OrchestrationLine) -> None:
    name = await ask("Make a copy", "Name of the copy", value=f"{line.name} copy", yes="Copy")
    if name:
        thing = await visit.call(get_configured, visit.workspace, "orchestrations", line.id)
        await visit.call(create, visit.workspace, "orchestrations", {**thing.entry, "name": name, "workflow": "manual"})


async def _delete(visit: Visit, line: OrchestrationLine) -> None:
    text = f'is deleted for good. The members of the list "{line.list_name}" stay as they are.'
    await delete_thing(visit, "orchestrations", line.id, line.name, noun="orchestration", text=text)


_DOING = {"run": _run, "plan": _plan, "sample": _sample, "copy": _copy, "history": _history, "delete": _delete}

PAGE = Page(
    path="/orchestrations",
    title="Orchestrations",
    section=Section.ACTIVATIONS,
    permission="configuration.read",
    build=build,
    tab="Orchestrations",
)
