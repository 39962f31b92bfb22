"""Runs that are asked for and wait for a worker, in the order in which they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pydantic
from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.runs import Run, Task
from segue.errors import SegueError, UsageError
from segue.services.budgets import account_of
from segue.services.orchestrations import Orchestration
from segue.workflow.locks import under_way
from segue.workflow.records import RunRecord, RunRecords, error_dict, record_of
from segue.workflow.resumable import finish_first, is_hopeless, resumable
from segue.workflow.rows import new_run, unfinished_run
from segue.workflow.status import RunStatus

StartedBy = Literal["user", "api", "signal", "schedule"]
WhenBusy = Literal["refuse", "wait"]
_PRIORITY: Mapping[StartedBy, int] = {"user": 10, "api": 20, "signal": 30, "schedule": 30}
"""Somebody who looks at the screen comes first."""
_AT_IT = (RunStatus.RUNNING, RunStatus.STOPPING)


class Options(pydantic.BaseModel):
    """What was asked for with a run. allowed: fuses that may blow; plan_id: the plan that must still be true; restart: an
    unfinished run is settled, not finished; read_back: False leaves the sample out; not_before: it waits until then; max_rows:
    a test send of at most so many members, in this run only."""

    model_config = pydantic.ConfigDict(frozen=True)
    allowed: tuple[str, ...] = ()
    plan_id: str | None = None
    restart: bool = False
    read_back: bool = True
    not_before: datetime | None = None
    max_rows: int | None = pydantic.Field(default=None, ge=1)

    def over(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Template settings with what is asked for this run alone."""
        return {**settings, **({"max_rows": self.max_rows} if self.max_rows is not None else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A run that a worker will carry out. resumed: it began before and is taken up again, or waited already."""

    run: RunRecord
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run to be given to the engine. account: runs of one account start one after the other."""

    run_id: str
    attempt: int
    account: str
    priority: int


class RunQueue:
    """Every method is one transaction."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put(
        self,
        orchestration: Orchestration,
        *,
        locked: bool,
        started_by: StartedBy,
        options: Options,
        when_busy: WhenBusy,
        undoes: str | None = None,
    ) -> Requested:
        """Ask for a run. One that failed half-way is taken up again instead; one that waits for the same is not doubled.

        locked: whether some process is at a run of this orchestration. Raises BusyError ``run_under_way`` when one is under
        way and when_busy says so.
        """
        with self._catalog.session() as session:
            unfinished = session.scalars(unfinished_run(orchestration.id)).one_or_none()
            others = session.scalars(
                select(Run).where(
                    Run.orchestration_id == orchestration.id, Run.status.in_((RunStatus.WAITING, *_AT_IT))
                )
            ).all()
            # Between the end of a run and the end of its lock nobody is at work any more; whoever comes waits that moment.
            busy = any(locked or run.status == RunStatus.WAITING or run.worker_id for run in others)
            if busy and when_busy == "refuse":
                raise under_way(orchestration.name)
            if unfinished is not None and not busy and not options.restart and not is_hopeless(unfinished.error):
                if undoes or options.plan_id or options.max_rows:
                    raise finish_first(record_of(unfinished))
                _wait(unfinished, started_by=started_by, options=options)
                return Requested(run=record_of(unfinished), resumed=True)
            wanted = options.model_dump(mode="json")
            for run in others:
                if run.status == RunStatus.WAITING and (run.undoes, run.options) == (undoes, wanted):
                    return Requested(run=record_of(run), resumed=True)
            fresh = new_run(
                orchestration_id=orchestration.id,
                orchestration=orchestration.name,
                kind="undo" if undoes else "sync",
                settings=options.over(orchestration.settings.model_dump(mode="json")),
                credential_id=orchestration.credential.id,
                undoes=undoes,
            )
            _wait(fresh, started_by=started_by, options=options)
            session.add(fresh)
            return Requested(run=record_of(fresh), resumed=False)

    def resume(
        self, run_id: str, *, locked: bool, started_by: StartedBy, options: Options, settings: Mapping[str, Any]
    ) -> Requested:
        """Ask for a run to be taken up from the task that failed. settings: of the run, that change before.

        Raises UsageError for a run that is over or that a later one has overtaken, BusyError while somebody is at it.
        """
        asked = resumable(RunRecords(self._catalog), run_id)
        with self._catalog.session() as session:
            run = session.get_one(Run, asked.id)
            if locked or run.status == RunStatus.WAITING or (run.status in _AT_IT and run.worker_id):
                raise under_way(run.orchestration)
            run.settings = {**run.settings, **settings}
            _wait(run, started_by=started_by, options=options)
            return Requested(run=record_of(run), resumed=True)

    def stop(self, run_id: str) -> RunRecord:
        """Ask a run to stop. One that waits is stopped at once. Raises UsageError for one that no worker is at."""
        run_id = RunRecords(self._catalog).get(run_id).id
        with self._catalog.session() as session:
            run = session.get_one(Run, run_id)
            status = RunStatus(run.status)
            if status.ended:
                raise UsageError(
                    f"Run {run.id} is over: {status}.",
                    code="run_over",
                    steps=(f"See what came of it: segue show {run.id}",),
                )
            if status is RunStatus.WAITING:
                run.status, run.ended_at = RunStatus.STOPPED, now()
            elif run.worker_id is None:
                raise UsageError(
                    f"Run {run.id} is not carried out by a server.",
                    code="run_of_a_command",
                    steps=("Press Ctrl-C where `segue run` works on it.",),
                )
            else:
                run.status = RunStatus.STOPPING
            return record_of(run)

    def take(self, run_id: str, *, worker_id: str | None, settings: Mapping[str, Any]) -> bool:
        """A worker takes a run, for the first time or after a crash. False when it is over: there is nothing to do.

        settings: what a run that has not begun goes by.
        """
        with self._catalog.session() as session:
            run = session.get_one(Run, run_id)
            if run.status == RunStatus.STOPPING:
                run.status, run.ended_at = RunStatus.STOPPED, now()
            if RunStatus(run.status).ended:
                return False
            if run.status == RunStatus.WAITING and not _has_begun(session, run_id):
                run.started_at, run.settings = now(), Options.model_validate(run.options).over(settings)
            run.status, run.worker_id, run.error, run.ended_at = RunStatus.RUNNING, worker_id, None, None
            return True

    def waiting(self) -> list[Waiting]:
        """Every run that waits for a worker, and not for a moment that has not come."""
        with self._catalog.session(read_only=True) as session:
            rows = session.scalars(select(Run).where(Run.status == RunStatus.WAITING).order_by(Run.started_at)).all()
            return [
                Waiting(run_id=r.id, attempt=r.attempt, account=_account(session, r), priority=r.priority)
                for r in rows
                if (moment := not_before(r.options)) is None or moment <= now()
            ]

    def at_work(self) -> Sequence[RunRecord]:
        """The runs that workers are at, without their tasks."""
        query = select(Run).where(Run.status.in_(_AT_IT), Run.worker_id.is_not(None))
        with self._catalog.session(read_only=True) as session:
            return [record_of(run) for run in session.scalars(query)]

    def fail(self, run_id: str, attempt: int, error: SegueError) -> None:
        """End a run that nobody is at any more, unless something else came of it meanwhile."""
        with self._catalog.session() as session:
            run = session.get_one(Run, run_id)
            if run.status in _AT_IT and run.attempt == attempt and run.worker_id is not None:
                run.status, run.error, run.ended_at = (
                    RunStatus.FAILED,
                    error_dict(error, run),
                    now(),
                )


def not_before(options: Mapping[str, Any]) -> datetime | None:
    """The moment that a run waits for; None for none."""
    return Options.model_validate(options).not_before


def _wait(run: Run, *, started_by: StartedBy, options: Options) -> None:
    # A test send stays one, whoever takes it up again.
    sample = Options.model_validate(run.options or {}).max_rows
    if sample is not None:
        options = options.model_copy(update={"max_rows": sample})
    run.status, run.error, run.ended_at = RunStatus.WAITING, None, None
    run.started_by, run.priority = started_by, _PRIORITY[started_by]
    run.attempt, run.options, run.worker_id = run.attempt + 1, options.model_dump(mode="json"), None


def _has_begun(session: Session, run_id: str) -> bool:
    return session.scalars(select(Task.run_id).where(Task.run_id == run_id).limit(1)).first() is not None


def _account(session: Session, run: Run) -> str:
    """The account that a run's credential opened the last time; before the first time the credential stands for it."""
    return run.account_id or account_of(session, run.credential_id) or f"credential {run.credential_id}"
