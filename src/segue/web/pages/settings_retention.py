"""Retention: how long what runs stored is kept, and what a collection would remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from segue.catalog.base import now
from segue.errors import SegueError
from segue.services.retention import (
    Retention,
    RetentionState,
    retention_entry,
    retention_state,
    set_retention,
)
from segue.web.components.banner import show_problem
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.settings_form import Setting, SettingsForm
from segue.web.components.states import skeleton
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.garbage import Collected, collect

_EDIT = "settings.edit"
_DAY = 86400
_MEGABYTE = 10**6


async def build(visit: Visit) -> None:
    """Fill the page."""
    state = await visit.call(retention_state, visit.workspace, visit.settings)
    heading("Retention", "How long what runs stored is kept. What the next run compares with is never removed.")
    with part("div", "columns"):
        if visit.may(_EDIT):
            _Editor(visit, state)
        else:
            _Shown(state)


class _Shown:
    """What counts, for those who may not change it."""

    def __init__(self, state: RetentionState) -> None:
        with part("section", "card"):
            part("h2", text="What is kept")
            with part("dl", "facts"):
                for setting in (*_payloads(state.otherwise), *_records(state.otherwise)):
                    part("dt", text=setting.label)
                    part("dd", text=_words(setting.key, state.effective))


class _Editor:
    """The forms, and what they would do."""

    def __init__(self, visit: Visit, state: RetentionState) -> None:
        self._visit = visit
        self._values: Mapping[str, Any] = state.entry.document()
        self._tag = state.tag
        with part("section", "card"):
            part("h2", text="People's data")
            part("p", "muted", text="What a run changed and could not send: for history, undo and rejects.")
            self._forms = [SettingsForm(_payloads(state.otherwise), self._values)]
            part("h2", text="Records of runs")
            part("p", "muted", text="Status, counts and tasks of a run. They name no person.")
            self._forms.append(SettingsForm(_records(state.otherwise), self._values))
            self._problem = part("div")
            with part("div", "actions"):
                button("See what would go", on_click=self._look, name="visibility")
                button("Save", on_click=self._save, kind="primary")
        with part("section", "card"):
            part("h2", text="What a collection would remove now")
            with part("div", "stack") as self._result:
                part(
                    "p",
                    "muted",
                    text="See it before you save: nothing is removed by looking. The server collects once a day.",
                )

    async def _look(self) -> None:
        values = self._typed()
        if values is None:
            return
        self._problem.clear()
        self._result.clear()
        with self._result:
            skeleton()
        try:
            found, problem = await self._visit.call(_preview, self._visit, values), None
        except SegueError as error:
            found, problem = None, error
        self._result.clear()
        if found is None:
            show_problem(self._problem, problem or SegueError("Nothing was found."))
            return
        with self._result:
            _show(found)

    async def _save(self) -> None:
        values = self._typed()
        if values is None:
            return
        try:
            self._tag = await self._visit.call(_set, self._visit, values, self._tag)
        except SegueError as error:
            show_problem(self._problem, error)
            return
        self._problem.clear()
        ui.notify("It counts from the next collection on.", type="positive", position="bottom-right")

    def _typed(self) -> dict[str, Any] | None:
        """What is in the fields, without the empty ones; None when one of them is wrong."""
        changes = [form.changed() for form in self._forms]
        if any(change is None for change in changes):
            return None
        values = {**self._values, **{key: value for change in changes if change for key, value in change.items()}}
        return {key: value for key, value in values.items() if value is not None}


def _preview(visit: Visit, values: Mapping[str, Any]) -> Collected:
    workspace = visit.workspace
    workspace.actor.require(_EDIT)
    keep = Retention.of(visit.settings, retention_entry(values))
    return collect(workspace, visit.settings, at=now(), dry_run=True, keep=keep)


def _set(visit: Visit, values: Mapping[str, Any], tag: str) -> str:
    """Save what was typed over what was seen; the new tag."""
    set_retention(visit.workspace, retention_entry(values), tag=tag)
    return retention_state(visit.workspace, visit.settings).tag


def _show(found: Collected) -> None:
    if not found.removed and not found.merged:
        part("p", text="Nothing would go.", role="status")
    else:
        size = f"{found.bytes / _MEGABYTE:,.1f} MB of files"
        part("p", text=f"{size} would go.", role="status")
        rows = [{"id": what, "what": what.capitalize(), "count": count} for what, count in found.removed.items()]
        columns = [Column(key="what", label="What"), Column(key="count", label="How many", kind="number")]
        DataTable("What would go", columns, rows, search=False, page=0)
    for name in found.merged:
        part("p", text=f"The baseline of {name} would be freed of people who left.")
    for kept in found.kept:
        part("p", "muted", text=f"Stays: {kept.orchestration}, run {kept.run_id}: {kept.why}")


def _payloads(otherwise: Retention) -> tuple[Setting, ...]:
    return (
        Setting(
            key="keep_payloads",
            label="People's data: how long",
            hint=f"Such as 90d or 12h after the end of the run. Empty: {_words('keep_payloads', otherwise)}.",
        ),
        Setting(
            key="most_payloads",
            label="People's data: at most of so many runs",
            hint=f"The latest of each orchestration, however young the others are. Empty: {_words('most_payloads', otherwise)}.",
            kind="number",
        ),
    )


def _records(otherwise: Retention) -> tuple[Setting, ...]:
    return (
        Setting(
            key="keep_runs",
            label="Records: how long",
            hint=f"Not shorter than people's data. Empty: {_words('keep_runs', otherwise)}.",
        ),
        Setting(
            key="most_runs",
            label="Records: at most of so many runs",
            hint=f"The latest of each orchestration. Empty: {_words('most_runs', otherwise)}.",
            kind="number",
        ),
        Setting(
            key="keep_last_runs",
            label="Records: at least of so many runs",
            hint=f"So many of the latest stay however old they are. Empty: {_words('keep_last_runs', otherwise)}.",
            kind="number",
        ),
    )


def _words(key: str, keep: Retention) -> str:
    value = getattr(keep, key)
    if value is None:
        return "no limit"
    return f"{value / _DAY:g} days" if key in ("keep_payloads", "keep_runs") else f"{value:,} runs"


PAGE = Page(
    path="/settings/retention",
    title="Retention",
    section=Section.SETTINGS,
    permission="configuration.read",
    build=build,
    tab="Retention",
)
