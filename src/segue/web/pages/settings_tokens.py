"""API tokens: made, seen once, revoked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.catalog.base import now
from segue.errors import SegueError
from segue.security import Secret
from segue.services.permissions import Scope
from segue.services.tokens import Token, create_token, list_tokens, revoke_token
from segue.web.components.banner import show_problem
from segue.web.components.copying import show_once
from segue.web.components.dialogs import confirm, dialog
from segue.web.components.fields import check_field, choice_field, needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.table import Action, Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_SCOPES = {
    Scope.READ: "read: the configuration, runs and numbers; nobody's data",
    Scope.RUN: "run: plan, start and stop runs; rejects and histories",
    Scope.CONFIGURE: "configure: queries, destinations, orchestrations; rows of queries",
    Scope.ADMIN: "admin: databases, credentials, users too",
}
_DAYS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year"}

Done = Callable[[], Awaitable[None]]


async def build(visit: Visit) -> None:
    """Fill the page."""
    manages = visit.may("tokens.manage")
    whose = "Everybody's are shown." if manages else "Yours are shown."
    with heading("API tokens", f"With one, a program may what its scopes say, and no more than you. {whose}"):
        button("New token", on_click=lambda: _Form(visit, refill).open(), name="add", kind="primary")

    async def refill() -> None:
        table.fill(_rows(await visit.call(list_tokens, visit.workspace)))

    table = DataTable(
        "API tokens",
        [
            Column(key="name", label="Token"),
            Column(key="status", label="Status", kind="status", filter=True),
            Column(key="scopes", label="Scopes", wide=True),
            *([Column(key="user", label="Whose", filter=True, wide=True)] if manages else []),
            Column(key="expires", label="Expires", kind="time", wide=True),
            Column(key="used", label="Last used", kind="time"),
        ],
        _rows(await visit.call(list_tokens, visit.workspace)),
        actions=[Action(key="revoke", label="Revoke", icon="block", danger=True)],
        on_action=lambda event: _revoke(visit, event, refill),
        empty=("No token yet", "Make one for a script, Airflow or dbt. It is shown once."),
    )


def _rows(tokens: tuple[Token, ...]) -> list[dict[str, object]]:
    moment = now()
    return [
        {
            "id": token.id,
            "name": token.name,
            "status": token.stands(moment),
            "scopes": ", ".join(sorted(token.scopes)),
            "user": token.user or "the workspace",
            "expires": token.expires_at,
            "used": token.last_used_at,
            "actions": ["revoke"] if token.stands(moment) == "valid" else [],
        }
        for token in tokens
    ]


async def _revoke(visit: Visit, event: GenericEventArguments, refill: Done) -> None:
    tokens = await visit.call(list_tokens, visit.workspace)
    token = next((x for x in tokens if x.id == event.args["row"]), None)
    if token is None:
        ui.notify("The token is gone.", type="warning")
        return
    text = f'"{token.name}" opens nothing from now on. What uses it needs another one.'
    if await confirm("Revoke the token?", text, yes="Revoke", danger=True):
        await visit.call(revoke_token, visit.workspace, token.name)
    await refill()


class _Form:
    """The dialog that makes a token."""

    def __init__(self, visit: Visit, done: Done) -> None:
        self._visit = visit
        self._done = done
        with dialog("New token") as self._box:
            self._problem = part("div")
            self._name = text_field("Name", hint="What uses it. Names are not used twice.")
            with part("fieldset", "choices"):
                part("legend", text="Scopes")
                self._scopes = {
                    scope: check_field(label, value=scope is Scope.READ) for scope, label in _SCOPES.items()
                }
            self._days = choice_field("Expires after", _DAYS, value="90")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Make token", on_click=self._make, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    async def _make(self) -> None:
        if not all([needed(self._name), needed(self._days)]):
            return
        scopes = [scope for scope, box in self._scopes.items() if box.value]
        make = partial(create_token, days=int(str(self._days.value)))
        try:
            token, text = await self._visit.call(make, self._visit.workspace, str(self._name.value).strip(), scopes)
        except SegueError as error:
            show_problem(self._problem, error)
            return
        self._box.close()
        await self._done()
        _show(token, text)


def _show(token: Token, text: Secret) -> None:
    what = "It is shown this once. Put it where the program keeps its secrets."
    show_once(f"The token {token.name}", what, "Token", text)


PAGE = Page(
    path="/settings/tokens",
    title="API tokens",
    section=Section.SETTINGS,
    permission="tokens.own",
    build=build,
    tab="API tokens",
)
