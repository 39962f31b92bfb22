"""Groups and their runs as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from segue.client import group_values


def as_dict(group: group_values.GroupState) -> dict[str, Any]:
    """A group as JSON shows it."""
    return {
        **group.model_dump(mode="json"),
        "next": [time.isoformat() for time in group.next],
        "last": run_dict(group.last) if group.last else None,
    }


def run_dict(run: group_values.GroupRun) -> dict[str, Any]:
    """A run of a group as JSON shows it."""
    return {
        "group_run_id": run.group_run_id,
        "group": run.group,
        "cause": run.cause,
        "status": run.status,
        "due_at": run.due_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "warnings": list(run.warnings),
        "members": [member.model_dump(exclude={"after"}) for member in run.members],
    }


def show_group(group: group_values.GroupState) -> None:
    """Print how a group stands."""
    from segue.services.configuration.values import duration_text  # noqa: PLC0415 -- loads pydantic

    typer.secho(group.name, bold=True, nl=False)
    typer.echo("" if group.enabled else "  (disabled)")
    members = [m.orchestration + (f" (after {', '.join(m.after)})" if m.after else "") for m in group.members]
    _line("members", "; ".join(members))
    if when := group.schedule:
        _line("schedule", f"{when.words}, {when.timezone}  [{when.cron}]")
        for number, time in enumerate(group.next):
            _line("" if number else "next", f"{time:%a %Y-%m-%d %H:%M %z}")
    if group.after_signal:
        _line("signal", f'after "{group.after_signal}"')
    if group.after_group:
        _line("group", f'after "{group.after_group}"')
    if group.offset_seconds:
        _line("offset", f"{duration_text(int(group.offset_seconds))} later")
    if group.only_if_changed:
        _line("only", "if the data changed")
    if last := group.last:
        _line("last run", f"{last.due_at:%Y-%m-%d %H:%M} UTC  {last.status}{_blame(last)}  [{last.group_run_id}]")


def _blame(run: group_values.GroupRun) -> str:
    """Which members did not succeed."""
    bad = [f"{m.orchestration} {m.status}" for m in run.members if m.status in ("failed", "skipped")]
    return f": {', '.join(bad)}" if bad else ""


def show_run(run: group_values.GroupRun) -> None:
    """Print how a run of a group and its members ended."""
    typer.secho(f"Group run {run.group_run_id}: ", bold=True, nl=False)
    typer.echo(f"{run.status}  {run.group}")
    for member in run.members:
        detail = f"  {member.message}" if member.message else ""
        typer.echo(f"  {member.status:<24} {member.orchestration}  {member.run_id or ''}{detail}".rstrip())
    for warning in run.warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")


def _line(label: str, text: str) -> None:
    typer.echo(f"  {label:<10}{text}")
