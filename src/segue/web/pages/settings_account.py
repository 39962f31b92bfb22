"""My account: password, second factor, where one is logged in, what one may."""

from __future__ import annotations

from zoneinfo import available_timezones

from nicegui import ui

from segue.errors import SegueError
from segue.security import Secret
from segue.services.login import OpenSession, change_password, log_out_everywhere, open_sessions
from segue.services.permissions import PERMISSIONS
from segue.services.time_zone import set_time_zone, time_zone
from segue.services.users import UserRecord, get_user
from segue.web.components.banner import show_problem
from segue.web.components.dialogs import confirm
from segue.web.components.fields import choice_field, needed, password_field
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.table import Column, DataTable
from segue.web.pages.second_factor import SecondFactor
from segue.web.pages.settings_users import OPTIONS
from segue.web.registry import Page, Section
from segue.web.visit import Visit


async def build(visit: Visit) -> None:
    """Fill the page."""
    user = await visit.call(get_user, visit.workspace, visit.actor.name)
    sessions = await visit.call(open_sessions, visit.workspace)
    heading("My account", "How you log in, where you are logged in, and what you may.")
    with part("div", "columns"):
        if user.external:
            _external()
        else:
            _Password(visit)
        with part("div", "stack"):
            if not user.external:
                await SecondFactor(visit, user).show()
            _Times(visit, await visit.call(time_zone, visit.workspace))
            _about(visit, user)
    _sessions(visit, sessions)


def _external() -> None:
    with part("section", "card"):
        part("h2", text="Password")
        part("p", text="You log in at the identity provider: password and second factor are kept there.")


class _Password:
    """The card that changes the password."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        with part("section", "card"):
            part("h2", text="Password")
            self._problem = part("div")
            self._old = password_field("Current password", autocomplete="current-password")
            self._new = password_field(
                "New password",
                autocomplete="new-password",
                hint="At least 12 characters; a sentence of words is a good one.",
            )
            part("p", "muted", text="A new password logs you out everywhere, here too.")
            button("Change password", on_click=self._change, kind="primary")

    async def _change(self) -> None:
        if not all([needed(self._old), needed(self._new)]):
            return
        old, new = Secret(str(self._old.value)), Secret(str(self._new.value))
        try:
            await self._visit.call(change_password, self._visit.workspace, old, new)
        except SegueError as error:
            show_problem(self._problem, error)
            return
        ui.navigate.to(_LOGIN)


class _Times:
    """The card that chooses the time zone of every page."""

    def __init__(self, visit: Visit, zone: str | None) -> None:
        self._visit = visit
        with part("section", "card"):
            part("h2", text="Times")
            zones = {_BROWSER: "As the browser has it", **{name: name for name in sorted(available_timezones())}}
            self._field = choice_field(
                "Time zone", zones, value=zone or _BROWSER, hint="Of times on every page; a schedule has its own."
            )
            button("Save the time zone", on_click=self._save, kind="primary")

    async def _save(self) -> None:
        chosen = str(self._field.value or _BROWSER)
        await self._visit.call(set_time_zone, self._visit.workspace, None if chosen == _BROWSER else chosen)
        ui.navigate.reload()


_BROWSER = "browser"
_LOGIN = "/login?next=/settings/account"


def _about(visit: Visit, user: UserRecord) -> None:
    actor = visit.actor
    with part("section", "card"):
        part("h2", text="What you may")
        with part("dl", "facts"):
            for name, text in (
                ("Name", user.name),
                ("Policy", user.policy.capitalize()),
                ("Options", ", ".join(OPTIONS[option] for option in sorted(user.options)) or "none"),
            ):
                part("dt", text=name)
                part("dd", text=text)
        with part("details"):
            part("summary", text=f"{len(actor.permissions)} of {len(PERMISSIONS)} permissions")
            with part("ul"):
                for permission in PERMISSIONS.values():
                    if actor.may(permission.name):
                        part("li", text=permission.allows)


def _sessions(visit: Visit, sessions: tuple[OpenSession, ...]) -> None:
    async def log_out() -> None:
        if await confirm("Log out everywhere?", "Every browser has to log in again, this one too.", yes="Log out"):
            await visit.call(log_out_everywhere, visit.workspace)
            ui.navigate.to(_LOGIN)

    with part("section", "card"):
        with part("div", "card-head"):
            part("h2", text="Where you are logged in")
            button("Log out everywhere", on_click=log_out, name="logout")
        DataTable(
            "Sessions",
            [
                Column(key="address", label="Address"),
                Column(key="since", label="Since", kind="time"),
                Column(key="seen", label="Last used", kind="time"),
            ],
            [
                {"id": number, "address": session.address, "since": session.created_at, "seen": session.seen_at}
                for number, session in enumerate(sessions)
            ],
            search=False,
        )


PAGE = Page(
    path="/settings/account",
    title="My account",
    section=Section.SETTINGS,
    permission="runs.read",
    build=build,
    tab="My account",
)
