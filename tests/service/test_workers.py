"""Several workers on PostgreSQL: they share the work, and go on with the runs of one that dies."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest

from segue.workflow.records import RunRecords
from segue.workflow.requests import request_run
from segue.workflow.status import RunStatus
from tests.cluster import Cluster
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, Server, ended, opened, orchestrations, serving, until

ROWS = 30
QUICK = {"SEGUE_WORKER_SILENCE": "2"}


@pytest.fixture
def shop(tmp_path: Any, emulator: Any, postgres: Cluster) -> Shop:
    shop = Shop(folder=tmp_path, emulator=emulator, database_url=postgres.workspace())
    shop.environment["SEGUE_CHUNK_ROWS"] = "10"
    shop.generate(ROWS)
    return shop


def owner(shop: Shop, run_id: str) -> str | None:
    with opened(shop) as workspace:
        return RunRecords(workspace.catalog).get(run_id).worker_id


def test_the_other_worker_takes_the_run_of_a_killed_one_over(shop: Shop) -> None:
    shop.admin.settings(job_delay=3600)
    first = Server(shop, command="worker", **QUICK)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        until(lambda: len(shop.admin.jobs()) == 3, "the sending of three chunks")
        with serving(shop, command="worker", **QUICK):
            killed = owner(shop, asked.run.id)
            first.end(signal.SIGKILL)
            shop.admin.settings(job_delay=0)
            shop.admin.advance(3600)
            shop.admin.settle()
            run = ended(workspace, asked.run.id)
    assert (run.status, run.counts["added"]) == (RunStatus.COMPLETED, ROWS)
    assert run.worker_id not in {None, killed}
    assert shop.members() == {f"p{i}@mail.shop" for i in range(ROWS)}
    assert len(shop.admin.jobs()) == 3


def test_a_worker_that_was_only_slow_stops_and_begins_anew(shop: Shop) -> None:
    shop.admin.settings(job_delay=3600)
    with opened(shop) as workspace, serving(shop, command="worker", **QUICK) as slow:
        asked = request_run(workspace, NAME)
        until(lambda: len(shop.admin.jobs()) == 3, "the sending of three chunks")
        first = owner(shop, asked.run.id)
        slow.send(signal.SIGSTOP)
        with serving(shop, command="worker", **QUICK) as other:
            until(lambda: owner(shop, asked.run.id) != first, "the taking over")
            # It wakes while the other one is at the run: from now on both live.
            slow.send(signal.SIGCONT)
            shop.admin.settings(job_delay=0)
            shop.admin.advance(3600)
            shop.admin.settle()
            run = ended(workspace, asked.run.id)
            other.end()
        assert (run.status, run.counts["added"]) == (RunStatus.COMPLETED, ROWS)
        assert shop.calls()[JOBS] == 3
        # Alone again, the slow one carries the next run out under another name.
        again = ended(workspace, request_run(workspace, NAME).run.id)
        assert (again.status, again.counts["unchanged"]) == (RunStatus.COMPLETED, ROWS)
        assert again.worker_id not in {first, run.worker_id}


def test_a_worker_that_ends_leaves_its_run_to_another_at_once(shop: Shop) -> None:
    shop.admin.settings(job_delay=3600)
    with opened(shop) as workspace, serving(shop, command="worker") as first:
        asked = request_run(workspace, NAME)
        until(lambda: len(shop.admin.jobs()) == 3, "the sending of three chunks")
        before = owner(shop, asked.run.id)
        with serving(shop):
            assert first.end() == 0
            until(lambda: owner(shop, asked.run.id) != before, "the taking over")
            shop.admin.settings(job_delay=0)
            shop.admin.advance(3600)
            shop.admin.settle()
            assert ended(workspace, asked.run.id).status is RunStatus.COMPLETED
    assert shop.calls()[JOBS] == 3


def test_runs_of_one_account_follow_each_other_across_workers(shop: Shop) -> None:
    shop.admin.add_account("other", name="Other").add_key("pk_other")
    orchestrations(shop, "A", "B")
    orchestrations(shop, "C", key="pk_other")
    shop.admin.settings(job_delay=3600)
    with opened(shop) as workspace:
        asked = {name: request_run(workspace, name).run.id for name in "ABC"}
        records = RunRecords(workspace.catalog)
        with serving(shop), serving(shop, command="worker"):
            until(lambda: records.get(asked["C"]).task("confirm"), "the other account's run")
            until(lambda: any(records.get(asked[n]).task("confirm") for n in "AB"), "one run of this account")
            assert sorted(records.get(asked[name]).status for name in "AB") == ["running", "waiting to start"]
            shop.admin.settings(job_delay=0)
            shop.admin.advance(3600)
            shop.admin.settle()
            runs = {name: ended(workspace, asked[name]) for name in asked}
    assert {run.status for run in runs.values()} == {RunStatus.COMPLETED}
    a, b = sorted((runs["A"], runs["B"]), key=lambda run: run.started_at)
    assert a.ended_at
    assert a.ended_at <= b.started_at


def test_a_worker_needs_postgresql(tmp_path: Any, emulator: Any) -> None:
    done = Shop(folder=tmp_path, emulator=emulator).command("worker")
    assert done.returncode == 2
    assert "SEGUE_DATABASE_URL" in done.stderr


def test_a_command_leaves_its_run_to_a_worker_and_without_one_does_it_itself(shop: Shop) -> None:
    alone = shop.command("run", NAME, "--json")
    assert alone.returncode == 0, alone.stderr
    with serving(shop, command="worker"), opened(shop) as workspace:
        done = shop.command("run", NAME, "--json")
        assert done.returncode == 0, done.stderr
        second, first = RunRecords(workspace.catalog).recent()
    assert first.worker_id is None
    assert second.worker_id is not None


def test_the_tables_of_the_engine_hold_no_data(shop: Shop) -> None:
    with serving(shop), opened(shop) as workspace:
        ended(workspace, request_run(workspace, NAME).run.id)
    assert shop.database_url is not None
    dump = subprocess.run(["pg_dump", "--schema", "segue_engine", shop.database_url], capture_output=True, check=True)
    assert b"segue_engine.workflow_status" in dump.stdout
    for mark in (b"mail.shop", b"Ana", shop.key.encode()):
        assert mark not in dump.stdout
    assert not (shop.folder / "home" / "engine.db").exists()
