"""The tasks that are one pass over the rows: ``query`` reads them, ``validate`` settles what cannot be sent, ``compare`` finds
what is new against the baseline.

Rows are read once, so what a pass leaves is whole at the end of its last task only: where one of them fails or breaks off, the
pass begins again with the first. Nothing is sent before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import delete

from segue import logs
from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.runs import Task
from segue.workflow.records import RunRecord
from segue.workflow.status import TaskStatus

PASS = ("query", "validate", "compare")
NAMES = (*PASS, "fuses", "list", "send", "confirm", "clear", "remove", "reconcile", "record")
"""Every task of a run, in order."""


class _Told(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def outcome(self) -> Mapping[str, Any]: ...


def pass_outcome(tasks: Iterable[_Told]) -> dict[str, Any]:
    """What came of the pass of a run so far: the outcomes of its tasks together."""
    return {name: value for task in tasks if task.name in PASS for name, value in task.outcome.items()}


def is_done(run: RunRecord, step: str) -> bool:
    """Whether a task has done its work, and for the first one whether the whole pass has.

    A run that found the rows unchanged, an undo, and a run of an earlier Segue have ``query`` alone.
    """
    tasks = [run.task(name) for name in (reversed(PASS) if step == PASS[0] else (step,))]
    last = next((task for task in tasks if task is not None), None)
    return last is not None and last.status.done


class Phases:
    """Which task of the pass is under way. Every method is one transaction, so that no crash falls between two tasks."""

    def __init__(self, catalog: Catalog, run_id: str) -> None:
        self._catalog = catalog
        self._run = run_id
        self.current = PASS[0]

    def begin(self) -> None:
        """The pass begins, or begins again."""
        with self._catalog.session() as session:
            session.execute(delete(Task).where(Task.run_id == self._run, Task.name.in_(PASS[1:])))

    def enter(self, name: str, outcome: Mapping[str, Any]) -> None:
        """The task under way has ended with this outcome, and the next one has begun."""
        with self._catalog.session() as session:
            ended = session.get_one(Task, (self._run, self.current))
            ended.status, ended.ended_at, ended.progress, ended.outcome = (
                TaskStatus.SUCCEEDED,
                now(),
                None,
                dict(outcome),
            )
            session.add(
                Task(
                    run_id=self._run,
                    name=name,
                    position=PASS.index(name),
                    attempts=ended.attempts,
                    status=TaskStatus.RUNNING,
                    started_at=now(),
                    outcome={},
                )
            )
            logs.task(self._run, name, attempt=ended.attempts)
        logs.event("task ended", status=TaskStatus.SUCCEEDED, run=self._run, task=self.current)
        self.current = name

    def warn(self, name: str, warnings: Sequence[str]) -> None:
        """What there is to say of a task that has ended."""
        if not warnings:
            return
        with self._catalog.session() as session:
            task = session.get_one(Task, (self._run, name))
            task.status, task.outcome = TaskStatus.ISSUE, {**task.outcome, "warnings": list(warnings)}
