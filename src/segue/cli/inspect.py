"""``segue runs``, ``show``, ``rejects``, ``history`` and ``test-connection``: looking at what was done."""

# ruff: noqa: PLC0415 -- DuckDB, Arrow and SQLAlchemy load inside the commands, so that `segue --help` stays quick
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.place import place

if TYPE_CHECKING:
    from segue.client import values

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

    with place() as at:
        found = at.runs(orchestration, limit)
    if as_json:
        print_json([_run(run) for run in found])
        return
    numbers = ("source", "added", "changed", "removed", "rejected")
    rows = [
        (
            run.run_id,
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

    with place() as at:
        found = at.show(run)
    if as_json:
        print_json({**_run(found), "tasks": [_task(task) for task in found.tasks], "parts": found.parts})
        return
    show_run(found)
    typer.echo()
    rows = [
        (task.name, task.status, _moment(task.started_at), _seconds(task.seconds), task.attempts, _outcome(task))
        for task in found.tasks
    ]
    names = ("task", "status", "started (UTC)", "seconds", "attempts", "outcome")
    print_grid(names, rows, right=(False, False, False, True, True, False))
    if found.parts:
        typer.echo()
        print_grid(("deliveries", "parts"), sorted(found.parts.items()), right=(False, True))


def rejects(
    run: RunId,
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write CSV to a file; - is stdout.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most this many.")] = None,
    as_json: AsArray = False,
) -> None:
    """List what a run could not send: row (from 1), key, field, value, reason, and who said so: segue or klaviyo."""
    from segue.cli.output import print_grid, print_json, write_csv
    from segue.client.values import Reject

    names = list(Reject.model_fields)
    with place() as at:
        if csv is not None:
            count = write_csv(_as_csv(at.rejects(run, limit)) if limit is not None else at.rejects_csv(run), csv)
        elif as_json:
            print_json([reject.model_dump() for reject in at.rejects(run, limit)])
            return
        else:
            found = at.rejects(run, limit)
            rows = (tuple("" if (value := getattr(r, name)) is None else value for name in names) for r in found)
            count = print_grid(names, rows, right=[name == "row" for name in names])
    typer.echo(f"{count:,} rejects" if count != 1 else "1 reject", err=True)


def history(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")],
    as_json: AsArray = False,
) -> None:
    """Show every run that added, changed, cleared, kept, removed or rejected a person, newest first."""
    from segue.cli.output import print_json

    with place() as at:
        entries = at.history(email)
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

    with place() as at:
        tested = at.test_connection(credential)
    if as_json:
        account = {"id": tested.account_id, "name": tested.account_name, "note": tested.account_note}
        head = {"credential": tested.credential, "plugin": tested.plugin, "account": account}
        print_json({**head, "missing": list(tested.missing), "sound": tested.sound})
    else:
        typer.echo(
            f"account: {tested.account_name} ({tested.account_id})"
            if tested.account_name
            else f"account: {tested.account_id}"
        )
        if tested.account_note:
            typer.echo(f"note: {tested.account_note}")
        for sentence in tested.missing:
            typer.secho("missing: ", fg="red", nl=False)
            typer.echo(sentence)
        if tested.sound:
            typer.echo("The key has every right that a run needs.")
    raise typer.Exit(0 if tested.sound else 1)


def _run(run: values.Run) -> dict[str, Any]:
    from segue.cli.runs import run_as_dict

    return {
        **run_as_dict(run),
        "undoes": run.undoes,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "account_id": run.account_id,
        "settings": run.settings,
    }


def _task(task: values.Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "status": task.status,
        "started_at": task.started_at.isoformat() if task.started_at else None,
        "ended_at": task.ended_at.isoformat() if task.ended_at else None,
        "seconds": task.seconds,
        "attempts": task.attempts,
        "outcome": task.outcome,
    }


def _entry(entry: values.HistoryEntry) -> dict[str, Any]:
    return {**entry.model_dump(), "started_at": entry.started_at.isoformat()}


def _show_entry(entry: values.HistoryEntry) -> None:
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


def _as_csv(found: Iterator[values.Reject]) -> Iterator[tuple[bytes, int]]:
    import pyarrow as pa

    from segue.audience.rows import REJECTS_SCHEMA
    from segue.services.rows import csv_parts

    def batches() -> Iterator[pa.RecordBatch]:
        while some := [reject.model_dump() for reject in islice(found, _BATCH)]:
            yield pa.RecordBatch.from_pylist(some, schema=REJECTS_SCHEMA)

    return csv_parts(REJECTS_SCHEMA, batches())


def _status(run: values.Run) -> str:
    return f"{run.status} (undo)" if run.kind == "undo" else run.status


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _outcome(task: values.Task) -> str:
    """The numbers and names of an outcome that are not 0 and no list."""
    return ", ".join(f"{name} {value}" for name, value in _flat(task.outcome) if value not in (0, "", None, False))


def _flat(outcome: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in outcome.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} {inner}", deeper) for inner, deeper in _flat(value))
        elif not isinstance(value, list):
            yield name, value
