"""``segue serve`` and ``segue stop``."""

# ruff: noqa: PLC0415 -- the engine and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from segue.cli.context import settings, workspace

_PANEL = "Service"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(serve)
    app.command(rich_help_panel=_PANEL)(stop)


def serve() -> None:
    """Carry out the runs that are asked for, until interrupted.

    A run that was under way when the last server ended, however it ended, goes on by itself.
    """
    from segue.app import service

    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: end.set())
    with service(settings()) as running:
        typer.echo(f"serving {running.workspace.layout.home}", err=True)
        running.work(end)
        typer.echo("stopping: what is on its way is finished, the next server goes on with the rest", err=True)


def stop(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")],
) -> None:
    """Stop a run of the server: chunks on their way are finished, what was acknowledged stays.

    The next run of the orchestration goes on from there.
    """
    from segue.workflow.requests import request_stop

    with workspace() as opened:
        stopped = request_stop(opened, run)
    typer.echo(f"run {stopped.id}: {stopped.status}")
