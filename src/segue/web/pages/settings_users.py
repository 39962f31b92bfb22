"""Users: who may come in, what they may, and help for those who cannot get in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.errors import SegueError
from segue.security import Secret
from segue.services.links import Link, password_link, path_of
from segue.services.login import log_out_everywhere
from segue.services.permissions import Option, Policy
from segue.services.totp import drop_totp
from segue.services.user_lines import UserLine, policies_to_give, unlock_user, user_lines
from segue.services.users import UserRecord, change_user, create_user
from segue.web.components.banner import show_problem
from segue.web.components.copying import show_once
from segue.web.components.dialogs import confirm, dialog
from segue.web.components.fields import check_field, choice_field, needed, text_field
from segue.web.components.icons import button
from segue.web.components.parts import heading, part
from segue.web.components.table import Action, Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_COLUMNS = (
    Column(key="name", label="User"),
    Column(key="status", label="Status", kind="status", filter=True),
    Column(key="policy", label="Policy", filter=True, wide=True),
    Column(key="options", label="Options", wide=True),
    Column(key="log_in", label="Logs in with", wide=True),
    Column(key="seen", label="Last seen", kind="time"),
)
_POLICIES = {
    Policy.ADMINISTRATOR: "Administrator: everything",
    Policy.OPERATOR: "Operator: configures everything",
    Policy.ACTIVATOR: "Activator: queries, orchestrations, runs",
    Policy.VIEWER: "Viewer: looks",
}
OPTIONS = {
    Option.RESTRICT_PII: "Sees no personal data",
    Option.RUN_ONLY: "Runs only, configures nothing",
    Option.USER_ADMIN: "Also looks after users",
}
"""What the options are called."""
_ACTIONS = (
    Action(key="edit", label="Change what they may", icon="edit"),
    Action(key="link", label="New password link", icon="link"),
    Action(key="unlock", label="Unlock", icon="lock_open"),
    Action(key="logout", label="Log out everywhere", icon="logout"),
    Action(key="totp", label="Turn second factor off", icon="phonelink_erase", danger=True),
    Action(key="enable", label="Enable", icon="check_circle"),
    Action(key="disable", label="Disable", icon="block", danger=True),
)

Done = Callable[[], Awaitable[None]]


async def build(visit: Visit) -> None:
    """Fill the page."""
    with heading(
        "Users", "Who may come in, and what they may. Users are disabled, not deleted: the activity log names them."
    ):
        button("Invite user", on_click=lambda: _Form(visit, None, refill).open(), name="person_add", kind="primary")

    async def refill() -> None:
        table.fill(_rows(await visit.call(user_lines, visit.workspace)))

    table = DataTable(
        "Users",
        _COLUMNS,
        _rows(await visit.call(user_lines, visit.workspace)),
        actions=_ACTIONS,
        on_action=lambda event: _act(visit, event, refill),
    )


def _rows(lines: tuple[UserLine, ...]) -> list[dict[str, object]]:
    return [
        {
            "id": line.user.id,
            "name": line.user.name,
            "status": line.status,
            "policy": line.user.policy.capitalize(),
            "options": ", ".join(OPTIONS[option] for option in sorted(line.user.options)),
            "log_in": _log_in(line.user),
            "seen": line.seen_at,
            "actions": _offered(line),
        }
        for line in lines
    ]


def _log_in(user: UserRecord) -> str:
    if user.external:
        return "identity provider"
    if not user.password:
        return "nothing yet: a link was sent"
    return "password and code" if user.totp else "password"


def _offered(line: UserLine) -> list[str]:
    user, standing = line.user, line.user.disabled_at is None
    offered = {
        "edit": True,
        "link": standing and not user.external,
        "unlock": line.locked_until is not None,
        "logout": line.sessions > 0,
        "totp": user.totp,
        "enable": not standing,
        "disable": standing,
    }
    return [key for key, shown in offered.items() if shown]


async def _act(visit: Visit, event: GenericEventArguments, refill: Done) -> None:
    lines = await visit.call(user_lines, visit.workspace)
    line = next((x for x in lines if x.user.id == event.args["row"]), None)
    if line is None:
        ui.notify("The user is gone.", type="warning")
    elif event.args["action"] == "edit":
        _Form(visit, line.user, refill).open()
        return
    else:
        await _DOING[event.args["action"]](visit, line.user.name)
    await refill()


async def _link(visit: Visit, name: str) -> None:
    _show_link(visit, await visit.call(password_link, visit.workspace, name))


async def _unlock(visit: Visit, name: str) -> None:
    await visit.call(unlock_user, visit.workspace, name)
    ui.notify(f"{name} may try again at once.", type="positive", position="bottom-right")


async def _log_out(visit: Visit, name: str) -> None:
    if await confirm("Log out everywhere?", f"Every browser of {name} has to log in again.", yes="Log out"):
        await visit.call(log_out_everywhere, visit.workspace, name)


async def _drop_totp(visit: Visit, name: str) -> None:
    text = f"{name} logs in with the password alone from now on. Make sure that it is they who ask."
    if await confirm("Turn the second factor off?", text, yes="Turn off", danger=True):
        await visit.call(drop_totp, visit.workspace, name)


async def _enable(visit: Visit, name: str) -> None:
    await visit.call(partial(change_user, disabled=False), visit.workspace, name)


async def _disable(visit: Visit, name: str) -> None:
    text = f"{name} is logged out at once and cannot come back; their API tokens open nothing."
    if await confirm("Disable the user?", text, yes="Disable", danger=True):
        await visit.call(partial(change_user, disabled=True), visit.workspace, name)


_DOING = {
    "link": _link,
    "unlock": _unlock,
    "logout": _log_out,
    "totp": _drop_totp,
    "enable": _enable,
    "disable": _disable,
}


class _Form:
    """The dialog that invites a user, or changes what one may."""

    def __init__(self, visit: Visit, user: UserRecord | None, done: Done) -> None:
        self._visit = visit
        self._user = user
        self._done = done
        actor = visit.actor
        given = policies_to_give(actor)
        with dialog(f"What {user.name} may" if user else "Invite user") as self._box:
            self._problem = part("div")
            if user is None:
                self._name = text_field("Name", hint="An email address is a good one.")
            self._policy = choice_field(
                "Policy",
                {policy.value: _POLICIES[policy] for policy in given},
                value=(user.policy if user and user.policy in given else given[-1]).value,
            )
            with part("fieldset", "choices"):
                part("legend", text="Options")
                self._options = {
                    option: check_field(label, value=option in (user.options if user else actor.options & _KEPT))
                    for option, label in OPTIONS.items()
                }
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save" if user else "Invite", on_click=self._save, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    async def _save(self) -> None:
        if self._user is None and not needed(self._name):
            return
        policy = Policy(str(self._policy.value))
        options = [option for option, box in self._options.items() if box.value]
        try:
            if self._user is None:
                link = await self._visit.call(_invited, self._visit, str(self._name.value), policy, options)
            else:
                change = partial(change_user, policy=policy, options=options)
                await self._visit.call(change, self._visit.workspace, self._user.name)
                link = None
        except SegueError as error:
            show_problem(self._problem, error)
            return
        self._box.close()
        await self._done()
        if link is not None:
            _show_link(self._visit, link)


_KEPT = frozenset({Option.RESTRICT_PII})
"""Who does not see personal data cannot let others see them."""


def _invited(visit: Visit, name: str, policy: Policy, options: list[Option]) -> Link:
    return password_link(visit.workspace, create_user(visit.workspace, name, policy, options).name)


def _show_link(visit: Visit, link: Link) -> None:
    url = visit.request.base_url.replace(path="", query="")
    what = "Send it to them: with it they choose a password. It works once, within 24 hours, and is not shown again."
    show_once(f"A link for {link.user}", what, "Link", Secret(f"{str(url).rstrip('/')}{path_of(link)}"))


PAGE = Page(
    path="/settings/users",
    title="Users",
    section=Section.SETTINGS,
    permission="users.manage",
    build=build,
    tab="Users",
)
