"""``segue resolve``: ways out of a failed run."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the command, so that `segue --help` stays quick
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.runs import AsJson, finish, running

if TYPE_CHECKING:
    from segue.security import Secret
    from segue.workflow.resolve import Offer


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
    from segue.workflow.resolve import offer
    from segue.workflow.resolve import resolve as carry_out
    from segue.workflow.run import Ended

    with running(quiet=as_json) as runner:
        if action is None:
            offered, ended = offer(runner, run), None
        else:
            chosen = _action(action)
            key = _key() if chosen == "update_credential" else None
            ended = carry_out(runner, run, chosen, list_id=list_id, key=key)
    if ended is not None:
        finish(Ended(run=ended, resumed=ended.id.startswith(run)), as_json=as_json)
    elif as_json:
        from segue.cli.output import print_json

        print_json(_as_dict(offered))
    else:
        _show(offered)


def _action(word: str) -> Any:
    from segue.errors import UsageError
    from segue.resolutions import Action
    from segue.services.names import suggestion

    words = [str(action) for action in Action]
    if word not in words:
        raise UsageError(
            f'there is no action "{word}"{suggestion(word, words)}', steps=(f"Take one of: {', '.join(words)}.",)
        )
    return Action(word)


def _key() -> Secret | None:
    """The new key: never an argument, which other users of the machine could read."""
    from segue.security import Secret

    asks = sys.stdin.isatty()
    text = typer.prompt("New API key", hide_input=True, err=True) if asks else sys.stdin.readline()
    return Secret(text.strip()) if text.strip() else None


def _as_dict(offered: Offer) -> dict[str, Any]:
    entry, error = offered.resolution, offered.run.error or {}
    return {
        "run_id": offered.run.id,
        "orchestration": offered.run.orchestration,
        "status": offered.run.status,
        "code": offered.code,
        "message": error.get("message"),
        "task": offered.task,
        "cause": entry.cause,
        "who": entry.who,
        "steps": list(entry.steps),
        "actions": [{"action": action, "meaning": action.meaning} for action in offered.actions],
        "docs": entry.docs,
        "fuses": list(offered.fuses),
        "lists": list(offered.lists),
        "opens_at": offered.opens_at.isoformat() if offered.opens_at else None,
    }


def _show(offered: Offer) -> None:
    entry, error = offered.resolution, offered.run.error or {}
    where = f" in the task {offered.task}" if offered.task else ""
    typer.secho(f"Run {offered.run.id}: {offered.run.status}{where} [{offered.code}]", bold=True)
    if error.get("message"):
        typer.echo(error["message"])
    typer.echo(f"\n{entry.cause}\nWho can put it right: {entry.who}.\n")
    for number, step in enumerate(entry.steps, start=1):
        typer.echo(f"  {number}. {step}")
    typer.echo("\nThen one of:")
    for action in offered.actions:
        typer.echo(f"  segue resolve {offered.run.id} --with {action}{_detail(offered, action)}")
        typer.echo(f"      {action.meaning}")
    typer.echo(f"\nMore: docs/{entry.docs}")


def _detail(offered: Offer, action: str) -> str:
    match action:
        case "choose_list":
            return f" --list {'|'.join(offered.lists)}"
        case "allow_fuse":
            return f"   ({', '.join(offered.fuses)})"
        case "wait" if offered.opens_at:
            return f"   (opens {offered.opens_at:%Y-%m-%d %H:%M} UTC)"
    return ""
