"""A run that waits is carried out by a worker, or by the next one after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from segue.catalog.base import now
from segue.delivery.budget import Interrupted
from segue.errors import SegueError
from segue.services.orchestrations import Orchestration
from segue.workflow.announce import announce_failure
from segue.workflow.locks import turn
from segue.workflow.queue import Options, RunQueue
from segue.workflow.records import RunRecord, error_dict
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from segue.workflow.steps import Suspended, at_once
from segue.workflow.tidying import sweep


def carry_out(runner: Runner, run_id: str) -> None:
    """Do what is left of a run; what comes of it is in its record. Nothing happens when it is over already.

    Raises Suspended when this process has to end first.
    """
    run = runner.records.get(run_id)
    try:
        orchestration = runner.load(run.orchestration)
        with turn(runner.workspace.locks, orchestration.id, run.orchestration, stop=runner.stop):
            _carry_out(runner, orchestration, run_id)
    except Interrupted:
        if runner.leaving.is_set():
            raise Suspended from None
        runner.records.update(run_id, status=RunStatus.STOPPED, ended_at=now())
    except SegueError as error:
        _refuse(runner, run_id, error_dict(error, run))


def _carry_out(runner: Runner, orchestration: Orchestration, run_id: str) -> None:
    settings = orchestration.settings.model_dump(mode="json")
    if not RunQueue(runner.workspace.catalog).take(run_id, worker_id=runner.worker_id, settings=settings):
        return
    run = runner.records.get(run_id)
    options = Options.model_validate(run.options)
    if runner.step("earlier", partial(_finish_earlier, runner, orchestration, run, restart=options.restart)):
        runner.perform(
            orchestration, run, allowed=options.allowed, expected_plan=options.plan_id, read_back=options.read_back
        )


def _finish_earlier(runner: Runner, orchestration: Orchestration, run: RunRecord, *, restart: bool) -> bool:
    """Bring the run that failed before this one to its end, as `segue run` does. False: it cannot be, nor can this one."""
    records = runner.records
    earlier = records.unfinished(orchestration.id, besides=run.id)
    # The engine knows the steps of one run; those of the other may be repeated.
    alone = replace(runner, worker_id=None, step=at_once)
    ended = alone.finish(orchestration, earlier, restart=restart, besides=run.id) if earlier else None
    if ended and records.unfinished(orchestration.id, besides=run.id):
        if ended.error is None:
            raise Interrupted
        _refuse(runner, run.id, ended.error)
        return False
    sweep(runner.workspace, orchestration.id, besides=run.id)
    return True


def _refuse(runner: Runner, run_id: str, error: Mapping[str, Any]) -> None:
    runner.records.update(run_id, status=RunStatus.FAILED, error=dict(error), ended_at=now())
    announce_failure(runner.workspace, run_id)
