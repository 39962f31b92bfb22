"""Asking the workers for something: to run, to undo, to go on, to stop. No engine is loaded; the catalog carries the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.services.audit import note
from segue.services.orchestrations import load_orchestration
from segue.services.workspace import Workspace
from segue.workflow.gate import require_start, require_stop
from segue.workflow.locks import run_is_under_way
from segue.workflow.queue import Options, Requested, RunQueue, StartedBy, WhenBusy
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.resumable import undoable

__all__ = ["Options", "Requested", "request_resume", "request_run", "request_stop", "request_undo"]


def request_run(
    workspace: Workspace,
    name: str,
    *,
    started_by: StartedBy = "user",
    options: Options | None = None,
    when_busy: WhenBusy = "refuse",
) -> Requested:
    """Ask for a run of an orchestration; a worker starts it, now or when there is one.

    A run that failed half-way is taken up again instead. when_busy: what to do while another run of it is under way: refuse,
    or wait for its end. Raises UsageError, BusyError, NotPermittedError.
    """
    return _put(workspace, name, started_by, options or Options(), when_busy, undoes=None)


def request_undo(
    workspace: Workspace,
    run_id: str,
    *,
    started_by: StartedBy = "user",
    options: Options | None = None,
    when_busy: WhenBusy = "refuse",
) -> Requested:
    """Ask for the list membership as it was before a run. Raises UsageError, BusyError."""
    undone = undoable(RunRecords(workspace.catalog), run_id)
    return _put(workspace, undone.orchestration, started_by, options or Options(), when_busy, undoes=undone.id)


def request_resume(
    workspace: Workspace,
    run_id: str,
    *,
    started_by: StartedBy = "user",
    options: Options | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Requested:
    """Ask for a run that failed or was stopped to go on from its task. settings: of the run, that change before.

    Raises UsageError for a run that has nothing to go on with, BusyError while somebody is at a run of its orchestration.
    """
    run, options = RunRecords(workspace.catalog).get(run_id), options or Options()
    require_start(workspace, run.orchestration, allowed=options.allowed)
    asked = RunQueue(workspace.catalog).resume(
        run.id,
        locked=run_is_under_way(workspace.locks, run.orchestration_id),
        started_by=started_by,
        options=options,
        settings=settings or {},
    )
    what = {"run": run.id, **({"allowed": list(options.allowed)} if options.allowed else {})}
    note(workspace, "run.resume", run.orchestration, after=what)
    return asked


def request_stop(workspace: Workspace, run_id: str) -> RunRecord:
    """Ask a run to stop: what is on its way is finished, what was acknowledged stays. Raises UsageError, NotPermittedError."""
    require_stop(workspace, RunRecords(workspace.catalog).get(run_id).orchestration)
    stopped = RunQueue(workspace.catalog).stop(run_id)
    note(workspace, "run.stop", stopped.orchestration, after={"run": stopped.id})
    return stopped


def _put(
    workspace: Workspace,
    name: str,
    started_by: StartedBy,
    options: Options,
    when_busy: WhenBusy,
    *,
    undoes: str | None,
) -> Requested:
    require_start(workspace, name, allowed=options.allowed)
    with workspace.catalog.session(read_only=True) as session:
        orchestration = load_orchestration(session, workspace.box, name)
    asked = RunQueue(workspace.catalog).put(
        orchestration,
        locked=run_is_under_way(workspace.locks, orchestration.id),
        started_by=started_by,
        options=options,
        when_busy=when_busy,
        undoes=undoes,
    )
    what = {"run": asked.run.id, **({"allowed": list(options.allowed)} if options.allowed else {})}
    note(workspace, "run.undo" if undoes else "run.start", name, after=what)
    return asked
