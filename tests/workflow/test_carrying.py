"""What a worker does with one run, without the engine around it."""

from __future__ import annotations

import threading

import pytest

from segue.delivery.progress import Quiet
from segue.errors import BusyError, UsageError
from segue.services.workspace import Workspace, open_workspace
from segue.workflow.carrying import carry_out
from segue.workflow.locks import only_run
from segue.workflow.queue import RunQueue
from segue.workflow.records import RunRecord
from segue.workflow.requests import Options, request_run, request_stop
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from segue.workflow.steps import Suspended
from tests.e2e.shop import NAME, Shop

ROWS = 25_000
JOBS = "POST /api/profile-bulk-import-jobs"


@pytest.fixture
def workspace(shop: Shop):
    workspace = open_workspace(shop.settings)
    yield workspace
    workspace.close()


def runner_of(workspace: Workspace, shop: Shop, *, stop: bool = False, leaving: bool = False) -> Runner:
    runner = Runner(
        workspace=workspace, settings=shop.settings, progress=Quiet(), stop=threading.Event(), worker_id="w1"
    )
    if stop or leaving:
        runner.stop.set()
    if leaving:
        runner.leaving.set()
    return runner


def carried(workspace: Workspace, shop: Shop, run: RunRecord) -> RunRecord:
    runner = runner_of(workspace, shop)
    carry_out(runner, run.id)
    return runner.records.get(run.id)


def test_a_run_that_failed_half_way_meanwhile_is_finished_first(shop: Shop, workspace: Workspace) -> None:
    shop.generate(ROWS)
    waiting = request_run(workspace, NAME).run
    shop.killed_at("import-accepted-after:2")
    run = carried(workspace, shop, waiting)
    [earlier] = [r for r in runner_of(workspace, shop).records.recent() if r.id != run.id]
    assert (earlier.status, earlier.counts["added"]) == (RunStatus.COMPLETED, ROWS)
    assert (run.status, run.counts["unchanged"]) == (RunStatus.COMPLETED, ROWS)
    assert len(shop.members()) == ROWS


def test_a_run_that_has_ended_and_still_holds_its_lock_is_not_under_way(shop: Shop, workspace: Workspace) -> None:
    shop.generate(3)
    orchestration = shop.run().orchestration_id
    with only_run(workspace.locks, orchestration, NAME):
        waiting = request_run(workspace, NAME).run
        with pytest.raises(BusyError):
            request_run(workspace, NAME)
    assert carried(workspace, shop, waiting).status is RunStatus.COMPLETED


def test_with_restart_it_is_settled_instead(shop: Shop, workspace: Workspace) -> None:
    shop.generate(ROWS)
    waiting = request_run(workspace, NAME, options=Options(restart=True)).run
    shop.killed_at("import-accepted-after:2")
    run = carried(workspace, shop, waiting)
    [earlier] = [r for r in runner_of(workspace, shop).records.recent() if r.id != run.id]
    assert earlier.status is RunStatus.STOPPED
    assert run.status is RunStatus.COMPLETED, run.error
    assert 0 < run.counts["unchanged"] < ROWS
    assert len(shop.members()) == ROWS


def test_a_run_that_cannot_begin_is_failed_with_the_reason(shop: Shop, workspace: Workspace) -> None:
    waiting = request_run(workspace, NAME).run
    runner = runner_of(workspace, shop)
    runner.records.update(waiting.id, orchestration="Gone")
    carry_out(runner, waiting.id)
    run = runner.records.get(waiting.id)
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert 'orchestration "Gone"' in run.error["message"]


def test_settings_are_those_of_the_moment_when_a_run_starts(shop: Shop, workspace: Workspace) -> None:
    shop.generate(20)
    waiting = request_run(workspace, NAME).run
    shop.configure(list_name="Renamed")
    assert carried(workspace, shop, waiting).list_name == "Renamed"
    assert len(shop.members("Renamed")) == 20


def test_a_run_that_is_over_is_left_alone(shop: Shop, workspace: Workspace) -> None:
    shop.generate(20)
    waiting = request_run(workspace, NAME).run
    run = carried(workspace, shop, waiting)
    assert carried(workspace, shop, waiting) == run
    stopped = request_run(workspace, NAME).run
    request_stop(workspace, stopped.id)
    assert carried(workspace, shop, stopped).tasks == ()


def test_a_worker_that_leaves_does_not_end_the_run(shop: Shop, workspace: Workspace) -> None:
    shop.generate(20)
    waiting = request_run(workspace, NAME).run
    runner = runner_of(workspace, shop, leaving=True)
    with pytest.raises(Suspended):
        carry_out(runner, waiting.id)
    assert runner.records.get(waiting.id).status is RunStatus.RUNNING
    # The user asked to stop meanwhile: whoever takes the run over stops it.
    request_stop(workspace, waiting.id)
    run = carried(workspace, shop, waiting)
    assert run.status is RunStatus.STOPPED
    assert shop.calls().get(JOBS, 0) == 0


def test_a_run_of_a_command_is_not_stopped_from_elsewhere(shop: Shop, workspace: Workspace) -> None:
    shop.generate(20)
    shop.killed_at("import-sending-before")
    [run] = runner_of(workspace, shop).records.recent()
    with pytest.raises(UsageError, match="not carried out by a server") as caught:
        request_stop(workspace, run.id)
    assert caught.value.code == "run_of_a_command"


def test_the_account_is_known_after_the_first_run(shop: Shop, workspace: Workspace) -> None:
    shop.generate(20)
    queue = RunQueue(workspace.catalog)
    first = request_run(workspace, NAME).run
    [waiting] = queue.waiting()
    assert waiting.account.startswith("credential ")
    account = carried(workspace, shop, first).account_id
    request_run(workspace, NAME, started_by="schedule")
    [waiting] = queue.waiting()
    assert (waiting.account, waiting.priority, waiting.attempt) == (account, 30, 1)
