"""Cards of groups: what starts each, its members, how it went last, and what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.scheduling.overview import GroupLine
from segue.scheduling.records import GroupRecord
from segue.services.configuration.values import duration_text
from segue.services.editing import get_configured, replace
from segue.web.components.dialogs import confirm
from segue.web.components.fields import text_field
from segue.web.components.icons import button, menu_button
from segue.web.components.moment import Moment
from segue.web.components.parts import Part, part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.components.table import Column, DataTable
from segue.web.deleting import delete_thing
from segue.web.pages.group_form import open_group_form
from segue.web.pages.schedule_fields import local_time
from segue.web.visit import Visit
from segue.workflow.grouping import request_group

EDIT = "orchestrations.edit"
_NONE = ("No group yet", "Add one: its members run in order, by hand or by a schedule.")
_NOT_FOUND = ("No group has such a name", "The search looks for a part of the name.")
_KIND = "orchestration_groups"
_RUN = "/workflows/{run_id}"
_FEW = 10
"""Groups whose members are all shown at once, and cards that are drawn until somebody asks for more."""
Refill = Callable[[], Awaitable[None]]


class GroupCards:
    """The first cards of those whose group has a name that was looked for, with a button for more of them. A card is drawn
    again when something of its group changed."""

    def __init__(self, visit: Visit, refill: Refill) -> None:
        self._visit = visit
        self._refill = refill
        self._lines: tuple[GroupLine, ...] = ()
        self._drawn: dict[str, tuple[GroupLine, Part]] = {}
        self._unfolded: set[str] = set()
        self._wanted = ""
        self._limit = _FEW
        self._further = 0
        with part("div", "stack"):
            self._search = text_field("Search groups by name")
            self._search.on_value_change(lambda event: self._look_for(event.value)).props("debounce=250")
            self._place = part("div", "stack")

    def show(self, lines: tuple[GroupLine, ...]) -> None:
        """Show these groups instead."""
        self._lines = lines
        self._search.visible = self._many or bool(self._wanted)
        found = [line for line in lines if self._wanted in line.group.name.casefold()]
        visible = found[: self._limit]
        further = len(found) - len(visible)
        if not visible or further != self._further or list(self._drawn) != [line.group.id for line in visible]:
            self._draw(visible, further)
            return
        for line in visible:
            before, card = self._drawn[line.group.id]
            if before != line:
                card.clear()
                self._fill(card, line)

    @property
    def _many(self) -> bool:
        return len(self._lines) > _FEW

    def _look_for(self, name: str | None) -> None:
        self._wanted, self._limit = (name or "").strip().casefold(), _FEW
        self.show(self._lines)

    def _more(self) -> None:
        self._limit += _FEW
        self.show(self._lines)

    def _draw(self, lines: Sequence[GroupLine], further: int) -> None:
        self._further = further
        self._place.clear()
        self._drawn.clear()
        with self._place:
            if not lines:
                with part("section", "card"):
                    empty("calendar_month", *(_NOT_FOUND if self._wanted else _NONE))
            for line in lines:
                self._fill(part("section", "card", aria_label=line.group.name), line)
            if further:
                button(f"Show more groups ({further:,})", on_click=self._more)

    def _fill(self, card: Part, line: GroupLine) -> None:
        self._drawn[line.group.id] = (line, card)
        with card:
            _head(self._visit, line, self._refill)
            _facts(line)
            if self._many:
                _folded_members(self._visit, line, self._unfolded)
            else:
                _members(self._visit, line)


def _head(visit: Visit, line: GroupLine, refill: Refill) -> None:
    with part("div", "card-head wraps"):
        with part("div", "card-title"):
            part("h2", text=line.group.name)
            status("enabled" if line.group.enabled else "disabled")
        with part("div", "actions"):
            _buttons(visit, line, refill)


def _buttons(visit: Visit, line: GroupLine, refill: Refill) -> None:
    group = line.group
    if visit.may("runs.start"):
        button("Run now", on_click=partial(_run, visit, line, refill), name="play_arrow")
    if visit.may(EDIT):
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


def _folded_members(visit: Visit, line: GroupLine, unfolded: set[str]) -> None:
    """The members behind a line that opens: a page of many groups would be drawn for seconds otherwise."""
    group, members = line.group, len(line.group.members)
    drawn = group.id in unfolded
    with part("details", open=drawn) as fold:
        part("summary", text=f"{members:,} member{'' if members == 1 else 's'}")
        place = part("div")
    if drawn:
        with place:
            _members(visit, line)

    def toggled(event: GenericEventArguments) -> None:
        nonlocal drawn
        if not event.args:
            unfolded.discard(group.id)
            return
        unfolded.add(group.id)
        if not drawn:
            drawn = True
            with place:
                _members(visit, line)

    fold.on("toggle", toggled, js_handler="(event) => emit(event.target.open)")


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
