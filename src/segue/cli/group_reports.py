"""Groups and their runs as people and programs read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from segue.scheduling import Group, GroupRecord, Scheduler

_SHOWN_TIMES = 5


def describe(group: Group, scheduler: Scheduler) -> dict[str, Any]:
    """A group as JSON shows it."""
    from segue.scheduling import next_starts  # noqa: PLC0415 -- loads SQLAlchemy

    timetable, last = group.timetable, scheduler.records.latest(group.id)
    return {
        "name": group.name,
        "enabled": group.enabled,
        "schedule": {
            "cron": timetable.cron,
            "words": timetable.words,
            "timezone": timetable.timezone,
            "missed": "run_once" if group.run_missed else "skip",
        }
        if timetable
        else None,
        "next": [time.isoformat() for time in next_starts(group, _SHOWN_TIMES, now=datetime.now(UTC))],
        "after_signal": group.after_signal,
        "after_group": group.after_group,
        "offset_seconds": group.offset.total_seconds(),
        "only_if_changed": group.only_if_changed,
        "members": [{"orchestration": member.orchestration, "after": list(member.after)} for member in group.members],
        "last": run_dict(last[0]) if last else None,
    }


def run_dict(run: GroupRecord) -> dict[str, Any]:
    """A run of a group as JSON shows it."""
    return {
        "group_run_id": run.id,
        "group": run.group,
        "cause": str(run.cause),
        "status": str(run.status),
        "due_at": run.due_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "warnings": list(run.warnings),
        "members": [
            {
                "orchestration": member.orchestration,
                "status": str(member.status),
                "run_id": member.run_id,
                "message": member.message,
            }
            for member in run.members
        ],
    }


def show_group(group: dict[str, Any]) -> None:
    """Print what ``describe`` says of a group."""
    from segue.services.configuration.values import duration_text  # noqa: PLC0415 -- loads pydantic

    typer.secho(group["name"], bold=True, nl=False)
    typer.echo("" if group["enabled"] else "  (disabled)")
    members = [
        m["orchestration"] + (f" (after {', '.join(m['after'])})" if m["after"] else "") for m in group["members"]
    ]
    _line("members", "; ".join(members))
    if when := group["schedule"]:
        _line("schedule", f"{when['words']}, {when['timezone']}  [{when['cron']}]")
        for number, time in enumerate(group["next"]):
            _line("" if number else "next", f"{datetime.fromisoformat(time):%a %Y-%m-%d %H:%M %z}")
    if group["after_signal"]:
        _line("signal", f'after "{group["after_signal"]}"')
    if group["after_group"]:
        _line("group", f'after "{group["after_group"]}"')
    if group["offset_seconds"]:
        _line("offset", f"{duration_text(int(group['offset_seconds']))} later")
    if group["only_if_changed"]:
        _line("only", "if the data changed")
    if last := group["last"]:
        due = datetime.fromisoformat(last["due_at"])
        _line("last run", f"{due:%Y-%m-%d %H:%M} UTC  {last['status']}{_blame(last)}  [{last['group_run_id']}]")


def _blame(run: dict[str, Any]) -> str:
    """Which members did not succeed."""
    bad = [f"{m['orchestration']} {m['status']}" for m in run["members"] if m["status"] in ("failed", "skipped")]
    return f": {', '.join(bad)}" if bad else ""


def show_run(run: GroupRecord) -> None:
    """Print how a run of a group and its members ended."""
    typer.secho(f"Group run {run.id}: ", bold=True, nl=False)
    typer.echo(f"{run.status}  {run.group}")
    for member in run.members:
        detail = f"  {member.message}" if member.message else ""
        typer.echo(f"  {member.status:<24} {member.orchestration}  {member.run_id or ''}{detail}".rstrip())
    for warning in run.warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")


def _line(label: str, text: str) -> None:
    typer.echo(f"  {label:<10}{text}")
