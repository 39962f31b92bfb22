"""The dialog that adds or changes an orchestration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from segue.errors import SegueError
from segue.services.editing import Configured, create, get_configured, list_configured, replace
from segue.web.components.banner import show_problem
from segue.web.components.dialogs import dialog
from segue.web.components.fields import choice_field, needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.visit import Visit

_INHERITED = ("list_name", "max_rows")
"""Settings of the template that the dialog shows; what else an orchestration sets for itself stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """What there is to choose from, by name. queries: name -> what it is called; templates: name -> its entry."""

    queries: Mapping[str, str]
    destinations: tuple[str, ...]
    templates: Mapping[str, Mapping[str, Any]]
    thing: Configured | None


async def open_form(visit: Visit, ref: str | None, done: Callable[[], Awaitable[None]]) -> None:
    """Show the dialog. ref: of the orchestration that is changed; None adds one. done: called when it is saved."""
    choices = await visit.call(_choices, visit, ref)
    _Form(visit, choices, done).open()


def _choices(visit: Visit, ref: str | None) -> _Choices:
    def all_of(kind: str) -> tuple[Configured, ...]:
        return list_configured(visit.workspace, kind)

    return _Choices(
        queries={q.name: q.name + (" (draft)" if q.entry.get("status") != "active" else "") for q in all_of("queries")},
        destinations=tuple(d.name for d in all_of("destinations")),
        templates={t.name: t.entry for t in all_of("data_templates")},
        thing=get_configured(visit.workspace, "orchestrations", ref) if ref else None,
    )


class _Form:
    """The fields, in the order in which people think of them: what, where, how, when."""

    def __init__(self, visit: Visit, choices: _Choices, done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._choices = choices
        self._done = done
        entry: Mapping[str, Any] = choices.thing.entry if choices.thing else {}
        own = entry.get("settings", {})
        self._named = bool(choices.thing)
        with dialog("Edit orchestration" if choices.thing else "Add orchestration") as self._box:
            self._problem = part("div")
            self._query = choice_field("Object: the query to send", choices.queries, value=entry.get("query"))
            self._destination = choice_field(
                "Destination", choices.destinations, value=entry.get("destination") or _only(choices.destinations)
            )
            self._destination.on_value_change(self._offer_templates)
            self._template = choice_field("Data template: how columns go there", [], hint="")
            self._offer_templates()
            if entry:
                self._template.value = entry.get("data_template")
            self._list = text_field(
                "List", value=own.get("list_name", ""), hint="Empty: the list of the data template."
            )
            self._most = text_field(
                "At most this many new members",
                value=str(own.get("max_rows", "")),
                hint="For a test; empty: all of them.",
            )
            self._workflow = ui.radio(
                {"manual": "Manual: somebody runs it", "automatic": "Automatic: a group runs it"},
                value=entry.get("workflow", "manual"),
            ).props("dense inline")
            self._workflow.props["aria-label"] = "Workflow"
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(not self._named)
            self._query.on_value_change(self._offer_name)
            self._destination.on_value_change(self._offer_name)
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    def _offer_templates(self) -> None:
        fitting = [n for n, t in self._choices.templates.items() if t["destination"] == self._destination.value]
        self._template.set_options(
            fitting, value=self._template.value if self._template.value in fitting else _only(fitting)
        )

    def _offer_name(self) -> None:
        if not self._named and self._query.value and self._destination.value:
            self._name.value = f"{self._query.value} to {self._destination.value}"

    async def _save(self) -> None:
        filled = [needed(field) for field in (self._query, self._destination, self._template, self._name)]
        most = str(self._most.value or "").strip().replace(",", "")
        self._most.error = None if most.isdigit() or not most else "Takes a whole number."
        if not all(filled) or self._most.error:
            return
        try:
            await self._visit.call(_saved, self._visit, self._choices.thing, self._entry(most))
        except SegueError as error:
            show_problem(self._problem, error)
            return
        self._box.close()
        ui.notify("The orchestration is saved.", type="positive", position="bottom-right")
        await self._done()

    def _entry(self, most: str) -> dict[str, Any]:
        before: Mapping[str, Any] = self._choices.thing.entry if self._choices.thing else {}
        settings = {key: value for key, value in before.get("settings", {}).items() if key not in _INHERITED}
        if str(self._list.value or "").strip():
            settings["list_name"] = str(self._list.value).strip()
        if most:
            settings["max_rows"] = int(most)
        entry = {
            "name": str(self._name.value).strip(),
            "query": self._query.value,
            "destination": self._destination.value,
            "data_template": self._template.value,
            "workflow": self._workflow.value,
        }
        return {**entry, "settings": settings} if settings else entry


def _only(names: tuple[str, ...] | list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _saved(visit: Visit, thing: Configured | None, entry: Mapping[str, Any]) -> None:
    if thing is None:
        create(visit.workspace, "orchestrations", entry)
    else:
        replace(visit.workspace, "orchestrations", thing.id, entry, tag=thing.tag)
