"""Groups: orchestrations that run together, when, and how it went last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from segue.scheduling.overview import GroupLine, group_lines
from segue.scheduling.records import GroupRecord
from segue.services.configuration.values import duration_text
from segue.services.editing import get_configured, replace
from segue.web.components.dialogs import confirm
from segue.web.components.icons import button, menu_button
from segue.web.components.moment import Moment
from segue.web.components.parts import heading, part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.components.table import Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.group_form import open_group_form
from segue.web.pages.schedule_fields import local_time
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.grouping import request_group

_EDIT = "orchestrations.edit"
_KIND = "orchestration_groups"
_RUN = "/workflows/{run_id}"
_EVERY = 5.0
"""Seconds between two looks at how the runs go."""
Refill = Callable[[], Awaitable[None]]


async def build(visit: Visit) -> None:
    """Fill the page."""
    shown: tuple[GroupLine, ...] = ()

    async def refill() -> None:
        nonlocal shown
        lines = await visit.call(group_lines, visit.workspace)
        if lines != shown:
            shown = lines
            place.clear()
            with place:
                _show(visit, lines, refill)

    with heading("Groups", "Orchestrations that run together: by hand, by the clock, after a signal or another group."):
        if visit.may(_EDIT):
            button("Add group", on_click=lambda: open_group_form(visit, None, refill), name="add", kind="primary")
    place = part("div", "stack")
    shown = await visit.call(group_lines, visit.workspace)
    with place:
        _show(visit, shown, refill)
    ui.timer(_EVERY, refill)


def _show(visit: Visit, lines: tuple[GroupLine, ...], refill: Refill) -> None:
    if not lines:
        with part("section", "card"):
            empty("calendar_month", "No group yet", "Add one: its members run in order, by hand or by a schedule.")
    for line in lines:
        _card(visit, line, refill)


def _card(visit: Visit, line: GroupLine, refill: Refill) -> None:
    with part("section", "card", aria_label=line.group.name):
        with part("div", "card-head wraps"):
            with part("div", "card-title"):
                part("h2", text=line.group.name)
                status("enabled" if line.group.enabled else "disabled")
            with part("div", "actions"):
                _buttons(visit, line, refill)
        _facts(line)
        _members(visit, line)


def _buttons(visit: Visit, line: GroupLine, refill: Refill) -> None:
    group = line.group
    if visit.may("runs.start"):
        button("Run now", on_click=partial(_run, visit, line, refill), name="play_arrow")
    if visit.may(_EDIT):
        switch = ("pause", "Disable") if group.enabled else ("play_circle", "Enable")
        menu_button(
            f"Actions: {group.name}",
            [
                (*switch, partial(_switch, visit, line, refill)),
                ("edit", "Edit", lambda: open_group_form(visit, group.id, refill)),
                ("delete", "Delete", partial(_delete, visit, line, refill)),
            ],
            danger="Delete",
        )


def _facts(line: GroupLine) -> None:
    with part("dl", "facts"):
        part("dt", text="Starts")
        with part("dd", "stack close"):
            for sentence in _starts(line):
                part("span", text=sentence)
        if line.coming:
            part("dt", text="Next times")
            with part("dd"), part("ol", "times"):
                for time in line.coming:
                    part("li", text=local_time(time))
        part("dt", text="Last run")
        with part("dd", "inline"):
            _last(line.last)


def _starts(line: GroupLine) -> tuple[str, ...]:
    """What starts a group, a sentence each."""
    group = line.group
    found = []
    if group.timetable:
        late = "" if group.run_missed else "; a missed time is skipped"
        found.append(f"{group.timetable.words} ({group.timetable.timezone}){late}")
    if group.after_signal:
        found.append(f'After the signal "{group.after_signal}"')
    if group.after_group:
        found.append(f'After the group "{group.after_group}"')
    if found and group.offset:
        found.append(f"{duration_text(int(group.offset.total_seconds()))} later")
    if group.only_if_changed:
        found.append("Only if something changed")
    return tuple(found) or ("By hand",)


def _last(run: GroupRecord | None) -> None:
    if run is None:
        status("never run")
        return
    status(run.status)
    Moment(run.started_at or run.due_at)
    for warning in run.warnings:
        part("span", "muted", text=warning)


def _members(visit: Visit, line: GroupLine) -> None:
    stood = {member.orchestration: member for member in line.last.members} if line.last else {}
    rows = []
    for at, member in enumerate(line.group.members, 1):
        last = stood.get(member.orchestration)
        name = member.orchestration
        run = _RUN.format(run_id=last.run_id) if last is not None and last.run_id else "/orchestrations"
        rows.append(
            {
                "id": at,
                "at": at,
                "name": (name, run) if visit.has(_RUN) else name,
                "after": ", ".join(member.after),
                "status": str(last.status) if last else "never run",
                "message": last.message if last else "",
            }
        )
    DataTable(
        f"Members of {line.group.name}",
        [
            Column(key="at", label="#", kind="number"),
            Column(key="name", label="Orchestration", kind="link" if visit.has(_RUN) else "text"),
            Column(key="after", label="After", wide=True),
            Column(key="status", label="Last time", kind="status"),
            Column(key="message", label="What went wrong", wide=True),
        ],
        rows,
        search=False,
        page=0,
    )


async def _run(visit: Visit, line: GroupLine, refill: Refill) -> None:
    names = ", ".join(member.orchestration for member in line.group.members)
    if await confirm(f"Run {line.group.name}?", f"These run now, in the order of the group: {names}.", yes="Run"):
        await visit.call(request_group, visit.workspace, line.group.name)
        ui.notify("Started. The bell tells how it goes.", type="info", position="bottom-right")
        await refill()


async def _switch(visit: Visit, line: GroupLine, refill: Refill) -> None:
    thing = await visit.call(get_configured, visit.workspace, _KIND, line.group.id)
    entry = {**thing.entry, "enabled": not line.group.enabled}
    await visit.call(partial(replace, tag=thing.tag), visit.workspace, _KIND, thing.id, entry)
    await refill()


async def _delete(visit: Visit, line: GroupLine, refill: Refill) -> None:
    text = "is deleted for good. Its orchestrations stay, and somebody runs them."
    if await delete_thing(visit, _KIND, line.group.id, line.group.name, noun="group", text=text):
        await refill()


PAGE = Page(
    path="/groups",
    title="Groups",
    section=Section.ACTIVATIONS,
    permission="configuration.read",
    build=build,
    tab="Groups",
)
