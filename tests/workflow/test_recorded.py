"""Progress that is written down, and workers that give signs of life."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from segue.delivery.budget import Interrupted
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings
from segue.workflow.recorded import RecordedProgress
from segue.workflow.records import RunRecords
from segue.workflow.status import TaskStatus


@pytest.fixture
def catalog(tmp_path):
    settings = Settings(home=tmp_path / "home")
    init_workspace(settings)
    workspace = open_workspace(settings)
    yield workspace.catalog
    workspace.close()


@pytest.fixture
def run_id(catalog):
    records = RunRecords(catalog)
    run = records.begin(orchestration_id="o", orchestration="O", kind="sync", settings={}, credential_id="c")
    records.begin_task(run.id, "send", 3)
    return run.id


def test_progress_is_noted_once_a_second_and_gone_at_the_end(catalog, run_id):
    now = [100.0]
    progress = RecordedProgress(catalog, run_id, stop=threading.Event(), clock=lambda: now[0])

    def noted():
        task = RunRecords(catalog).get(run_id).task("send")
        assert task is not None
        return task.progress

    progress.begin("send", total=50, unit="rows")
    assert noted() == {"done": 0, "total": 50, "unit": "rows"}
    now[0] = 100.9
    progress.advance("send", 10)
    assert noted()["done"] == 0
    now[0] = 101.0
    progress.advance("send", 20)
    assert noted()["done"] == 20
    RunRecords(catalog).end_task(run_id, "send", TaskStatus.SUCCEEDED, {"done": 50})
    assert noted() is None


def test_a_task_of_a_stopped_run_ends_at_its_next_report(catalog, run_id):
    stop = threading.Event()
    progress = RecordedProgress(catalog, run_id, stop=stop)
    progress.begin("send", total=50, unit="rows")
    stop.set()
    with pytest.raises(Interrupted):
        progress.advance("send", 10)


def test_a_wait_for_a_window_is_noted_with_its_end(catalog, run_id):
    progress = RecordedProgress(catalog, run_id, stop=threading.Event(), clock=lambda: 100.0)
    progress.waiting("POST /api/x", 5)  # before the first task nobody could see it
    progress.begin("send", total=50, unit="rows")
    before = datetime.now(UTC)
    progress.waiting("POST /api/x", 12)
    task = RunRecords(catalog).get(run_id).task("send")
    assert task is not None
    assert task.progress is not None
    assert (task.progress["done"], task.progress["total"], task.progress["waits_for"]) == (0, 50, "POST /api/x")
    assert 11 < (datetime.fromisoformat(task.progress["until"]) - before).total_seconds() < 14
    # Four threads wait for the same window: it is written once.
    progress.waiting("POST /api/x", 12.5)
    again = RunRecords(catalog).get(run_id).task("send")
    assert again is not None
    assert again.progress == task.progress
