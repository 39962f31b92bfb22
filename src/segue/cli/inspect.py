"""``segue runs``, ``show``, ``rejects``, ``history`` and ``test-connection``: looking at what was done."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.context import settings, workspace

if TYPE_CHECKING:
    from segue.services.history import Entry
    from segue.services.rejects import Reject
    from segue.workflow.records import RunRecord, TaskRecord

_PANEL = "Looking around"
_BATCH = 10_000
"""Rejects that are written at once."""
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsArray = Annotated[bool, typer.Option("--json", help="Print one JSON array.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(rich_help_panel=_PANEL)(runs)
    app.command(rich_help_panel=_PANEL)(show)
    app.command(rich_help_panel=_PANEL)(rejects)
    app.command(rich_help_panel=_PANEL)(history)
    app.command(name="test-connection", rich_help_panel=_PANEL)(try_connection)


def runs(
    orchestration: Annotated[str | None, typer.Option("--orchestration", help="Only runs of this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 20,
    as_json: AsArray = False,
) -> None:
    """List the latest runs, newest first."""
    from segue.cli.output import print_grid, print_json
    from segue.services.history import orchestration_id
    from segue.workflow.records import RunRecords

    with workspace() as opened:
        wanted = None
        if orchestration is not None:
            with opened.catalog.session(read_only=True) as session:
                wanted = orchestration_id(session, orchestration)
        found = RunRecords(opened.catalog).recent(orchestration_id=wanted, limit=limit)
    if as_json:
        print_json([_run(run) for run in found])
        return
    numbers = ("source", "added", "changed", "removed", "rejected")
    rows = [
        (
            run.id,
            _moment(run.started_at),
            run.orchestration,
            _status(run),
            _seconds(run.seconds),
            *(run.counts.get(name, "") for name in numbers),
        )
        for run in found
    ]
    names = ("run", "started (UTC)", "orchestration", "status", "seconds", *numbers)
    print_grid(names, rows, right=[name == "seconds" or name in numbers for name in names])


def show(run: RunId, as_json: AsJson = False) -> None:
    """Show one run: tasks (those that have not begun too), counts, requests, deliveries, warnings, what to do about an error."""
    from segue.cli.output import print_grid, print_json
    from segue.cli.reports import show_run
    from segue.workflow.outline import outline
    from segue.workflow.records import RunRecords

    with workspace() as opened:
        records = RunRecords(opened.catalog)
        record = records.get(run)
        parts = records.states(record.id)
    tasks = outline(record)
    if as_json:
        print_json({**_run(record), "tasks": [_task(task) for task in tasks], "parts": parts})
        return
    show_run(record)
    typer.echo()
    rows = [
        (task.name, task.status, _moment(task.started_at), _seconds(_task_seconds(task)), task.attempts, _outcome(task))
        for task in tasks
    ]
    names = ("task", "status", "started (UTC)", "seconds", "attempts", "outcome")
    print_grid(names, rows, right=(False, False, False, True, True, False))
    if parts:
        typer.echo()
        print_grid(("deliveries", "parts"), sorted(parts.items()), right=(False, True))


def rejects(
    run: RunId,
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write CSV to a file; - is stdout.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most this many.")] = None,
    as_json: AsArray = False,
) -> None:
    """List what a run could not send: row (from 1), key, field, value, reason, and who said so: segue or klaviyo."""
    from segue.cli.output import print_grid, print_json
    from segue.services.rejects import Reject
    from segue.services.rejects import rejects as find_rejects
    from segue.workflow.records import RunRecords

    names = [field.name for field in fields(Reject)]
    with workspace() as opened:
        record = RunRecords(opened.catalog).get(run)
        found = islice(find_rejects(opened, record.id), limit)
        if csv is not None:
            count = _write_rejects(found, csv)
        elif as_json:
            print_json([asdict(reject) for reject in found])
            return
        else:
            rows = (tuple("" if (value := getattr(r, name)) is None else value for name in names) for r in found)
            count = print_grid(names, rows, right=[name == "row" for name in names])
    typer.echo(f"{count:,} rejects" if count != 1 else "1 reject", err=True)


def history(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")],
    as_json: AsArray = False,
) -> None:
    """Show every run that added, changed, cleared, kept, removed or rejected a person, newest first."""
    from segue.cli.output import print_json
    from segue.services.history import history as find_history

    with workspace() as opened:
        entries = find_history(opened, settings(), email)
    if as_json:
        print_json([_entry(entry) for entry in entries])
        return
    for entry in entries:
        _show_entry(entry)
    if not entries:
        typer.echo("no run has met this address", err=True)


def try_connection(
    credential: Annotated[str, typer.Argument(metavar="CREDENTIAL", help="Name of the credential.")],
    as_json: AsJson = False,
) -> None:
    """Try a credential, writing nothing: whose account it opens, and which rights it lacks.

    Exit code 1 when the key is refused or a right is missing.
    """
    from segue.cli.output import print_json
    from segue.services.connections import check_connection

    with workspace() as opened:
        tested = check_connection(opened, settings(), credential)
    if as_json:
        print_json({**asdict(tested), "sound": tested.sound})
    else:
        name = f"{tested.account.name} ({tested.account.id})" if tested.account.name else tested.account.id
        typer.echo(f"account: {name}")
        if tested.account.note:
            typer.echo(f"note: {tested.account.note}")
        for sentence in tested.missing:
            typer.secho("missing: ", fg="red", nl=False)
            typer.echo(sentence)
        if tested.sound:
            typer.echo("The key has every right that a run needs.")
    raise typer.Exit(0 if tested.sound else 1)


def _run(run: RunRecord) -> dict[str, Any]:
    from segue.cli.runs import run_as_dict
    from segue.workflow.run import Ended

    shown = run_as_dict(Ended(run=run, resumed=False))
    del shown["resumed"]  # it is said of a command, not of a run
    return {
        **shown,
        "undoes": run.undoes,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "account_id": run.account_id,
        "settings": dict(run.settings),
    }


def _task(task: TaskRecord) -> dict[str, Any]:
    return {
        "name": task.name,
        "status": task.status,
        "started_at": task.started_at.isoformat() if task.started_at else None,
        "ended_at": task.ended_at.isoformat() if task.ended_at else None,
        "seconds": _task_seconds(task),
        "attempts": task.attempts,
        "outcome": dict(task.outcome),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "started_at": entry.started_at.isoformat()}


def _show_entry(entry: Entry) -> None:
    what = []
    for action in entry.actions:
        names = {"changed": entry.changed, "cleared": entry.cleared, "kept": entry.kept}.get(action, ())
        what.append(f"{action} {', '.join(names)}" if names else action)
    if entry.unset:
        what.append(f"unset {', '.join(entry.unset)}")
    typer.secho(f"{_moment(entry.started_at)} UTC  {'; '.join(what)}", bold=True)
    undo = " (undo)" if entry.kind == "undo" else ""
    typer.echo(f"  run {entry.run_id}, {entry.orchestration}{undo}: {entry.status}")
    for reject in entry.rejects:
        told = f": {reject.detail}" if reject.detail else ""
        typer.echo(
            f"  {reject.source} rejected {reject.field or 'the row'} {reject.value or ''} ({reject.reason}){told}"
        )
    if entry.payload is not None:
        typer.echo(f"  {json.dumps(entry.payload, ensure_ascii=False)}")


def _write_rejects(found: Iterator[Reject], target: str) -> int:
    import pyarrow as pa

    from segue.audience.rows import REJECTS_SCHEMA
    from segue.cli.output import write_csv

    def batches() -> Iterator[pa.RecordBatch]:
        while some := [asdict(reject) for reject in islice(found, _BATCH)]:
            yield pa.RecordBatch.from_pylist(some, schema=REJECTS_SCHEMA)

    return write_csv(REJECTS_SCHEMA, batches(), target)


def _status(run: RunRecord) -> str:
    return f"{run.status} (undo)" if run.kind == "undo" else run.status


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _task_seconds(task: TaskRecord) -> float | None:
    return (task.ended_at - task.started_at).total_seconds() if task.ended_at and task.started_at else None


def _outcome(task: TaskRecord) -> str:
    """The numbers and names of an outcome that are not 0 and no list."""
    return ", ".join(f"{name} {value}" for name, value in _flat(task.outcome) if value not in (0, "", None, False))


def _flat(outcome: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in outcome.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} {inner}", deeper) for inner, deeper in _flat(value))
        elif not isinstance(value, list):
            yield name, value
