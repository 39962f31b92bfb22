"""``segue serve`` and ``segue stop``."""

# ruff: noqa: PLC0415 -- the engine, FastAPI and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.context import settings, workspace
from segue.errors import UsageError
from segue.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from segue.services.workspace import Workspace

_PANEL = "Service"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Where the web app may listen: it knows no users."""
_PATIENCE = 5
"""Seconds that answers of the API on their way get when the process has to end."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(serve)
    app.command(rich_help_panel=_PANEL)(stop)


def serve(
    host: Annotated[str, typer.Option("--host", help="Address of the web app and the REST API.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the web app and the REST API; 0: neither.")
    ] = 8321,
    web: Annotated[bool, typer.Option("--web/--no-web", help="The web app, or the REST API alone.")] = True,
) -> None:
    """Carry out the runs that are asked for, until interrupted; serve the web app and the REST API.

    A run that was under way when the last server ended, however it ended, goes on by itself.
    """
    from segue.app import service

    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: end.set())
    current = settings()
    with service(current) as running, ExitStack() as edges:
        if port:
            edges.enter_context(_edges(running.workspace, current, host, port, web=web))
        typer.echo(f"serving {running.workspace.layout.home}", err=True)
        running.work(end)
        typer.echo("stopping: what is on its way is finished, the next server goes on with the rest", err=True)


@contextmanager
def _edges(opened: Workspace, current: Settings, host: str, port: int, *, web: bool) -> Iterator[None]:
    """The web app and the REST API in a thread; runs that they start go to the worker."""
    import uvicorn

    from segue.api import create_app
    from segue.api.background import WorkerStarter

    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise UsageError(
            f"The server cannot listen at {host}:{port}: {error.strerror}.",
            code="port_taken",
            steps=("Choose another --port, or end what listens there.",),
        ) from None
    api = create_app(opened, current, starter=WorkerStarter())
    app: ASGIApp = api
    if web and host in _LOOPBACK:
        from segue.api.access import FIRST_PARTS
        from segue.web import with_pages

        app = with_pages(api, opened, current, first_parts=FIRST_PARTS, host=host)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # An event stream would otherwise hold the end up as long as its run takes.
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="segue-edges")
    thread.start()
    if app is not api:
        typer.echo(f"the web app is at http://{host}:{port}/", err=True)
    typer.echo(f"the API is at http://{host}:{port}/api/v1, its description at /api/openapi.json", err=True)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


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
