"""All tasks of a run, those that have not begun too."""

from __future__ import annotations

from segue.workflow.phases import NAMES
from segue.workflow.records import RunRecord, TaskRecord
from segue.workflow.status import TaskStatus


def outline(run: RunRecord) -> tuple[TaskRecord, ...]:
    """Every task in its order. One that has not begun waits, or was skipped where nothing more will come of the run, or a later
    one has begun."""
    over = run.status.succeeded or run.settled
    begun = max((NAMES.index(task.name) for task in run.tasks), default=-1)
    return tuple(
        run.task(name) or _not_begun(name, TaskStatus.SKIPPED if over or place < begun else TaskStatus.WAITING)
        for place, name in enumerate(NAMES)
    )


def _not_begun(name: str, status: TaskStatus) -> TaskRecord:
    return TaskRecord(name=name, status=status, started_at=None, ended_at=None, attempts=0, outcome={})
