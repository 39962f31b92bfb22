"""The dialog that adds or changes an orchestration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from segue.errors import SegueError
from segue.services.destinations import DestinationLine, destination_lines
from segue.services.editing import Configured, configured_names, get_configured
from segue.services.orchestrating import groups_of, save_orchestration, table_query
from segue.services.overview import query_lines
from segue.services.previews import tables_of
from segue.web.components.banner import show_problem
from segue.web.components.dialogs import dialog
from segue.web.components.fields import choice_field, needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.saving import save
from segue.web.components.settings_form import Setting, SettingsForm
from segue.web.pages.schedule_fields import ScheduleFields, zone_of
from segue.web.visit import Visit

_NEW = "\0new"
"""Stands for a new group among the names of those that there are: no name has a control character."""
_SETTINGS = (
    Setting(key="list_name", label="List", hint="Empty: the list of the data template."),
    Setting(
        key="max_rows", label="At most this many new members", hint="For a test; empty: all of them.", kind="number"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """What there is to choose from. queries: name -> what it is called; destinations: those that this person may use;
    databases, groups: names; thing: the orchestration that is changed, and runs_in: the groups that run it."""

    queries: Mapping[str, str]
    databases: tuple[str, ...]
    destinations: Mapping[str, DestinationLine]
    groups: tuple[str, ...]
    thing: Configured | None
    runs_in: tuple[str, ...]
    zone: str


async def open_form(visit: Visit, ref: str | None, done: Callable[[], Awaitable[None]]) -> None:
    """Show the dialog. ref: of the orchestration that is changed; None adds one. done: called when it is saved."""
    zone = await zone_of(visit)
    choices = await visit.call(_choices, visit, ref, zone)
    _Form(visit, choices, done).open()


def _choices(visit: Visit, ref: str | None, zone: str) -> _Choices:
    workspace = visit.workspace
    thing = get_configured(workspace, "orchestrations", ref) if ref else None
    may_all = visit.may("destinations.admin_only")
    return _Choices(
        queries={q.name: q.name + (" (draft)" if q.status == "draft" else "") for q in query_lines(workspace)},
        databases=configured_names(workspace, "databases"),
        destinations={line.name: line for line in destination_lines(workspace) if may_all or not line.admin_only},
        groups=configured_names(workspace, "orchestration_groups"),
        thing=thing,
        runs_in=groups_of(workspace, thing.name) if thing else (),
        zone=zone,
    )


class _Form:
    """The fields, in the order in which people think of them: what, where, how, when."""

    def __init__(self, visit: Visit, choices: _Choices, done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._choices = choices
        self._done = done
        entry: Mapping[str, Any] = choices.thing.entry if choices.thing else {}
        self._own: Mapping[str, Any] = entry.get("settings", {})
        # One that is for others only is not offered, even where it is the one that is used.
        there = entry.get("destination") if entry.get("destination") in choices.destinations else None
        with dialog("Edit orchestration" if choices.thing else "Add orchestration") as self._box:
            self._object(entry)
            self._destination = choice_field(
                "Destination",
                tuple(choices.destinations),
                value=there or _only(choices.destinations),
            )
            self._template = choice_field("Data template: how columns go there", [], hint="")
            self._offer_templates()
            if there:
                self._template.value = entry.get("data_template")
            self._settings = SettingsForm(_SETTINGS, self._own)
            self._when()
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(choices.thing is None)
            self._problem = part("div")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")
        self._destination.on_value_change(self._offer_templates)
        for field in (self._query, self._table, self._destination):
            field.on_value_change(self._offer_name)

    def _object(self, entry: Mapping[str, Any]) -> None:
        """What is sent: a query, or a table as a whole."""
        self._kind = choice_field("Object type", {"query": "Query", "table": "Table: a database export"}, value="query")
        self._query = choice_field("Object: the query to send", self._choices.queries, value=entry.get("query"))
        self._database = choice_field(
            "Database of the table", self._choices.databases, value=_only(self._choices.databases)
        )
        self._table = choice_field(
            "Object: the table to send", [], hint="All of its columns; one of them is called email."
        )
        self._query.bind_visibility_from(self._kind, "value", value="query")
        for field in (self._database, self._table):
            field.bind_visibility_from(self._kind, "value", value="table")
        for field in (self._kind, self._database):
            field.on_value_change(self._offer_tables)

    def _when(self) -> None:
        """Who runs it."""
        self._workflow = ui.radio(
            {"manual": "Manual: somebody runs it", "automatic": "Automatic: a group runs it"},
            value="automatic" if self._choices.runs_in else "manual",
        ).props("dense inline")
        self._workflow.props["aria-label"] = "Workflow"
        with part("div", "stack indent") as group:
            groups = {**{name: name for name in self._choices.groups}, _NEW: "A new group"}
            self._group = choice_field(
                "Group", groups, value=next(iter((*self._choices.runs_in, *self._choices.groups)), _NEW)
            )
            with part("div", "stack") as new:
                self._group_name = text_field("Name of the group")
                self._schedule = ScheduleFields(self._visit, {}, zone=self._choices.zone)
        group.bind_visibility_from(self._workflow, "value", value="automatic")
        new.bind_visibility_from(self._group, "value", value=_NEW)

    def open(self) -> None:
        """Show it."""
        self._box.open()

    def _offer_templates(self) -> None:
        line = self._choices.destinations.get(str(self._destination.value))
        fitting = [template.name for template in line.templates] if line else []
        self._template.set_options(
            fitting, value=self._template.value if self._template.value in fitting else _only(fitting)
        )

    async def _offer_tables(self) -> None:
        if self._kind.value != "table" or not self._database.value:
            return
        try:
            tables = await self._visit.call(tables_of, self._visit.workspace, str(self._database.value))
        except SegueError as error:
            show_problem(self._problem, error)
            tables = {}
        self._table.set_options(list(tables))

    def _offer_name(self) -> None:
        sent = self._query.value if self._kind.value == "query" else self._table.value
        if self._choices.thing is None and sent and self._destination.value:
            self._name.value = f"{sent} to {self._destination.value}"

    async def _save(self) -> None:
        sent = (self._query,) if self._kind.value == "query" else (self._database, self._table)
        filled = [needed(field) for field in (*sent, self._destination, self._template, self._name)]
        changes = self._settings.changed()
        groups = await self._chosen_groups()
        if not all(filled) or changes is None or groups is None:
            return
        saving = self._visit.call(self._saved, changes, groups)
        await save(saving, box=self._box, problem=self._problem, told="The orchestration is saved.", done=self._done)

    async def _chosen_groups(self) -> tuple[str | Mapping[str, Any], ...] | None:
        """As ``save_orchestration`` takes them; None where a field is wrong, which then says so."""
        if self._workflow.value == "manual":
            return ()
        if self._group.value != _NEW:
            if not needed(self._group):
                return None
            chosen, runs_in = str(self._group.value), self._choices.runs_in
            # Where nobody chose another one, it stays in all that it is in.
            return runs_in if chosen in runs_in[:1] else (chosen,)
        filled = needed(self._group_name)
        schedule = await self._schedule.given()
        if not filled or schedule is None:
            return None
        return ({"name": str(self._group_name.value).strip(), "schedule": schedule},)

    def _saved(self, changes: Mapping[str, Any], groups: tuple[str | Mapping[str, Any], ...]) -> None:
        workspace, query = self._visit.workspace, None
        name = self._query.value
        if self._kind.value == "table":
            name, query = table_query(workspace, str(self._database.value), str(self._table.value))
        settings = {key: value for key, value in self._own.items() if key not in changes}
        settings |= {key: value for key, value in changes.items() if value is not None}
        entry = {
            "name": str(self._name.value).strip(),
            "query": name,
            "destination": self._destination.value,
            "data_template": self._template.value,
            **({"settings": settings} if settings else {}),
        }
        partial(save_orchestration, groups=groups, query=query, seen=self._choices.thing)(workspace, entry)


def _only(names: Any) -> str | None:
    return next(iter(names)) if len(names) == 1 else None
