"""Runs and histories as they go over the wire."""

from __future__ import annotations

from dataclasses import asdict

from segue.client import values
from segue.services.history import Entry
from segue.workflow.records import RunRecord, TaskRecord


def run_of(run: RunRecord) -> values.Run:
    """A run with its tasks."""
    return values.Run(
        run_id=run.id,
        orchestration=run.orchestration,
        kind=run.kind,
        status=run.status,
        started_by=run.started_by,
        plan_id=run.plan_id,
        undoes=run.undoes,
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=run.seconds,
        account_id=run.account_id,
        list=values.ListRef(id=run.list_id, name=run.list_name, created=run.list_created),
        counts=dict(run.counts),
        requests=dict(run.requests),
        warnings=tuple(run.warnings),
        error=values.Failure.model_validate(run.error) if run.error else None,
        tasks=tuple(map(_task_of, run.tasks)),
    )


def history_entry_of(entry: Entry) -> values.HistoryEntry:
    """What one run did with a person."""
    return values.HistoryEntry.model_validate(asdict(entry))


def _task_of(task: TaskRecord) -> values.Task:
    ended = task.started_at is not None and task.ended_at is not None
    return values.Task(
        name=task.name,
        status=task.status,
        started_at=task.started_at,
        ended_at=task.ended_at,
        seconds=(task.ended_at - task.started_at).total_seconds() if ended else None,  # type: ignore[operator]
        attempts=task.attempts,
        outcome=dict(task.outcome),
    )
