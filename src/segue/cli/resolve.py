"""``segue resolve``: ways out of a failed run."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the command, so that `segue --help` stays quick
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.place import place
from segue.cli.runs import AsJson, finish

if TYPE_CHECKING:
    from segue.client import values
    from segue.security import Secret


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel="Orchestrations")(resolve)


def resolve(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")],
    action: Annotated[
        str | None, typer.Option("--with", metavar="ACTION", help="Do this one of the offered ways.")
    ] = None,
    list_id: Annotated[str | None, typer.Option("--list", metavar="ID", help="The list, for choose_list.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ways out of a failed run, or take one of them.

    A run goes on from the task that failed. A new API key for update_credential is asked for, or read from standard input.
    Exit codes are those of `segue run`.
    """
    with place() as at:
        if action is None:
            offered, ended = at.resolutions(run), None
        else:
            chosen = _action(action)
            key = _key() if chosen == "update_credential" else None
            ended = at.resolve(run, chosen, list_id=list_id, key=key, quiet=as_json)
    if ended is not None:
        finish(ended, as_json=as_json)
    elif as_json:
        from segue.cli.output import print_json

        print_json(_as_dict(offered))
    else:
        _show(offered)


def _action(word: str) -> str:
    from segue.errors import UsageError
    from segue.resolutions import Action
    from segue.services.names import suggestion

    words = [str(action) for action in Action]
    if word not in words:
        raise UsageError(
            f'there is no action "{word}"{suggestion(word, words)}', steps=(f"Take one of: {', '.join(words)}.",)
        )
    return word


def _key() -> Secret | None:
    """The new key: never an argument, which other users of the machine could read."""
    from segue.security import Secret

    asks = sys.stdin.isatty()
    text = typer.prompt("New API key", hide_input=True, err=True) if asks else sys.stdin.readline()
    return Secret(text.strip()) if text.strip() else None


def _as_dict(offered: values.Resolutions) -> dict[str, Any]:
    opens = offered.opens_at.isoformat() if offered.opens_at else None
    return {**offered.model_dump(mode="json"), "opens_at": opens}


def _show(offered: values.Resolutions) -> None:
    where = f" in the task {offered.task}" if offered.task else ""
    typer.secho(f"Run {offered.run_id}: {offered.status}{where} [{offered.code}]", bold=True)
    if offered.message:
        typer.echo(offered.message)
    typer.echo(f"\n{offered.cause}\nWho can put it right: {offered.who}.\n")
    for number, step in enumerate(offered.steps, start=1):
        typer.echo(f"  {number}. {step}")
    typer.echo("\nThen one of:")
    for way in offered.actions:
        typer.echo(f"  segue resolve {offered.run_id} --with {way.action}{_detail(offered, way.action)}")
        typer.echo(f"      {way.meaning}")
    typer.echo(f"\nMore: docs/{offered.docs}")


def _detail(offered: values.Resolutions, action: str) -> str:
    match action:
        case "choose_list":
            return f" --list {'|'.join(offered.lists)}"
        case "allow_fuse":
            return f"   ({', '.join(offered.fuses)})"
        case "wait" if offered.opens_at:
            return f"   (opens {offered.opens_at:%Y-%m-%d %H:%M} UTC)"
    return ""
