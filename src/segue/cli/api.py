"""``segue api``: the REST API, served alone."""

# ruff: noqa: PLC0415 -- FastAPI and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.context import settings, workspace

_PATIENCE = 5
"""Seconds that answers on their way get when the process has to end."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Service")(api)


def api(
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at.")] = 8765,
) -> None:
    """Serve the REST API until interrupted. Runs that it starts are carried out here, while no `segue serve` works.

    Every request needs a token: `segue token create`. At another address than this machine's own, put a server in front
    that encrypts.
    """
    import uvicorn

    from segue.api import create_app

    if host not in _LOOPBACK:
        typer.echo(f"warning: {host} is reached from elsewhere, and the API does not encrypt by itself", err=True)
    with workspace() as opened:
        app = create_app(opened, settings())
        typer.echo(f"the API is at http://{host}:{port}/api/v1, its description at /api/openapi.json", err=True)
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            # An event stream would otherwise hold the end up as long as its run takes.
            timeout_graceful_shutdown=_PATIENCE,
        )
