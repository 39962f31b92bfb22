"""``segue user``: make, list, disable users and let them choose a new password."""

# ruff: noqa: PLC0415 -- SQLAlchemy loads inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import workspace

if TYPE_CHECKING:
    from segue.services.links import Link
    from segue.services.users import UserRecord

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user, such as an email address.")]


class PolicyName(StrEnum):
    """The policies, for the parser; ``segue.services.permissions`` says what they mean."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    ACTIVATOR = "activator"
    VIEWER = "viewer"


class OptionName(StrEnum):
    """The options, for the parser."""

    RESTRICT_PII = "restrict_pii"
    USER_ADMIN = "user_admin"
    RUN_ONLY = "run_only"


Options = Annotated[
    list[OptionName] | None,
    typer.Option(
        "--option",
        help="restrict_pii: sees no personal data; user_admin: also makes users; run_only: configures nothing.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    user = typer.Typer(help="Make, list and change users.", no_args_is_help=True, rich_markup_mode="rich")
    user.command()(add)
    user.command(name="list")(list_)
    user.command(name="set")(set_)
    user.command()(disable)
    user.command()(enable)
    user.command()(unlock)
    user.command(name="reset-password")(reset_password)
    app.add_typer(user, name="user", rich_help_panel="Service")


def add(
    name: Name,
    policy: Annotated[PolicyName, typer.Option("--policy", help="What the user may.")] = PolicyName.VIEWER,
    option: Options = None,
) -> None:
    """Make a user and print a link with which that person chooses a password: once, within 24 hours."""
    from segue.services.links import password_link
    from segue.services.permissions import Option, Policy
    from segue.services.users import create_user

    with workspace() as opened:
        made = create_user(opened, name, Policy(policy), [Option(o) for o in option or ()])
        _show(password_link(opened, made.name))


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False) -> None:
    """List the users, by name."""
    from segue.cli.output import print_grid, print_json
    from segue.services.users import list_users

    with workspace() as opened:
        found = list_users(opened)
    if as_json:
        print_json([_user(user) for user in found])
        return
    rows = [
        (
            u.name,
            u.policy,
            ", ".join(sorted(u.options)),
            _log_in(u),
            f"{u.last_login_at:%Y-%m-%d}" if u.last_login_at else "",
        )
        for u in found
    ]
    print_grid(("user", "policy", "options", "log-in", "last"), rows)


def set_(
    name: Name,
    policy: Annotated[PolicyName | None, typer.Option("--policy", help="What the user may from now on.")] = None,
    option: Options = None,
    no_options: Annotated[bool, typer.Option("--no-options", help="Take every option away.")] = False,
    no_totp: Annotated[bool, typer.Option("--no-totp", help="Ask for no second factor: the phone is lost.")] = False,
) -> None:
    """Change what a user may; what is not named stays."""
    from segue.errors import UsageError
    from segue.services.permissions import Option, Policy
    from segue.services.totp import drop_totp
    from segue.services.users import change_user

    if option and no_options:
        raise UsageError("--option and --no-options exclude each other")
    options = [Option(o) for o in option or ()] if option or no_options else None
    with workspace() as opened:
        changed = change_user(opened, name, policy=Policy(policy) if policy else None, options=options)
        if no_totp:
            drop_totp(opened, name)
    typer.echo(f'the user "{changed.name}" is {", ".join((changed.policy, *sorted(changed.options)))}')


def disable(name: Name) -> None:
    """Let a user in no more, end the sessions, and stop the API tokens of that user."""
    _set_disabled(name, disabled=True)


def enable(name: Name) -> None:
    """Let a disabled user in again."""
    _set_disabled(name, disabled=False)


def unlock(name: Name) -> None:
    """Let a user try again at once who has to wait because too many log-ins failed."""
    from segue.services.user_lines import unlock_user

    with workspace() as opened:
        unlock_user(opened, name)
    typer.echo(f'the user "{name}" need not wait')


def reset_password(name: Name) -> None:
    """Print a link with which the user chooses a new password: once, within 24 hours."""
    from segue.services.links import password_link

    with workspace() as opened:
        _show(password_link(opened, name))


def _set_disabled(name: str, *, disabled: bool) -> None:
    from segue.services.users import change_user

    with workspace() as opened:
        changed = change_user(opened, name, disabled=disabled)
    typer.echo(f'the user "{changed.name}" is {"disabled" if disabled else "enabled"}')


def _show(link: Link) -> None:
    from segue.services.links import path_of

    typer.echo(path_of(link))
    typer.echo(
        f"open it below the address of the web application until {link.expires_at:%Y-%m-%d %H:%M} UTC; "
        "it is not shown again",
        err=True,
    )


def _log_in(user: UserRecord) -> str:
    if user.disabled_at is not None:
        return "disabled"
    if user.external:
        return "identity provider"
    return ("password and code" if user.totp else "password") if user.password else "link sent"


def _user(user: UserRecord) -> dict[str, Any]:
    return {
        "name": user.name,
        "policy": user.policy,
        "options": sorted(user.options),
        "log_in": _log_in(user),
        "disabled": user.disabled_at is not None,
        "created_at": user.created_at.isoformat(),
        "last_login_at": user.last_login_at.isoformat() if user.last_login_at else None,
    }
