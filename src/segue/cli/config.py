"""``segue apply``, ``segue export`` and ``segue list``."""

# ruff: noqa: PLC0415 -- SQLAlchemy and pydantic load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import workspace
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.services.configuration import ApplyReport, Change

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "rename": ("~", "yellow"),
    "delete": ("-", "red"),
    "unchanged": ("=", None),
}
_WIDEST = 60


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel="Configuration")(apply)
    app.command(rich_help_panel="Configuration")(export)
    app.command(name="list", rich_help_panel="Configuration")(list_configured)


def apply(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML files; they are checked together.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show the changes, save nothing.")] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete everything that the files do not name; rename an orchestration that only has another name.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as one JSON object.")] = False,
) -> None:
    """Make the workspace say what YAML files say: all of it or, when anything is wrong, nothing.

    ${NAME} and ${NAME:-default} in a text stand for environment variables. Applying the same files again
    changes nothing.
    """
    from segue.services.configuration import apply_files

    with workspace() as opened:
        report = apply_files(opened, files, environ=os.environ, dry_run=dry_run, prune=prune)
    for warning in report.warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")
    if as_json:
        typer.echo(json.dumps(_report(report), ensure_ascii=False, indent=2))
    else:
        _show(report)


def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when it is there.")] = False,
) -> None:
    """Write the configuration as YAML, in the form that `segue apply` reads, without secrets.

    An API key becomes a variable named after its credential. Where that variable is not set, applying the
    file keeps the key that is stored.
    """
    from segue.services.configuration import export_yaml

    folder = output.absolute().parent if output is not None else None
    with workspace() as opened:
        text = export_yaml(opened, folder=folder)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{output} is there already",
            code="file_exists",
            steps=("Name another file, or add --force to replace it.",),
        ) from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}", code="file_unwritable") from None
    typer.echo(f"wrote {output}", err=True)


def list_configured(
    kind: Annotated[
        str | None,
        typer.Argument(help="databases, credentials, queries, destinations, data_templates or orchestrations."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what is configured, without secrets."""
    from segue.services.configuration import list_entries

    with workspace() as opened:
        entries = list_entries(opened, kind)
    if as_json:
        typer.echo(json.dumps(entries, ensure_ascii=False, indent=2))
        return
    for name, items in entries.items():
        _table(name, items)


def _report(report: ApplyReport) -> dict[str, Any]:
    from segue.services.configuration import shown

    return {
        "applied": report.applied,
        "changes": [
            {
                "kind": change.kind,
                "name": change.name,
                "action": change.action,
                "renamed_from": change.renamed_from,
                "fields": [
                    {"name": field.name, "old": shown(field.old), "new": shown(field.new)} for field in change.fields
                ],
            }
            for change in report.changes
        ],
        "warnings": [str(warning) for warning in report.warnings],
    }


def _show(report: ApplyReport) -> None:
    counts = dict.fromkeys(_SIGNS, 0)
    for change in report.changes:
        counts[change.action] += 1
        if change.action != "unchanged":
            _show_change(change)
    done = {
        "create": "created",
        "update": "updated",
        "rename": "renamed",
        "delete": "deleted",
        "unchanged": "unchanged",
    }
    total = ", ".join(f"{count} {done[action]}" for action, count in counts.items() if count) or "nothing to do"
    typer.echo(total if report.applied else f"dry run, nothing saved: {total}")


def _show_change(change: Change) -> None:
    from segue.security import Secret
    from segue.services.configuration import WORDS

    sign, colour = _SIGNS[change.action]
    former = f", renamed from {change.renamed_from}" if change.renamed_from else ""
    typer.secho(f"{sign} {WORDS[change.kind]} {change.name}{former}", fg=colour)
    for field in change.fields if change.action in ("update", "rename") else ():
        if isinstance(field.new, Secret) or isinstance(field.old, Secret):
            typer.echo(f"    {field.name}: changed")
        else:
            typer.echo(f"    {field.name}: {_short(field.old)} -> {_short(field.new)}")


def _short(value: object) -> str:
    if value is None:
        return "(not set)"
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _table(title: str, items: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = list(dict.fromkeys(key for item in items for key in item))
    table = Table(title=title.replace("_", " "), title_justify="left", title_style="bold")
    for column in columns or ["nothing yet"]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for item in items:
        # Text, not str: a name may hold the brackets of rich's markup.
        table.add_row(*(Text(_short(item[column]) if column in item else "") for column in columns))
    Console().print(table)
