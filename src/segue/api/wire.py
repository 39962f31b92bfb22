"""Runs, groups and histories as they go over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from segue.client import group_values, values
from segue.scheduling import GroupRecord
from segue.services.history import Entry
from segue.workflow.outline import outline
from segue.workflow.records import RunRecord, TaskRecord
from segue.workflow.resolve import Offer


def run_of(run: RunRecord, *, parts: Mapping[str, int] | None = None) -> values.Run:
    """A run with its tasks, those that have not begun too. parts: its deliveries by state."""
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
        tasks=tuple(map(task_of, outline(run))),
        settings=dict(run.settings),
        parts=dict(parts or {}),
    )


def history_entry_of(entry: Entry) -> values.HistoryEntry:
    """What one run did with a person."""
    return values.HistoryEntry.model_validate(asdict(entry))


def resolutions_of(offered: Offer) -> values.Resolutions:
    """What can be done about a run."""
    entry, error = offered.resolution, offered.run.error or {}
    return values.Resolutions(
        run_id=offered.run.id,
        orchestration=offered.run.orchestration,
        status=offered.run.status,
        code=offered.code,
        message=error.get("message"),
        task=offered.task,
        cause=entry.cause,
        who=entry.who,
        steps=entry.steps,
        actions=tuple(values.OfferedAction(action=a, meaning=a.meaning) for a in offered.actions),
        docs=entry.docs,
        fuses=offered.fuses,
        lists=offered.lists,
        opens_at=offered.opens_at,
    )


def group_run_of(run: GroupRecord) -> group_values.GroupRun:
    """A run of a group with its members."""
    return group_values.GroupRun(
        group_run_id=run.id,
        group=run.group,
        cause=run.cause,
        status=run.status,
        due_at=run.due_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        warnings=run.warnings,
        members=tuple(group_values.GroupMember.model_validate(asdict(member)) for member in run.members),
    )


def task_of(task: TaskRecord) -> values.Task:
    """A task."""
    ended = task.started_at is not None and task.ended_at is not None
    return values.Task(
        name=task.name,
        status=task.status,
        started_at=task.started_at,
        ended_at=task.ended_at,
        seconds=(task.ended_at - task.started_at).total_seconds() if ended else None,  # type: ignore[operator]
        attempts=task.attempts,
        outcome=dict(task.outcome),
        progress=dict(task.progress) if task.progress is not None else None,
    )
