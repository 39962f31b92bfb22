"""``segue groups``, ``segue group run`` and ``segue signal``."""

# ruff: noqa: PLC0415 -- SQLAlchemy and DuckDB load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.group_reports import as_dict, run_dict, show_group, show_run
from segue.cli.place import place

_PANEL = "Groups"
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Parallel = Annotated[
    int, typer.Option("--parallel", min=1, max=64, help="Orchestrations that run at once, where no server works.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(groups)
    group = typer.Typer(help="Run orchestration groups.", no_args_is_help=True, rich_markup_mode="rich")
    group.command()(run)
    # With one command typer would drop its name.
    group.callback()(_group)
    app.add_typer(group, name="group", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(signal)


def _group() -> None:
    """Run orchestration groups."""


def groups(as_json: AsJson = False) -> None:
    """List the groups: what starts them, when next, and how the last run went."""
    from segue.cli.output import print_json

    with place() as at:
        found = at.groups()
    beat = found.scheduler_seen_at
    if as_json:
        print_json(
            {"groups": [as_dict(group) for group in found.items], "scheduler_seen_at": beat and beat.isoformat()}
        )
        return
    for group in found.items:
        show_group(group)
    seen = f"{beat:%Y-%m-%d %H:%M:%S} UTC" if beat else "never; start it with `segue serve`"
    typer.echo(f"scheduler last seen: {seen}" if found.items else "There are no groups. See docs/how-to/schedule.md.")


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the group.")],
    parallel: Parallel = 4,
    as_json: AsJson = False,
) -> None:
    """Run a group now, whether it is enabled and whether or not the data changed: by the server, or here where none works.

    A run of the group that was killed is finished instead. Ctrl-C stops what runs here, and leaves it to a server. Exit code:
    0 completed, 3 completed with warnings, 1 failed, 2 usage, 130 interrupted.
    """
    from segue.cli.output import print_json
    from segue.scheduling.status import GroupStatus

    with place() as at:
        ended = at.run_group(name, parallel=parallel, quiet=as_json)
    if as_json:
        print_json(run_dict(ended))
    else:
        show_run(ended)
    raise typer.Exit(GroupStatus(ended.status).exit_code)


def signal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name that groups have under after_signal.")],
) -> None:
    """Say that upstream data are ready: groups that wait for this signal become due.

    The scheduler starts them; here nothing is run.
    """
    with place() as at:
        received = at.signal(name)
    typer.echo(f'signal "{name}" recorded' + (f"; due: {', '.join(received.due)}" if received.due else ""))
    if received.hint:
        typer.secho(f"warning: {received.hint}", err=True, fg="yellow")
