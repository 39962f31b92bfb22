"""All tasks of a run, those that have not begun too."""

from __future__ import annotations

from segue.workflow.records import RunRecord, TaskRecord
from segue.workflow.status import TaskStatus
from segue.workflow.tasks import TASKS

_NAMES = tuple(name for name, _ in TASKS)


def outline(run: RunRecord) -> tuple[TaskRecord, ...]:
    """Every task in its order. One that has not begun waits, or was skipped where nothing more will come of the run."""
    status = TaskStatus.SKIPPED if run.status.succeeded or run.settled else TaskStatus.WAITING
    return tuple(run.task(name) or _not_begun(name, status) for name in _NAMES)


def _not_begun(name: str, status: TaskStatus) -> TaskRecord:
    return TaskRecord(name=name, status=status, started_at=None, ended_at=None, attempts=0, outcome={})
