"""``segue serve``, ``segue worker`` and ``segue stop``."""

# ruff: noqa: PLC0415 -- the engine, FastAPI and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.context import settings
from segue.cli.place import place
from segue.errors import UsageError
from segue.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from segue.services.workspace import Workspace

_PANEL = "Service"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PATIENCE = 5
"""Seconds that answers of the API on their way get when the process has to end."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(serve)
    app.command(rich_help_panel=_PANEL)(worker)
    app.command(rich_help_panel=_PANEL)(stop)


def serve(
    host: Annotated[str, typer.Option("--host", help="Address of the web app and the REST API.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the web app and the REST API; 0: neither.")
    ] = 8321,
    web: Annotated[bool, typer.Option("--web/--no-web", help="The web app, or the REST API alone.")] = True,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            "--behind-proxy",
            metavar="ADDRESS",
            help="Address of the proxy that encrypts: only its X-Forwarded headers are believed.",
        ),
    ] = None,
) -> None:
    """Carry out the runs that are asked for, until interrupted; serve the web app and the REST API.

    A run that was under way when the last server ended, however it ended, goes on by itself.
    """
    from segue.app import service

    end, current = _until_signalled(), settings()
    with service(current) as running, ExitStack() as edges:
        if port:
            edges.enter_context(_edges(running.workspace, current, _Place(host, port, behind_proxy), web=web))
        typer.echo(f"serving {running.workspace.layout.home}", err=True)
        running.work(end)
        typer.echo("stopping: what is on its way is finished, the next server goes on with the rest", err=True)


@dataclass(frozen=True)
class _Place:
    """Where the server listens, and behind what. proxy: its address."""

    host: str
    port: int
    proxy: str | None

    def warn(self) -> None:
        """Say what is dangerous about it."""
        if self.host not in _LOOPBACK and self.proxy is None:
            typer.echo(
                f"warning: {self.host} is reached from elsewhere, and nothing encrypts: passwords and people's data can be "
                "read on the way; put a proxy in front that does, and name it with --behind-proxy",
                err=True,
            )


def _tell_first_link(opened: Workspace, address: str) -> None:
    """Without users, somebody has to become the first administrator."""
    from segue.services.links import first_administrator_link, path_of

    link = first_administrator_link(opened)
    if link is not None:
        typer.echo(
            f"nobody can log in yet; make the first administrator within an hour, once:\n  {address}{path_of(link)}",
            err=True,
        )


def worker() -> None:
    """Carry out runs beside `segue serve`, until interrupted: with PostgreSQL, on this machine or another one.

    SEGUE_HOME has to be the same folder for all of them. When one of them dies another goes on with its runs within a minute.
    """
    from segue.app import service

    end, current = _until_signalled(), settings()
    if current.database_url is None:
        raise UsageError(
            "A worker needs the metadata in PostgreSQL; here they are in a file, for one `segue serve`.",
            code="worker_needs_postgresql",
            steps=("Let `segue serve` do more at a time: SEGUE_RUNS_AT_ONCE=4", "Or set SEGUE_DATABASE_URL."),
        )
    with service(current, schedules=False) as running:
        typer.echo(f"working for {running.workspace.layout.home}", err=True)
        running.work(end)
        typer.echo("stopping: what is on its way is finished, another worker goes on with the rest", err=True)


def _until_signalled() -> threading.Event:
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: end.set())
    return end


@contextmanager
def _edges(opened: Workspace, current: Settings, place: _Place, *, web: bool) -> Iterator[None]:
    """The web app and the REST API in a thread; runs that they start go to the worker."""
    import uvicorn

    from segue.api import create_app

    host, port = place.host, place.port
    place.warn()
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise UsageError(
            f"The server cannot listen at {host}:{port}: {error.strerror}.",
            code="port_taken",
            steps=("Choose another --port, or end what listens there.",),
        ) from None
    api = create_app(opened, current)
    app: ASGIApp = api
    if web:
        from segue.api.access import FIRST_PARTS
        from segue.web import with_pages

        app = with_pages(api, opened, current, first_parts=FIRST_PARTS)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Without a proxy that is named, anybody could say that they come from elsewhere, or over https.
        proxy_headers=place.proxy is not None,
        forwarded_allow_ips=place.proxy or "",
        # An event stream would otherwise hold the end up as long as its run takes.
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="segue-edges")
    thread.start()
    if app is not api:
        typer.echo(f"the web app is at http://{host}:{port}/", err=True)
        _tell_first_link(opened, f"http://{host}:{port}")
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
    with place() as at:
        stopped = at.stop(run)
    typer.echo(f"run {stopped.run_id}: {stopped.status}")
