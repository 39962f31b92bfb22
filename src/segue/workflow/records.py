"""Runs and their tasks in the catalog, read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from segue import logs
from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.runs import ENDED_WELL, DeliveryPart, Run, Task
from segue.errors import SegueError, UsageError, fill_in
from segue.workflow.rows import new_run, unfinished_run
from segue.workflow.status import RunStatus, TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task as it stands. outcome: numbers and sentences, no personal data; progress: done, total, unit, where a worker is
    at it."""

    name: str
    status: TaskStatus
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    outcome: Mapping[str, Any]
    progress: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as it stands; see ``catalog.runs.Run``."""

    id: str
    orchestration_id: str
    orchestration: str
    kind: str
    undoes: str | None
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None
    plan_id: str | None
    settings: Mapping[str, Any]
    account_id: str | None
    list_id: str | None
    list_name: str | None
    list_created: bool
    counts: Mapping[str, int]
    requests: Mapping[str, int]
    warnings: Sequence[str]
    error: Mapping[str, Any] | None
    started_by: str
    priority: int
    attempt: int
    options: Mapping[str, Any]
    worker_id: str | None
    tasks: tuple[TaskRecord, ...] = field(default=())

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None

    def task(self, name: str) -> TaskRecord | None:
        """A task by its name, None when it has not begun."""
        return next((t for t in self.tasks if t.name == name), None)

    @property
    def settled(self) -> bool:
        """Whether it has recorded what came of it, or was given up: there is nothing to go on with."""
        recorded = self.task("record")
        return recorded is not None and recorded.status.over


class RunRecords:
    """Every method is one transaction."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def begin(
        self,
        *,
        orchestration_id: str,
        orchestration: str,
        kind: str,
        settings: Mapping[str, Any],
        credential_id: str,
        undoes: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        """Write a new run down that this process carries out. options: see ``queue.Options``."""
        run = new_run(
            orchestration_id=orchestration_id,
            orchestration=orchestration,
            kind=kind,
            settings=settings,
            credential_id=credential_id,
            undoes=undoes,
        )
        run.status = RunStatus.RUNNING
        run.options = dict(options or {})
        with self._catalog.session() as session:
            session.add(run)
        logs.event("run begun", run=run.id, orchestration=orchestration, kind=kind)
        return record_of(run)

    def update(self, run_id: str, **values: Any) -> None:
        """Change columns of a run."""
        with self._catalog.session() as session:
            run = session.get_one(Run, run_id)
            for name, value in values.items():
                setattr(run, name, value)

    def begin_task(self, run_id: str, name: str, position: int) -> int:
        """A task begins, or begins again; how often it has, now."""
        with self._catalog.session() as session:
            task = session.get(Task, (run_id, name))
            if task is None:
                task = Task(run_id=run_id, name=name, position=position, attempts=0, outcome={})
                session.add(task)
            task.status, task.started_at, task.ended_at = TaskStatus.RUNNING, now(), None
            task.attempts += 1
            logs.task(run_id, name, attempt=task.attempts)
            return task.attempts

    def end_task(self, run_id: str, name: str, status: TaskStatus, outcome: Mapping[str, Any] | None = None) -> None:
        """A task ends."""
        with self._catalog.session() as session:
            task = session.get_one(Task, (run_id, name))
            task.status, task.ended_at = status, now()
            task.progress = None
            if outcome is not None:
                task.outcome = dict(outcome)
        logs.event("task ended", status=status, run=run_id, task=name)

    def give_up(self, run_id: str, *, position: int) -> None:
        """Say that nothing more will come of a run, so that the next one starts anew."""
        with self._catalog.session() as session:
            session.merge(
                Task(run_id=run_id, name="record", position=position, status=TaskStatus.SKIPPED, attempts=0, outcome={})
            )

    def get(self, run_id: str) -> RunRecord:
        """One run with its tasks. An unambiguous beginning of the id is enough. Raises UsageError."""
        with self._catalog.session(read_only=True) as session:
            rows = session.scalars(select(Run).where(Run.id.startswith(run_id, autoescape=True)).limit(2)).all()
            if len(rows) != 1:
                what = f'is no run "{run_id}"' if not rows else f'are several runs whose id starts with "{run_id}"'
                steps = (
                    "See all of them with: segue runs",
                    "Records of old runs are removed: see Settings > Retention, or `segue retention show`.",
                )
                raise UsageError(f"There {what}.", code="unknown_run", steps=steps)
            return _with_tasks(session, rows[0])

    def several(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """These runs with their tasks, in this order; one that is gone is left out. Two reads."""
        with self._catalog.session(read_only=True) as session:
            rows = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(run_ids)))}
            tasks: dict[str, list[Task]] = {}
            for task in session.scalars(select(Task).where(Task.run_id.in_(run_ids)).order_by(Task.position)):
                tasks.setdefault(task.run_id, []).append(task)
            found = [run_id for run_id in run_ids if run_id in rows]
            return [record_of(rows[run_id], _task_records(tasks.get(run_id, ()))) for run_id in found]

    def in_effect(self, run_id: str) -> RunRecord | None:
        """The undo that took a run back whole and was not itself undone."""
        query = select(Run).where(Run.undoes == run_id, Run.status.in_(ENDED_WELL))
        with self._catalog.session(read_only=True) as session:
            undos = [record_of(row) for row in session.scalars(query) if not row.counts.get("warned")]
        return next((undo for undo in undos if self.in_effect(undo.id) is None), None)

    def recent(self, *, orchestration_id: str | None = None, limit: int = 20) -> list[RunRecord]:
        """The latest runs, newest first."""
        query = select(Run).order_by(Run.started_at.desc(), Run.id.desc()).limit(limit)
        if orchestration_id is not None:
            query = query.where(Run.orchestration_id == orchestration_id)
        with self._catalog.session(read_only=True) as session:
            return [record_of(row) for row in session.scalars(query)]

    def unfinished(self, orchestration_id: str, *, besides: str = "") -> RunRecord | None:
        """The run of this orchestration, besides the given one, that has begun to write and has not recorded what came of
        it."""
        with self._catalog.session(read_only=True) as session:
            row = session.scalars(unfinished_run(orchestration_id, besides=besides)).one_or_none()
            return _with_tasks(session, row) if row is not None else None

    def close_orphans(self, orchestration_id: str, *, besides: str = "") -> None:
        """Mark runs that died before their first write as failed: nothing of them is left to finish."""
        begun = select(DeliveryPart.run_id)
        at_it = (RunStatus.RUNNING, RunStatus.STOPPING)
        query = select(Run).where(
            Run.orchestration_id == orchestration_id, Run.status.in_(at_it), Run.id.not_in(begun), Run.id != besides
        )
        with self._catalog.session() as session:
            for run in session.scalars(query):
                run.status, run.ended_at = RunStatus.FAILED, now()
                run.error = error_dict(
                    SegueError("The process ended before anything was sent.", code="died", steps=("Run again.",)),
                    run,
                )

    def last_count(self, orchestration_id: str) -> int | None:
        """The source rows of the last run that ended well."""
        query = (
            select(Run.counts)
            .where(Run.orchestration_id == orchestration_id, Run.kind == "sync")
            .where(Run.status.in_(ENDED_WELL))
            .order_by(Run.started_at.desc())
            .limit(1)
        )
        with self._catalog.session(read_only=True) as session:
            counts = session.scalars(query).one_or_none()
            return counts.get("source") if counts else None

    def states(self, run_id: str) -> dict[str, int]:
        """How many delivery parts stand how, for people."""
        query = (
            select(DeliveryPart.kind, DeliveryPart.state, func.count())
            .where(DeliveryPart.run_id == run_id)
            .group_by(DeliveryPart.kind, DeliveryPart.state)
        )
        with self._catalog.session(read_only=True) as session:
            return {f"{kind} {state}": count for kind, state, count in session.execute(query)}


def error_dict(error: SegueError, run: Run | RunRecord) -> dict[str, Any]:
    """An error as it is stored with a run and shown."""
    steps = fill_in(error.steps, orchestration=run.orchestration, run=run.id)
    return {"code": error.code, "message": error.message, "cause": error.cause, "steps": list(steps)}


def _with_tasks(session: Session, run: Run) -> RunRecord:
    tasks = session.scalars(select(Task).where(Task.run_id == run.id).order_by(Task.position))
    return record_of(run, _task_records(tasks))


def _task_records(tasks: Iterable[Task]) -> tuple[TaskRecord, ...]:
    return tuple(
        TaskRecord(
            name=t.name,
            status=TaskStatus(t.status),
            started_at=t.started_at,
            ended_at=t.ended_at,
            attempts=t.attempts,
            outcome=t.outcome,
            progress=t.progress,
        )
        for t in tasks
    )


def record_of(run: Run, tasks: tuple[TaskRecord, ...] = ()) -> RunRecord:
    """A row as a value."""
    return RunRecord(
        id=run.id,
        orchestration_id=run.orchestration_id,
        orchestration=run.orchestration,
        kind=run.kind,
        undoes=run.undoes,
        status=RunStatus(run.status),
        started_at=run.started_at,
        ended_at=run.ended_at,
        plan_id=run.plan_id,
        settings=run.settings,
        account_id=run.account_id,
        list_id=run.list_id,
        list_name=run.list_name,
        list_created=run.list_created,
        counts=run.counts,
        requests=run.requests,
        warnings=run.warnings,
        error=run.error,
        started_by=run.started_by,
        priority=run.priority,
        attempt=run.attempt,
        options=run.options,
        worker_id=run.worker_id,
        tasks=tasks,
    )
