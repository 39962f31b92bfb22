"""The dialog that sets how much of an account may be used, and the budget in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from segue.services.budgets import Budget, budget_entry, set_budget
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.saving import save
from segue.web.components.settings_form import Setting, SettingsForm
from segue.web.visit import Visit

_SETTINGS = (
    Setting(
        key="share",
        label="Share of the windows, in %",
        hint="1 to 100, of every endpoint's calls a second and a minute. Empty: 100.",
        kind="number",
    ),
    Setting(
        key="lists_a_day",
        label="New lists a day",
        hint="How many lists runs may make in 24 hours. Empty: as many as Klaviyo lets, 150.",
        kind="number",
    ),
)


def in_words(budget: Budget) -> str:
    """How much of the account may be used."""
    share = "all of" if budget.entry.share == budget_entry({}).share else f"at most {budget.entry.share} % of"
    lists = budget.entry.lists_a_day
    made = f" and make {lists} new list{'' if lists == 1 else 's'} a day" if lists is not None else ""
    return f"Segue may use {share} this account's windows{made}."


class BudgetForm:
    """The fields of a budget, as it was seen."""

    def __init__(self, visit: Visit, budget: Budget, done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._budget = budget
        self._done = done
        self._values: Mapping[str, Any] = budget.entry.model_dump()
        with dialog(f"Budget of account {budget.account}") as self._box:
            self._problem = part("div")
            part(
                "p", "muted", text="It counts from the next run on. What is left is for other tools with this account."
            )
            self._form = SettingsForm(_SETTINGS, self._values)
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    async def _save(self) -> None:
        changed = self._form.changed()
        if changed is None:
            return
        values = {key: value for key, value in {**self._values, **changed}.items() if value is not None}
        saving = self._visit.call(_set, self._visit, self._budget, values)
        await save(saving, box=self._box, problem=self._problem, told="The budget is saved.", done=self._done)


def _set(visit: Visit, seen: Budget, values: Mapping[str, Any]) -> Budget:
    return set_budget(visit.workspace, seen.account, budget_entry(values), tag=seen.tag)
