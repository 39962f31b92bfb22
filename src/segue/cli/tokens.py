"""``segue token``: make, list and revoke tokens of the API."""

# ruff: noqa: PLC0415 -- SQLAlchemy loads inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import workspace

if TYPE_CHECKING:
    from segue.services.tokens import Token


class ScopeName(StrEnum):
    """The scopes, for the parser; ``segue.services.tokens.Scope`` says what they mean."""

    READ = "read"
    RUN = "run"
    CONFIGURE = "configure"
    ADMIN = "admin"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    token = typer.Typer(help="Make, list and revoke tokens of the API.", no_args_is_help=True, rich_markup_mode="rich")
    token.command()(create)
    token.command(name="list")(list_)
    token.command()(revoke)
    app.add_typer(token, name="token", rich_help_panel="Service")


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for; it names who did something.")],
    scope: Annotated[
        list[ScopeName] | None,
        typer.Option(
            "--scope",
            help="What it may do: read (no personal data), run (also rejects, history), configure (also previews), admin.",
        ),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Days until it expires.")] = 90,
    user: Annotated[
        str | None, typer.Option("--user", help="Whose it is: it can never do more than this user. Not set: nobody's.")
    ] = None,
) -> None:
    """Make a token of the API and print it. It is shown this once: only what recognises it is kept."""
    from segue.services.permissions import Scope
    from segue.services.tokens import create_token

    scopes = [Scope(s) for s in scope or [ScopeName.READ]]
    with workspace() as opened:
        token, text = create_token(opened, name, scopes, days=days, user=user)
    typer.echo(text.reveal())
    typer.echo(f"valid until {token.expires_at:%Y-%m-%d}; keep it, it is not shown again", err=True)


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False) -> None:
    """List the tokens that were made, by name."""
    from segue.catalog.base import now
    from segue.cli.output import print_grid, print_json
    from segue.services.tokens import list_tokens

    moment = now()
    with workspace() as opened:
        tokens = list_tokens(opened)
    if as_json:
        print_json([_token(token, token.stands(moment)) for token in tokens])
        return
    rows = [
        (
            *(t.name, t.user or "", ", ".join(sorted(t.scopes))),
            *(f"{t.created_at:%Y-%m-%d}", f"{t.expires_at:%Y-%m-%d}", t.stands(moment)),
        )
        for t in tokens
    ]
    print_grid(("token", "user", "scopes", "made", "expires", "status"), rows)


def revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the token.")]) -> None:
    """Make a token open nothing from now on."""
    from segue.services.tokens import revoke_token

    with workspace() as opened:
        revoke_token(opened, name)
    typer.echo(f'the token "{name}" is revoked')


def _token(token: Token, status: str) -> dict[str, Any]:
    return {
        "name": token.name,
        "user": token.user,
        "scopes": sorted(token.scopes),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "status": status,
    }
