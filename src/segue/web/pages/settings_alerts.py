"""Alerts: who is told what becomes of runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui.events import GenericEventArguments

from segue.alerts import Alerts
from segue.errors import SegueError
from segue.services.editing import Configured, get_configured, list_configured
from segue.web.components.banner import error_banner, notice
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.table import Action, Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.alert_form import AlertForm, in_words
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EDIT = "alerts.edit"
_COLUMNS = (
    Column(key="name", label="Alert"),
    Column(key="when", label="Tells when"),
    Column(key="of", label="Of", wide=True),
    Column(key="changed", label="Changed", kind="time", wide=True),
)
_ACTIONS = (
    Action(key="test", label="Send a test", icon="send"),
    Action(key="edit", label="Edit", icon="edit"),
    Action(key="delete", label="Delete", icon="delete", danger=True),
)


async def build(visit: Visit) -> None:
    """Fill the page."""
    with heading("Alerts", "Who is told what becomes of runs: by email, Slack, Teams, PagerDuty or a web address."):
        if visit.may(_EDIT):
            button("Add alert", on_click=lambda: _open(visit, None, refill), name="add", kind="primary")

    async def refill() -> None:
        table.fill(_rows(await visit.call(list_configured, visit.workspace, "alerts")))

    table = DataTable(
        "Alerts",
        _COLUMNS,
        _rows(await visit.call(list_configured, visit.workspace, "alerts")),
        actions=_ACTIONS if visit.may(_EDIT) else (),
        on_action=lambda event: _act(visit, event, refill),
        empty=("No alert yet", "Add one, and somebody is told when a run fails, recovers or takes too long."),
    )


def _rows(alerts: tuple[Configured, ...]) -> list[dict[str, object]]:
    return [
        {
            "id": alert.id,
            "name": alert.name,
            "when": ", ".join(map(in_words, alert.entry["when"])),
            "of": ", ".join(alert.entry.get("orchestrations", ())) or "every orchestration",
            "changed": alert.updated_at,
        }
        for alert in alerts
    ]


async def _open(visit: Visit, alert: Configured | None, refill: Callable[[], Awaitable[None]]) -> None:
    found = await visit.call(list_configured, visit.workspace, "orchestrations")
    AlertForm(visit, alert, tuple(orchestration.name for orchestration in found), refill).open()


async def _act(visit: Visit, event: GenericEventArguments, refill: Callable[[], Awaitable[None]]) -> None:
    alert = await visit.call(get_configured, visit.workspace, "alerts", event.args["row"])
    if event.args["action"] == "edit":
        await _open(visit, alert, refill)
    elif event.args["action"] == "test":
        await _test(visit, alert.name)
    elif await delete_thing(visit, "alerts", alert.id, alert.name, noun="alert", text="tells nobody any more."):
        await refill()


async def _test(visit: Visit, name: str) -> None:
    """Send a message that says it is a test, and show what came of it."""
    with dialog(f"A test of {name}") as box:
        result = part("div")
        with result:
            notice("The message is on its way.", tone="busy", name="autorenew")
        with part("div", "dialog-actions"):
            button("Close", on_click=box.close)
    box.open()
    error = None
    try:
        await visit.call(_sent, visit, name)
    except SegueError as failed:
        error = failed
    result.clear()
    with result:
        if error is not None:
            error_banner(error)
        else:
            notice("It was sent. Look whether it arrived.", tone="good", name="check_circle")


def _sent(visit: Visit, name: str) -> None:
    workspace = visit.workspace
    workspace.actor.require(_EDIT)
    Alerts(workspace.catalog, workspace.box).test(name)


PAGE = Page(
    path="/settings/alerts",
    title="Alerts",
    section=Section.SETTINGS,
    permission="configuration.read",
    build=build,
    tab="Alerts",
)
