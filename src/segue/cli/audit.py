"""``segue audit``: who did what."""

# ruff: noqa: PLC0415 -- SQLAlchemy loads inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from segue.cli.context import workspace


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    audit = typer.Typer(help="Read and export the activity log.", no_args_is_help=True, rich_markup_mode="rich")
    audit.command(name="list")(list_)
    audit.command()(export)
    app.add_typer(audit, name="audit", rich_help_panel="Looking around")


def list_(
    action: Annotated[
        str | None, typer.Option("--action", help="Only these: query.update, or query. for all of them.")
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this one did.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
) -> None:
    """List who did what, newest first."""
    from segue.cli.output import print_grid
    from segue.services.audit import audit_page

    with workspace() as opened:
        lines = audit_page(opened, action=action, actor=actor, limit=limit)
    rows = [(f"{x.at:%Y-%m-%d %H:%M:%S}", x.actor, x.address or "", x.action, x.subject or "") for x in lines]
    print_grid(("at (UTC)", "who", "from", "what", "of"), rows)


def export(
    form: Annotated[Format, typer.Option("--format", help="csv, or json: one object a line.")] = Format.CSV,
) -> None:
    """Write the whole activity log to stdout, oldest first, with what was changed from what to what."""
    from segue.services.audit import export_audit
    from segue.services.audit_export import csv_lines, json_lines

    with workspace() as opened:
        for part in (csv_lines if form is Format.CSV else json_lines)(export_audit(opened)):
            sys.stdout.write(part)
