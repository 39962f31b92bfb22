"""One run from its start to its end, or from where it was interrupted."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from segue.catalog.base import now
from segue.delivery.budget import Interrupted
from segue.delivery.exchanges import Recorder, Unrecorded
from segue.delivery.progress import Progress
from segue.destinations.contract import Destination
from segue.errors import SegueError
from segue.services.audit import note
from segue.services.orchestrations import Orchestration, load_orchestration
from segue.services.rejects import keep_refused
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.template import TemplateSettings
from segue.traces import Span
from segue.workflow.announce import announcing
from segue.workflow.context import RunContext, Stage
from segue.workflow.failures import explain
from segue.workflow.gate import require_start
from segue.workflow.locks import ListTurns, only_run
from segue.workflow.opening import opened
from segue.workflow.phases import NAMES, Phases, is_done
from segue.workflow.queue import Options
from segue.workflow.recording import RunRecorder
from segue.workflow.records import RunRecord, RunRecords, error_dict
from segue.workflow.resumable import finish_first, is_hopeless, resumable, undoable
from segue.workflow.status import RunStatus, TaskStatus
from segue.workflow.steps import Step, Suspended, at_once
from segue.workflow.sync import stage_sync
from segue.workflow.tasks import TASKS, Task, counts_so_far, summary
from segue.workflow.tidying import sweep, tidy_run
from segue.workflow.tracing import note_run, note_task, run_span, task_span
from segue.workflow.undo import stage_undo

_LOST = frozenset({"staging_lost", "another_account"})
"""Errors after which nothing more can be learned about a run: giving it up is all that is left."""
_STALE = timedelta(hours=12)
"""An unfinished run older than this is finished, and followed by the run that was asked for: its data are of another day."""
_SETTLING = ("confirm", "record")
"""The tasks that bring an unfinished run to a clean end without sending anything more."""
_STAGES: Mapping[str, Stage] = {"sync": stage_sync, "undo": stage_undo}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that ended. resumed: it had been interrupted before."""

    run: RunRecord
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs orchestrations of a workspace. stop: set when the user asks to stop, or when the process has to end; then leaving
    is set too. worker_id, step: of a worker that carries runs out durably."""

    workspace: Workspace
    settings: Settings
    progress: Progress
    stop: threading.Event
    leaving: threading.Event = field(default_factory=threading.Event)
    worker_id: str | None = None
    step: Step = at_once

    @property
    def records(self) -> RunRecords:
        """Runs in the catalog."""
        return RunRecords(self.workspace.catalog)

    def run(
        self,
        name: str,
        *,
        plan_id: str | None = None,
        allowed: Collection[str] = (),
        restart: bool = False,
        max_rows: int | None = None,
    ) -> Ended:
        """Run an orchestration, or finish its unfinished run first and end with it.

        restart: settle the unfinished run instead, keeping what was acknowledged, and begin anew; max_rows: a test send of at
        most so many members. A failed run is returned, not raised. Raises UsageError, ConfigError, BusyError, StateError before
        a run begins.
        """
        require_start(self.workspace, name, allowed=allowed)
        orchestration = self.load(name)
        note(self.workspace, "run.start", name, after={"allowed": list(allowed)} if allowed else None)
        with only_run(self.workspace.locks, orchestration.id, name):
            unfinished = self.records.unfinished(orchestration.id)
            if unfinished:
                if plan_id and not restart:
                    raise finish_first(unfinished)
                if ended := self.finish(orchestration, unfinished, restart=restart):
                    return Ended(run=ended, resumed=True)
            sweep(self.workspace, orchestration.id)
            run = self._begin(orchestration, kind="sync", options=Options(max_rows=max_rows))
            return Ended(run=self.perform(orchestration, run, allowed=allowed, expected_plan=plan_id), resumed=False)

    def finish(
        self, orchestration: Orchestration, run: RunRecord, *, restart: bool, besides: str = ""
    ) -> RunRecord | None:
        """Finish an unfinished run, or settle it where that is asked for or it cannot go on. None: a new run may begin.

        besides: the run that was asked for, where it has a record already.
        """
        settle = restart or is_hopeless(run.error)
        ended = self.perform(orchestration, run, only=_SETTLING if settle else None)
        if not self.records.unfinished(orchestration.id, besides=besides):
            if settle:
                self.records.update(run.id, status=RunStatus.STOPPED, error=run.error)
            return None if settle or now() - run.started_at > _STALE else ended
        if restart and ended.error and ended.error["code"] in _LOST:
            self.records.give_up(run.id, position=len(NAMES) - 1)
            return None
        # Beginning anew beside jobs that are not settled would send the same people twice at once.
        return ended

    def undo(self, run_id: str, *, allowed: Collection[str] = ()) -> Ended:
        """Put the list membership back to what it was before a run. Raises UsageError while a run is unfinished."""
        undone = undoable(self.records, run_id)
        require_start(self.workspace, undone.orchestration, allowed=allowed)
        orchestration = self.load(undone.orchestration)
        note(self.workspace, "run.undo", undone.orchestration, after={"run": undone.id})
        with only_run(self.workspace.locks, orchestration.id, orchestration.name):
            if unfinished := self.records.unfinished(orchestration.id):
                raise finish_first(unfinished)
            sweep(self.workspace, orchestration.id)
            run = self._begin(orchestration, kind="undo", undoes=undone.id)
            return Ended(run=self.perform(orchestration, run, allowed=allowed), resumed=False)

    def resume(
        self,
        run_id: str,
        *,
        allowed: Collection[str] = (),
        settings: Mapping[str, Any] | None = None,
        read_back: bool = True,
    ) -> RunRecord:
        """Take a run that failed or was stopped up from the task that failed.

        settings: template settings of the run that change before; read_back: False leaves the sample out. Raises UsageError
        for a run that is over or that a later one has overtaken, BusyError while a run is under way.
        """
        run = self.records.get(run_id)
        require_start(self.workspace, run.orchestration, allowed=allowed)
        orchestration = self.load(run.orchestration)
        with only_run(self.workspace.locks, orchestration.id, orchestration.name):
            run = resumable(self.records, run.id)
            if settings:
                self.records.update(run.id, settings={**run.settings, **settings})
                run = self.records.get(run.id)
            return self.perform(orchestration, run, allowed=allowed, read_back=read_back)

    def load(self, name: str) -> Orchestration:
        """The orchestration with all it refers to."""
        with self.workspace.catalog.session(read_only=True) as session:
            return load_orchestration(session, self.workspace.box, name)

    def open(
        self, orchestration: Orchestration, recorder: Recorder | None = None
    ) -> AbstractContextManager[Destination]:
        """The destination of an orchestration, closed at the end. recorder: is told of every attempt of a call."""
        told, pause = recorder or Unrecorded(), self._pause
        return opened(self.workspace, orchestration, self.settings, progress=self.progress, pause=pause, recorder=told)

    def _pause(self, seconds: float) -> bool:
        return not self.stop.wait(seconds)

    def _begin(
        self, orchestration: Orchestration, *, kind: str, undoes: str | None = None, options: Options | None = None
    ) -> RunRecord:
        options = options or Options()
        return self.records.begin(
            orchestration_id=orchestration.id,
            orchestration=orchestration.name,
            kind=kind,
            settings=options.over(orchestration.settings.model_dump(mode="json")),
            credential_id=orchestration.credential.id,
            undoes=undoes,
            options=options.model_dump(mode="json"),
        )

    def perform(
        self,
        orchestration: Orchestration,
        run: RunRecord,
        *,
        allowed: Collection[str] = (),
        expected_plan: str | None = None,
        only: Collection[str] | None = None,
        read_back: bool = True,
    ) -> RunRecord:
        """Do the tasks that are left. The settings are those with which the run began."""
        settings = TemplateSettings.model_validate(run.settings)
        turns = ListTurns(self.workspace.locks, stop=self.stop, told=self.progress.tell)
        recorder = RunRecorder(self.workspace.catalog, run.id, self.workspace.layout.runs / run.id)
        with (
            closing(turns),
            self.open(orchestration, recorder) as destination,
            announcing(self.workspace, run, quiet=only is not None),
            run_span(run) as span,
        ):
            context = RunContext(
                workspace=self.workspace,
                settings=self.settings,
                orchestration=replace(orchestration, settings=settings),
                destination=destination,
                progress=self.progress,
                records=self.records,
                run=run,
                stage=_STAGES[run.kind],
                allowed=allowed,
                expected_plan=expected_plan,
                read_back=read_back,
                stop=self.stop,
                turns=turns,
                phases=Phases(self.workspace.catalog, run.id),
                recorder=recorder,
            )
            if self.worker_id is None:  # a worker has taken the run already, and may have been asked to stop since
                self.records.update(run.id, status=RunStatus.RUNNING, worker_id=None, error=None, ended_at=None)
            try:
                self._tasks(context, only)
            except KeyboardInterrupt:
                # Between two tasks: nothing is on its way, and the run says that it was stopped.
                self.records.update(run.id, status=RunStatus.STOPPED, ended_at=now())
            finally:
                context.count_requests()
            ended = self.records.get(run.id)
            note_run(span, ended)
        # Any other may be taken up again: what it staged is swept by the next run.
        if ended.status.succeeded:
            keep_refused(self.workspace, run.id)
            tidy_run(context.folder)
        return ended

    def _tasks(self, context: RunContext, only: Collection[str] | None) -> None:
        for name, task in TASKS:
            if only is not None and name not in only:
                continue
            if not self.step(name, partial(self._task, context, name, task)):
                return

    def _task(self, context: RunContext, name: str, task: Task) -> bool:
        """Do one task that is not done yet; whether the run goes on."""
        if is_done(self.records.get(context.run.id), name):
            return True
        with task_span(context.run, name, context.begin(name)) as span:
            return self._attempt(context, name, task, span)

    def _attempt(self, context: RunContext, name: str, task: Task, span: Span) -> bool:
        try:
            if self.stop.is_set():
                raise Interrupted  # noqa: TRY301 -- as if the task had noticed it itself
            # Before the task, since the last one ends the run: who sees the end sees what it took.
            context.count_requests()
            outcome = task(context)
        except (KeyboardInterrupt, Interrupted):
            if self.leaving.is_set():
                raise Suspended from None
            self._stopped(context, context.at(name))
            return False
        except Exception as error:
            if self.stop.is_set() and not self.leaving.is_set():
                # DuckDB and Arrow turn a Ctrl-C that reaches them while they read our rows into an error of their own.
                self._stopped(context, context.at(name))
                return False
            self._failed(context, context.at(name), explain(error), span)
            if self.settings.debug:
                raise
            return False
        status = TaskStatus.ISSUE if outcome.get("warnings") or outcome.get("failed") else TaskStatus.SUCCEEDED
        self.records.end_task(context.run.id, context.at(name), status, outcome)
        note_task(span, status, outcome)
        self.progress.end(context.at(name), summary(outcome))
        return True

    def _stopped(self, context: RunContext, task: str) -> None:
        self.records.end_task(context.run.id, task, TaskStatus.WAITING)
        context.count_requests()
        counts = counts_so_far(context)
        self.records.update(context.run.id, status=RunStatus.STOPPED, counts=counts, ended_at=now())

    def _failed(self, context: RunContext, task: str, error: SegueError, span: Span) -> None:
        note_task(span, TaskStatus.FAILED, error.facts, error=error.code)
        self.records.end_task(context.run.id, task, TaskStatus.FAILED, error.facts)
        context.count_requests()
        counts, told = counts_so_far(context), error_dict(error, context.run)
        self.records.update(context.run.id, status=RunStatus.FAILED, counts=counts, error=told, ended_at=now())
