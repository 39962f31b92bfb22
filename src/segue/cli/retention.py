"""``segue gc`` and ``segue forget``: what is stored of runs and of people goes."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.context import armed_settings, workspace

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


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what runs stored longer ago than SEGUE_KEEP_PAYLOADS and SEGUE_KEEP_RUNS say.

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
