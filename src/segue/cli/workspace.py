"""``segue init`` and ``segue upgrade``."""

# ruff: noqa: PLC0415 -- SQLAlchemy and DuckDB load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.context import settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Workspace")(init)
    app.command(rich_help_panel="Workspace")(upgrade)


def init(
    sample: Annotated[
        bool,
        typer.Option("--sample", help="Also make a synthetic Customer 360 and an example configuration."),
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=100_000_000, help="Customers in the sample.")] = 10_000,
) -> None:
    """Make a workspace at SEGUE_HOME (default ./.segue).

    What is there already stays as it is: run it as often as you like.
    """
    from segue.services.workspace import Layout, init_workspace, make_sample

    current = settings()
    layout = Layout(home=current.home)
    made = init_workspace(current)
    if sample:
        made += make_sample(current, rows=rows)
    for path in made:
        typer.echo(f"made {path}")
    if not made:
        typer.echo(f"the workspace at {layout.home} is complete")
    typer.echo("next:")
    if layout.sample_config.exists():
        typer.echo("  klaviyo-emulator --port 9800 &    # or set KLAVIYO_API_KEY and remove base_url from the file")
        typer.echo(f"  segue apply {layout.sample_config}")
        typer.echo("  segue plan 'Loyalty to Klaviyo'")
    else:
        typer.echo("  write segue.yaml (see docs/how-to/configure.md), then: segue apply segue.yaml")


def upgrade() -> None:
    """Bring the workspace to the schema of this version of Segue, after a copy of its metadata database.

    Of a database in PostgreSQL no copy is made: make one with pg_dump.
    """
    from segue.services.workspace import upgrade_workspace

    done = upgrade_workspace(settings())
    if done is None:
        typer.echo("the workspace is up to date")
        return
    before, after, copy = done
    typer.echo(f"upgraded the workspace from {before} to {after}")
    if copy is not None:
        typer.echo(f"the metadata database as it was: {copy}")
