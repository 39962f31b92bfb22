"""Destinations: where rows can go, and under each how columns go there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.errors import SegueError
from segue.services.checks import Check
from segue.services.connections import check_connection, require_sound
from segue.services.credentials import credential_lines
from segue.services.destinations import DestinationLine, TemplateLine, destination_lines
from segue.services.editing import create, get_configured
from segue.web.components.banner import error_banner, notice
from segue.web.components.dialogs import ask
from segue.web.components.icons import button, menu_button
from segue.web.components.moment import Moment
from segue.web.components.parts import heading, part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.components.table import Action, Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.credentials import Credentials
from segue.web.pages.destination_form import open_destination_form
from segue.web.pages.template_form import open_template_form
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EDIT = "destinations.edit"
_COLUMNS = (
    Column(key="name", label="Data template"),
    Column(key="list", label="List"),
    Column(key="sends", label="Sends", wide=True),
    Column(key="used", label="Used by", wide=True),
)
_ACTIONS = (
    Action(key="edit", label="Edit", icon="edit"),
    Action(key="copy", label="Make a copy", icon="content_copy"),
    Action(key="delete", label="Delete", icon="delete", danger=True),
)
Refill = Callable[[], Awaitable[None]]


async def build(visit: Visit) -> None:
    """Fill the page."""

    async def refill() -> None:
        lines = await visit.call(destination_lines, visit.workspace)
        place.clear()
        with place:
            _show(visit, lines, refill)
        await credentials.refill()

    async def added(name: str) -> None:
        await refill()
        await open_template_form(visit, name, None, refill)

    with heading("Destinations", "Where rows can go, and under each its data templates: how columns go there."):
        if visit.may(_EDIT):
            button(
                "Add destination",
                on_click=lambda: open_destination_form(visit, None, added),
                name="add",
                kind="primary",
            )
    place = part("div", "stack")
    with place:
        _show(visit, await visit.call(destination_lines, visit.workspace), refill)
    credentials = Credentials(visit, await visit.call(credential_lines, visit.workspace))


def _show(visit: Visit, lines: tuple[DestinationLine, ...], refill: Refill) -> None:
    if not lines:
        with part("section", "card"):
            empty("outbound", "No destination yet", "Add one: a plug-in, its credential, and how columns go there.")
    for line in lines:
        _card(visit, line, refill)


def _card(visit: Visit, line: DestinationLine, refill: Refill) -> None:
    with part("section", "card", aria_label=line.name):
        with part("div", "card-head wraps") as head, part("div", "card-title"):
            part("h2", text=line.name)
            if line.admin_only:
                status("admin only")
        answer = part("div")
        with part("div") as facts:
            _facts(visit, line)
        with head, part("div", "actions"):
            _buttons(visit, line, (answer, facts), refill)
        DataTable(
            f"Data templates of {line.name}",
            _COLUMNS,
            [_row(template) for template in line.templates],
            actions=_ACTIONS if visit.may(_EDIT) else (),
            on_action=lambda event: _act(visit, line, event, refill),
            search=False,
            empty=("No data template yet", "Add one: it names the list, and says which columns are sent."),
        )


def _buttons(visit: Visit, line: DestinationLine, places: tuple[ui.element, ui.element], refill: Refill) -> None:
    answer, facts = places
    if visit.may(_EDIT):
        button("Add data template", on_click=lambda: open_template_form(visit, line.name, None, refill), name="add")
    entries: list[tuple[str, str, Callable[[], Awaitable[None]]]] = []
    if visit.may("connections.check"):
        entries.append(("network_check", "Check connection", partial(_check, visit, line, answer, facts)))
    if visit.may(_EDIT):

        async def changed(_name: str) -> None:
            await refill()

        entries.append(("edit", "Edit", lambda: open_destination_form(visit, line.id, changed)))
        entries.append(("delete", "Delete", partial(_delete, visit, line, refill)))
    if entries:
        menu_button(f"Actions: {line.name}", entries, danger="Delete")


def _facts(visit: Visit, line: DestinationLine) -> None:
    with part("dl", "facts"):
        part("dt", text="Last run")
        with part("dd", "inline"):
            status(line.last.status if line.last else "never run")
            if line.last and visit.may("runs.read"):
                with part("a", href=f"/workflows/{line.last.run_id}"):
                    Moment(line.last.started_at)
        part("dt", text="Connection")
        with part("dd", "inline"):
            _checked(line.check)
        for term, text in (
            ("Plug-in", line.plugin),
            ("Credential", line.credential),
            ("Description", line.description),
            ("Personal data", "people who see none may send there too" if line.allow_restricted_pii else ""),
        ):
            if text:
                part("dt", text=term)
                part("dd", text=text)


def _checked(check: Check | None) -> None:
    """What the last check said, when, and who made it."""
    if check is None:
        status("not checked")
        return
    status("connected" if check.sound else "not connected")
    part("span", text=check.said)
    with part("span", "muted"):
        part("span", text="Checked ")
        Moment(check.at)
        changed = "; the credential was changed since" if check.outdated else ""
        part("span", text=f" by {check.by}{changed}.")


def _row(template: TemplateLine) -> dict[str, object]:
    return {
        "id": template.id,
        "name": template.name,
        "list": template.list_name,
        "sends": "Full profile" if template.full_profile else "Email only",
        "used": ", ".join(template.used_by),
    }


async def _check(visit: Visit, line: DestinationLine, answer: ui.element, facts: ui.element) -> None:
    answer.clear()
    with answer:
        notice("The connection is being checked.", tone="busy", name="autorenew")
    problem: SegueError | None = None
    try:
        require_sound(await visit.call(check_connection, visit.workspace, visit.settings, line.credential))
    except SegueError as error:
        problem = error
    now = next((x for x in await visit.call(destination_lines, visit.workspace) if x.id == line.id), line)
    answer.clear()
    facts.clear()
    with facts:
        _facts(visit, now)
    if problem is not None:
        with answer:
            error_banner(problem)


async def _delete(visit: Visit, line: DestinationLine, refill: Refill) -> None:
    users = [*(f'the data template "{t.name}"' for t in line.templates), *(f'"{name}"' for name in line.used_by)]
    text = "is deleted for good. Its credential stays."
    if await delete_thing(visit, "destinations", line.id, line.name, noun="destination", text=text, users=users):
        await refill()


async def _act(visit: Visit, line: DestinationLine, event: GenericEventArguments, refill: Refill) -> None:
    template = next((t for t in line.templates if t.id == event.args["row"]), None)
    if template is None:
        ui.notify("The data template is gone.", type="warning")
    elif event.args["action"] == "edit":
        await open_template_form(visit, line.name, template.id, refill)
    elif event.args["action"] == "copy":
        name = await ask("Make a copy", "Name of the copy", value=f"{template.name} copy", yes="Copy")
        if name:
            thing = await visit.call(get_configured, visit.workspace, "data_templates", template.id)
            await visit.call(create, visit.workspace, "data_templates", {**thing.entry, "name": name})
            await refill()
    elif await delete_thing(
        visit,
        "data_templates",
        template.id,
        template.name,
        noun="data template",
        text="is deleted for good.",
        users=[f'the orchestration "{name}"' for name in template.used_by],
    ):
        await refill()


PAGE = Page(
    path="/destinations",
    title="Destinations",
    section=Section.DESTINATIONS,
    permission="configuration.read",
    build=build,
)
