"""``segue plan``, ``segue run`` and ``segue undo``."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.place import place
from segue.cli.reports import show_plan, show_run
from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.client import values

_PANEL = "Orchestrations"
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(metavar="ORCHESTRATION", help="Name of the orchestration.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(plan)
    app.command(rich_help_panel=_PANEL)(run)
    app.command(rich_help_panel=_PANEL)(undo)


def plan(
    orchestration: Name,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples", help="Show up to 20 people of each kind: added, changed, cleared, removed, rejected."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run would do: counts, fields, requests, minutes, fuses. Nothing is sent.

    The plan has an id; `segue run --plan ID` runs it and refuses when it is no longer true.
    """
    with place() as at:
        made = at.plan(orchestration, quiet=as_json, samples=samples)
    if as_json:
        _print_json(made.model_dump(mode="json"))
    else:
        show_plan(made)


def run(  # noqa: PLR0917 -- typer calls it by name
    orchestration: Name,
    plan_id: Annotated[
        str | None, typer.Option("--plan", metavar="ID", help="Run only if this plan is still what would be done.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="FUSE", help="Let this fuse blow, in this run only.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Give up an unfinished run, keeping what was acknowledged; begin anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send the results of an orchestration's query and keep the list true.

    A run that was interrupted is finished first, from where it stopped. Ctrl-C stops the run, wherever it is carried out;
    where a server does, a second one leaves it to the server. Exit code: 0 completed, 3 completed with warnings, 1 failed,
    2 usage, 130 interrupted.
    """
    with _told(as_json=as_json):
        _check_fuses(allow or ())
    if not (yes or as_json or plan_id) and sys.stdin.isatty():
        plan_id = _ask(orchestration, restart=restart)
    with _told(as_json=as_json), place() as at:
        ended = at.run(orchestration, plan_id=plan_id, allow=allow or (), restart=restart, quiet=as_json)
    finish(ended, as_json=as_json)


def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")],
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="FUSE", help="Let this fuse blow, in this undo only.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the list membership back to what it was before a run.

    Whom the run added leaves the list, whom it removed comes back. Profiles keep their fields: the report says
    what cannot be undone.
    """
    with _told(as_json=as_json):
        _check_fuses(allow or ())
    if not (yes or as_json) and sys.stdin.isatty():
        typer.confirm(f"Undo the list changes of run {run_id}?", abort=True)
    with _told(as_json=as_json), place() as at:
        ended = at.undo(run_id, allow=allow or (), quiet=as_json)
    finish(ended, as_json=as_json)


def _check_fuses(names: Collection[str]) -> None:
    from segue.services.fuses import check_names

    check_names(names)


def _ask(orchestration: str, *, restart: bool) -> str | None:
    """Show what would be done and ask. The display has ended by then: it would paint over the question."""
    with place() as at:
        made = None if at.is_unfinished(orchestration) else at.plan(orchestration, quiet=False)
    if made is None:
        what = "is given up, what was acknowledged is kept, and a new run begins" if restart else "is finished first"
        typer.confirm(f"An unfinished run {what}. Go on?", abort=True)
        return None
    show_plan(made, then=False)
    typer.confirm("Run this plan?", abort=True)
    return made.id


def finish(ended: values.Started, *, as_json: bool) -> None:
    """Print what came of a run and end with its exit code."""
    from segue.workflow.status import RunStatus

    if as_json:
        _print_json(run_as_dict(ended, resumed=ended.resumed))
    else:
        show_run(ended, resumed=ended.resumed)
    raise typer.Exit(RunStatus(ended.status).exit_code)


def run_as_dict(run: values.Run, **more: object) -> dict[str, Any]:
    """The one object that ``--json`` prints. more: said of the command, behind the status."""
    return {
        "run_id": run.run_id,
        "orchestration": run.orchestration,
        "kind": run.kind,
        "status": run.status,
        **more,
        "plan_id": run.plan_id,
        "list": run.list.model_dump(),
        "counts": run.counts,
        "requests": run.requests,
        "seconds": run.seconds,
        "warnings": list(run.warnings),
        "error": run.error.model_dump(mode="json") if run.error else None,
    }


@contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    """Whoever asked for JSON gets an object also when no run began; the error is told on stderr as always."""
    try:
        yield
    except SegueError as error:
        if as_json:
            told = {"code": error.code, "message": error.message, "cause": error.cause, "steps": list(error.steps)}
            _print_json(
                {"run_id": None, "status": "failed", "counts": {}, "requests": {}, "warnings": [], "error": told}
            )
        raise


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
