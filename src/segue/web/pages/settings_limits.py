"""Limits: how fast calls may go out to each account and what is left, and what the environment of the server sets."""

from __future__ import annotations

from segue.services.budgets import get_budget
from segue.services.limits import AccountLimits, ProcessLimit, account_limits, process_limits
from segue.web.components.icons import button
from segue.web.components.looking import look_every
from segue.web.components.parts import heading, part
from segue.web.components.states import empty
from segue.web.components.table import Column, DataTable
from segue.web.pages.budget_form import BudgetForm, in_words
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EVERY = 5.0
"""Seconds between two looks at what is left."""
_ENDPOINTS = (
    Column(key="name", label="Endpoint", kind="code"),
    Column(key="second", label="A second", kind="number", wide=True),
    Column(key="minute", label="A minute", kind="number", wide=True),
    Column(key="left", label="Left now", kind="number"),
    Column(key="waited", label="Waited, s", kind="number", wide=True),
)


async def build(visit: Visit) -> None:
    """Fill the page."""
    heading("Limits", "How fast calls may go out, and what is left.")
    accounts = await visit.call(account_limits, visit.workspace)
    if not accounts:
        with part("section", "card"):
            empty(
                "speed",
                "No account yet",
                "After the first run, the limits of its account are here with what is left of them.",
            )
    cards = {account.account: _AccountCard(visit, account) for account in accounts}
    _process(process_limits(visit.settings))

    async def look() -> None:
        for account in await visit.call(account_limits, visit.workspace):
            if account.account in cards:
                cards[account.account].show(account)

    look_every(_EVERY, look)


class _AccountCard:
    """The limits of one account, its budget, and the way to change that."""

    def __init__(self, visit: Visit, account: AccountLimits) -> None:
        self._visit = visit
        self._account = account.account
        with part("section", "card"):
            with part("div", "card-head"):
                part("h2", text=f"Account {account.account}")
                self._lists = part("span", "muted")
                if visit.may("settings.edit"):
                    edit = button("Edit budget", on_click=self._edit, name="edit")
                    edit.props["aria-label"] = f"Edit budget of account {account.account}"
            self._budget = part("p")
            self._table = _table(account)
        self.show(account)

    def show(self, account: AccountLimits) -> None:
        """Show what counts now."""
        left = max(0, account.lists_a_day - account.lists_made)
        self._lists.text = f"{left} of {account.lists_a_day} new lists left in 24 hours"
        self._budget.text = in_words(account.budget)
        self._table.fill(_rows(account))

    async def _edit(self) -> None:
        budget = await self._visit.call(get_budget, self._visit.workspace, self._account)
        BudgetForm(self._visit, budget, self._refill).open()

    async def _refill(self) -> None:
        for account in await self._visit.call(account_limits, self._visit.workspace):
            if account.account == self._account:
                self.show(account)


def _table(account: AccountLimits) -> DataTable:
    if account.orchestrations:
        part("p", "muted", text=f"Used by {', '.join(account.orchestrations)}.")
    part("p", "muted", text="Left is what this server knows; a dash: it has made no call since it started.")
    return DataTable(f"Limits of account {account.account}", _ENDPOINTS, _rows(account), search=False, page=0)


def _rows(account: AccountLimits) -> list[dict[str, object]]:
    return [
        {
            "id": endpoint.name,
            "name": endpoint.name,
            "second": endpoint.second,
            "minute": endpoint.minute,
            "left": endpoint.left,
            "waited": round(endpoint.waited, 1) if endpoint.waited is not None else None,
        }
        for endpoint in account.endpoints
    ]


def _process(limits: tuple[ProcessLimit, ...]) -> None:
    with part("section", "card"):
        part("h2", text="Set by the environment")
        part("p", "muted", text="These are read when the server starts: change the variable, then start it again.")
        DataTable(
            "Limits of the environment",
            [
                Column(key="meaning", label="What"),
                Column(key="value", label="Value"),
                Column(key="source", label="Comes from", wide=True),
                Column(key="variable", label="Variable", kind="code"),
            ],
            [
                {
                    "id": x.variable,
                    "meaning": x.meaning.capitalize(),
                    "value": x.value,
                    "source": x.source,
                    "variable": x.variable,
                }
                for x in limits
            ],
            search=False,
            page=0,
        )


PAGE = Page(
    path="/settings/limits",
    title="Limits",
    section=Section.SETTINGS,
    permission="configuration.read",
    build=build,
    tab="Limits",
)
