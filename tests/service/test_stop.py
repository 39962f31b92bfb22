"""Stopping a run, and stopping the server."""

from __future__ import annotations

import os
import signal
import subprocess

from segue.workflow.records import RunRecords
from segue.workflow.requests import request_run, request_stop
from segue.workflow.status import RunStatus
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, Server, ended, opened, serving, until
from tests.starts import segue

ROWS = 60_000
"""Six chunks; four are sent at once."""


def slow(shop: Shop) -> None:
    shop.generate(ROWS)
    shop.configure(use_full_profile=False)
    shop.admin.fault("slow", JOBS, seconds=8, count=None)


def on_their_way(shop: Shop) -> None:
    until(lambda: shop.admin.faults()[0]["struck"] == 4, "the sending of four chunks")


def test_a_stopped_run_finishes_its_chunks_and_the_next_one_sends_the_rest(shop: Shop) -> None:
    slow(shop)
    with serving(shop), opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        on_their_way(shop)
        assert request_stop(workspace, asked.run.id).status is RunStatus.STOPPING
        run = ended(workspace, asked.run.id)
        assert run.status is RunStatus.STOPPED
        assert RunRecords(workspace.catalog).states(run.id) == {"import accepted": 4, "import planned": 2}
        assert len(shop.admin.jobs()) == 4
        shop.admin.clear_faults()
        again = request_run(workspace, NAME)
        assert (again.run.id, again.resumed) == (run.id, True)
        run = ended(workspace, run.id)
    assert (run.status, run.counts["added"]) == (RunStatus.COMPLETED, ROWS)
    assert len(shop.members()) == ROWS
    assert len(shop.admin.jobs()) == 6


def test_a_waiting_run_is_stopped_at_once(shop: Shop) -> None:
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        assert shop.command("stop", asked.run.id).stdout == f"run {asked.run.id}: stopped\n"
        with serving(shop):
            again = request_run(workspace, NAME)
            ended(workspace, again.run.id)
        assert RunRecords(workspace.catalog).get(asked.run.id).status is RunStatus.STOPPED
    second = shop.command("stop", asked.run.id)
    assert second.returncode == 2
    assert "is over: stopped" in second.stderr


def test_a_server_that_is_ended_leaves_its_run_to_the_next(shop: Shop) -> None:
    slow(shop)
    server = Server(shop)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        on_their_way(shop)
        assert server.end(signal.SIGTERM) == 0
        assert RunRecords(workspace.catalog).get(asked.run.id).status is RunStatus.RUNNING
        assert len(shop.admin.jobs()) == 4
        shop.admin.clear_faults()
        with serving(shop):
            run = ended(workspace, asked.run.id)
    assert (run.status, run.counts["added"]) == (RunStatus.COMPLETED, ROWS)
    # Each chunk once: those on their way were written down before the end.
    assert len(shop.admin.jobs()) == 6


def test_ctrl_c_in_a_command_stops_its_run_at_the_server(shop: Shop) -> None:
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    with serving(shop), opened(shop) as workspace:
        process = subprocess.Popen(
            [*segue(), "run", NAME, "--json"],
            env={**os.environ, **shop.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(shop.admin.jobs, "the first job")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
        assert process.returncode == 130, err
        assert '"status": "stopped"' in out
        [run] = RunRecords(workspace.catalog).recent()
        assert run.worker_id is not None
