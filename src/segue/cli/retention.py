"""``segue gc``, ``retention`` and ``forget``: what is stored of runs and of people goes, and when."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.context import armed_settings, workspace
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.workflow.forgetting import Forgotten
    from segue.workflow.garbage import Collected

_PANEL = "Workspace"
_UNITS = ("B", "kB", "MB", "GB", "TB")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(gc)
    app.command(rich_help_panel=_PANEL)(forget)
    retention = typer.Typer(help="How long what runs stored is kept.", no_args_is_help=True, rich_markup_mode="rich")
    retention.command(name="show")(show)
    retention.command(name="set")(set_)
    app.add_typer(retention, name="retention", rich_help_panel=_PANEL)


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what runs stored longer ago than the retention of the workspace says.

    Nothing goes that a next run, an unfinished run or an undo within that time needs. `segue serve` does it once a day.
    """
    from segue.catalog.base import now
    from segue.cli.output import print_json
    from segue.workflow.garbage import collect

    current = armed_settings()
    with workspace() as opened:
        done = collect(opened, current, at=now(), dry_run=dry_run)
    if as_json:
        kept = [{"orchestration": k.orchestration, "run_id": k.run_id, "why": k.why} for k in done.kept]
        counts = {what.replace(" ", "_"): count for what, count in done.removed.items()}
        merged = list(done.merged)
        print_json({"dry_run": dry_run, "removed": counts, "bytes": done.bytes, "merged": merged, "kept": kept})
    else:
        _show(done)


def forget(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what Segue keeps of one person, and say what remains and why. Klaviyo is not spoken to.

    Whom an orchestration keeps on a list stays in its baseline, so that the next run can take the person off.
    """
    from segue.cli.output import print_json
    from segue.workflow.forgetting import forget as remove

    current = armed_settings()
    with workspace() as opened:
        done = remove(opened, current, email, dry_run=dry_run)
    if as_json:
        counts = {what.replace(" ", "_"): count for what, count in done.removed.items()}
        remains = [{"orchestration": r.orchestration, "why": r.why} for r in done.remains]
        print_json({"dry_run": dry_run, "removed": counts, "remains": remains})
    else:
        _show_forgotten(done)


def show(as_json: AsJson = False) -> None:
    """Show how long what runs stored is kept, and what says so."""
    from segue.cli.output import print_grid, print_json
    from segue.services.retention import retention_state

    current = armed_settings()
    with workspace() as opened:
        state = retention_state(opened, current)
    counts, entry = asdict(state.effective), state.entry.document()
    if as_json:
        print_json({"set": entry, "effective": counts})
        return
    rows = [
        (name, _kept(name, value), "workspace" if name in entry else "environment or default")
        for name, value in counts.items()
    ]
    print_grid(("setting", "value", "set by"), rows)


def set_(
    keep_payloads: Annotated[str | None, typer.Option(help="How long people's data of a run stay: `90d`.")] = None,
    most_payloads: Annotated[str | None, typer.Option(help="How many of the latest runs keep them at most.")] = None,
    keep_runs: Annotated[str | None, typer.Option(help="How long the record of a run stays: `365d`.")] = None,
    most_runs: Annotated[str | None, typer.Option(help="How many of the latest runs keep theirs at most.")] = None,
    keep_last_runs: Annotated[str | None, typer.Option(help="How many keep theirs however old they are.")] = None,
) -> None:
    """Set how long what runs stored is kept, for everybody in this workspace; what is not named stays.

    `default` takes a setting back: then the environment of the server counts, else the default. Counts are of each orchestration.
    """
    from segue.services.retention import retention_entry, retention_state, set_retention

    given = {
        "keep_payloads": keep_payloads,
        "most_payloads": most_payloads,
        "keep_runs": keep_runs,
        "most_runs": most_runs,
        "keep_last_runs": keep_last_runs,
    }
    named = {name: value for name, value in given.items() if value is not None}
    if not named:
        raise UsageError("Name what to set, such as --keep-payloads 30d.")
    with workspace() as opened:
        seen = retention_state(opened, armed_settings())
        values = {**seen.entry.document(), **named}
        entry = retention_entry({name: value for name, value in values.items() if value != "default"})
        changed = set_retention(opened, entry, tag=seen.tag)
    typer.echo("it counts from the next collection on" if changed else "it was so before")


def _kept(name: str, value: float | None) -> str:
    if value is None:
        return "no limit"
    return f"{value / 86400:g} days" if name in ("keep_payloads", "keep_runs") else f"{value:,} runs"


def _show_forgotten(done: Forgotten) -> None:
    would = "would be " if done.dry_run else ""
    for what, count in done.removed.items():
        typer.echo(f"{would}removed: {count:,} {what}")
    for remains in done.remains:
        about = f"{remains.orchestration}: " if remains.orchestration else ""
        typer.echo(f"remains: {about}{remains.why}")
    if not done.removed and not done.remains:
        typer.echo("nothing is kept of this person")


def _show(done: Collected) -> None:
    would = "would be " if done.dry_run else ""
    for what, count in done.removed.items():
        typer.echo(f"{would}removed: {count:,} {what}")
    for name in done.merged:
        typer.echo(
            f"{would}merged: the baseline of {name}, without what is old; the files before it go with a later gc"
        )
    for kept in done.kept:
        about = f"{kept.orchestration}, run {kept.run_id}" if kept.run_id else kept.orchestration
        typer.echo(f"kept: {about}: {kept.why}")
    if not done.removed and not done.merged:
        typer.echo("nothing to remove")
    else:
        typer.echo(f"files {would}removed: {_bytes(done.bytes)}")


def _bytes(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count:,} bytes"
