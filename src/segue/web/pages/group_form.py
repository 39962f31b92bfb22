"""The dialog that adds or changes a group: who runs, in which order, and what starts it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from segue.services.editing import Configured, configured_names, create, get_configured, replace
from segue.web.components.dialogs import dialog
from segue.web.components.fields import check_field, choice_field, fold, needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.saving import save
from segue.web.pages.group_members import Members
from segue.web.pages.schedule_fields import ScheduleFields, zone_of
from segue.web.visit import Visit

_KIND = "orchestration_groups"
_MISSED = {"run_once": "Run once, as soon as something watches again", "skip": "Wait for the next time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """Names of what there is; thing: the group that is changed; zone: of who looks."""

    orchestrations: tuple[str, ...]
    groups: tuple[str, ...]
    thing: Configured | None
    zone: str


async def open_group_form(visit: Visit, ref: str | None, done: Callable[[], Awaitable[None]]) -> None:
    """Show the dialog. ref: of the group that is changed; None adds one. done: called when it is saved."""
    zone = await zone_of(visit)
    choices = await visit.call(_choices, visit, ref, zone)
    form = _Form(visit, choices, done)
    await form.open()


def _choices(visit: Visit, ref: str | None, zone: str) -> _Choices:
    thing = get_configured(visit.workspace, _KIND, ref) if ref else None
    names = configured_names(visit.workspace, _KIND)
    return _Choices(
        orchestrations=configured_names(visit.workspace, "orchestrations"),
        groups=tuple(name for name in names if thing is None or name != thing.name),
        thing=thing,
        zone=zone,
    )


class _Form:
    """The fields. A group may wait for several things at once; for none, somebody runs it."""

    def __init__(self, visit: Visit, choices: _Choices, done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._choices = choices
        self._done = done
        entry: Mapping[str, Any] = choices.thing.entry if choices.thing else {}
        with dialog("Edit group" if choices.thing else "Add group", wide=True) as self._box:
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(choices.thing is None)
            self._members = Members(choices.orchestrations, entry.get("members", ()))
            part("h3", text="What starts it")
            part("p", "muted", text="Nothing of these: somebody runs it.")
            self._by_clock = check_field("On a schedule", value="schedule" in entry)
            with part("div", "stack indent") as clock:
                self._schedule = ScheduleFields(
                    visit, entry.get("schedule", {}), zone=choices.zone, offset=lambda: self._text(self._offset)
                )
                self._missed = choice_field(
                    "When a time was missed, since nothing watched",
                    _MISSED,
                    value=entry.get("schedule", {}).get("missed", "run_once"),
                )
            self._by_signal = check_field(
                "After an upstream signal",
                value="after_signal" in entry,
                hint="dbt, Airflow or a loader says that the data are ready.",
            )
            with part("div", "stack indent") as signal:
                self._signal = text_field("Name of the signal", value=entry.get("after_signal", ""))
            self._by_group = check_field("After another group", value="after_group" in entry)
            with part("div", "stack indent") as other:
                self._after = choice_field("The other group", choices.groups, value=entry.get("after_group"))
            for switch, place in ((self._by_clock, clock), (self._by_signal, signal), (self._by_group, other)):
                place.bind_visibility_from(switch, "value")
            with fold("More"):
                self._offset = text_field(
                    "Wait before it starts", value=entry.get("offset", "") or "", hint="Such as 90s, 10m or 1h30m."
                )
                self._offset.on_value_change(self._schedule.tell)
                self._changed = check_field(
                    "Only if something changed",
                    value=bool(entry.get("only_if_changed")),
                    hint="It is skipped when neither the data nor what is sent from them changed since the last run.",
                )
            self._enabled = check_field("Enabled", value=entry.get("enabled", True))
            self._problem = part("div")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")

    async def open(self) -> None:
        """Show it."""
        self._box.open()
        await self._schedule.tell()

    async def _save(self) -> None:
        entry = await self._entry()
        if entry is None:
            return
        saving = self._visit.call(self._saved, entry)
        await save(saving, box=self._box, problem=self._problem, told="The group is saved.", done=self._done)

    async def _entry(self) -> dict[str, Any] | None:
        """What is put in; None where a field is wrong, which then says so."""
        right = [needed(self._name), self._members.check()]
        entry: dict[str, Any] = {
            "name": self._text(self._name),
            "enabled": bool(self._enabled.value),
            "only_if_changed": bool(self._changed.value),
            "members": self._members.given(),
        }
        if self._by_clock.value:
            schedule = await self._schedule.given()
            right.append(schedule is not None)
            entry["schedule"] = {**(schedule or {}), "missed": self._missed.value}
        if self._by_signal.value:
            right.append(needed(self._signal))
            entry["after_signal"] = self._text(self._signal)
        if self._by_group.value:
            right.append(needed(self._after))
            entry["after_group"] = self._after.value
        if self._text(self._offset):
            entry["offset"] = self._text(self._offset)
        return entry if all(right) else None

    def _text(self, field: ui.input | ui.textarea) -> str:
        return str(field.value or "").strip()

    def _saved(self, entry: Mapping[str, Any]) -> None:
        thing = self._choices.thing
        if thing is None:
            create(self._visit.workspace, _KIND, entry)
        else:
            partial(replace, tag=thing.tag)(self._visit.workspace, _KIND, thing.id, entry)
