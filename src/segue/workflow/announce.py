"""What people are told of a run: the recent activity, alerts, the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from segue import logs
from segue.alerts import Alerts, Kind, Outcome, record_activity
from segue.delivery.words import counted
from segue.services.workspace import Workspace
from segue.workflow.phases import pass_outcome
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.status import RunStatus

_KINDS = {
    RunStatus.COMPLETED: Kind.COMPLETED,
    RunStatus.WARNINGS: Kind.WARNING,
    RunStatus.FAILED: Kind.ERROR,
    RunStatus.STOPPED: Kind.WARNING,
}


@contextmanager
def announcing(workspace: Workspace, run: RunRecord, *, quiet: bool) -> Iterator[None]:
    """Say that a run is under way, and at the end what came of it. Nothing that goes wrong here fails the run.

    quiet: True for the settling of a run that is given up: another one follows at once and speaks for both.
    """
    if quiet:
        yield
        return
    alerts = Alerts(workspace.catalog, workspace.box)
    with ExitStack() as timers:
        with _harmless():
            record_activity(workspace.catalog, Kind.RUNNING, f"{_title(run)} is running.", run_id=run.id)
            for seconds in alerts.limits(run.orchestration):
                timers.enter_context(_after(seconds, alerts, run))
        try:
            yield
        finally:
            timers.close()
            with _harmless():
                _tell(workspace, alerts, RunRecords(workspace.catalog).get(run.id))
            logs.done()


def announce_failure(workspace: Workspace, run_id: str) -> None:
    """Tell of a run that failed without having been at work, or whose process is gone."""
    with _harmless():
        run = RunRecords(workspace.catalog).get(run_id)
        if run.status is RunStatus.FAILED:
            _tell(workspace, Alerts(workspace.catalog, workspace.box), run)


@contextmanager
def _harmless() -> Iterator[None]:
    """What people are told must not decide what becomes of a run."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        logs.event("not announced", level=logging.WARNING, error=type(error).__name__)


def _tell(workspace: Workspace, alerts: Alerts, run: RunRecord) -> None:
    if run.status not in _KINDS:
        return
    error = run.error or {}
    logs.event("run ended", run=run.id, status=run.status, seconds=run.seconds, error=error.get("code"), **run.counts)
    record_activity(workspace.catalog, _KINDS[run.status], _sentence(run), run_id=run.id)
    if run.status is not RunStatus.STOPPED:
        alerts.ended(_outcome(run))


def _outcome(run: RunRecord) -> Outcome:
    error = run.error or {}
    source = pass_outcome(run.tasks).get("source") if run.kind == "sync" else None
    return Outcome(
        orchestration_id=run.orchestration_id,
        orchestration=run.orchestration,
        run_id=run.id,
        succeeded=run.status is not RunStatus.FAILED,
        seconds=run.seconds or 0.0,
        source=source,
        code=error.get("code"),
        text=_sentence(run),
    )


def _sentence(run: RunRecord) -> str:
    match run.status:
        case RunStatus.FAILED:
            why = str((run.error or {}).get("message", "")).rstrip(".")
            return f"{_title(run)} failed: {why}. See: segue resolve {run.id}"
        case RunStatus.STOPPED:
            return f"{_title(run)} was stopped. The next run goes on with it."
        case RunStatus.WARNINGS:
            return f"{_title(run)} completed with {counted(len(run.warnings), 'warning')}: {run.warnings[0]}"
        case RunStatus.COMPLETED:
            names = ("added", "changed", "removed")
            told = ", ".join(f"{run.counts.get(name, 0):,} {name}" for name in names)
            return f"{_title(run)} completed: {told}."
        case _:
            return f"{_title(run)} is running."


def _title(run: RunRecord) -> str:
    return f"The undo of {run.undoes}" if run.kind == "undo" else f'"{run.orchestration}"'


@contextmanager
def _after(seconds: float, alerts: Alerts, run: RunRecord) -> Iterator[None]:
    """Tell of a run that takes too long while it still runs: one that hangs would never end to be told of."""

    def tell() -> None:
        with _harmless():
            alerts.overdue(_outcome(run), limit=seconds)

    timer = threading.Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
