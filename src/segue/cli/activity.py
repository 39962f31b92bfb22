"""``segue activity`` and ``segue alert``: what happened, and who is told."""

# ruff: noqa: PLC0415 -- SQLAlchemy and Apprise load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.place import place

_COLOURS = {"completed": "green", "warning": "yellow", "error": "red"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Looking around")(activity)
    alert = typer.Typer(name="alert", help="Messages about runs.", no_args_is_help=True)
    alert.callback()(_alert)
    alert.command(name="test")(try_alert)
    app.add_typer(alert, rich_help_panel="Looking around")


def activity(
    unseen: Annotated[bool, typer.Option("--unseen", help="Only what you have not looked at.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array; marks nothing as seen.")] = False,
) -> None:
    """Show what happened recently, newest first. What is shown counts as seen from then on."""
    from segue.cli.output import print_json

    with place() as at:
        lines = at.activity(unseen=unseen, limit=limit)
        if not as_json:
            at.mark_seen([line.id for line in lines if not line.seen])
    if as_json:
        print_json([{**line.model_dump(), "at": line.at.isoformat()} for line in lines])
        return
    for line in lines:
        typer.echo(f"{'  ' if line.seen else '* '}{line.at:%Y-%m-%d %H:%M:%S}  ", nl=False)
        typer.secho(f"{line.kind:<9}", fg=_COLOURS.get(line.kind), nl=False)
        typer.echo(f"  {line.text}" + (f"  ({line.run_id})" if line.run_id else ""))
    if not lines:
        typer.echo("nothing new" if unseen else "nothing has happened yet", err=True)


def _alert() -> None:
    """Keeps ``test`` a command of its own."""


def try_alert(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the alert.")]) -> None:
    """Send a test message of an alert."""
    with place() as at:
        at.test_alert(name)
    typer.echo("sent")
