"""What a server does with the runs that are asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest

from segue.errors import BusyError
from segue.services.permissions import Scope
from segue.services.tokens import create_token
from segue.workflow.following import run_by_server, undo_by_server
from segue.workflow.queue import RunQueue, StartedBy
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.requests import request_run
from segue.workflow.run import Ended
from segue.workflow.status import RunStatus
from tests.e2e.shop import NAME, Shop
from tests.service.server import ended, opened, orchestrations, serving, until


def by_server(shop: Shop, **options: Any) -> RunRecord:
    """What ``segue run`` does where a server works."""
    done: Ended = shop._with_runner(lambda runner: run_by_server(runner, NAME, **options))
    return done.run


def test_a_command_leaves_its_run_to_the_server(shop: Shop) -> None:
    shop.generate(100)
    with serving(shop), opened(shop) as workspace:
        done = shop.command("run", NAME, "--yes")
        assert done.returncode == 0, done.stderr
        assert "query: 100 source\nvalidate: done\ncompare: 100 added\n" in done.stderr
        [run] = RunRecords(workspace.catalog).recent()
        assert run.worker_id is not None
        assert f"Run {run.id}: completed" in done.stdout
    assert len(shop.members()) == 100


def test_an_undo_is_left_to_the_server_too(shop: Shop) -> None:
    shop.generate(100)
    with serving(shop):
        by_server(shop)
        shop.change("DELETE FROM People WHERE points < 20")
        second = by_server(shop)
        assert (second.counts["removed"], len(shop.members())) == (20, 80)
        undone: Ended = shop._with_runner(lambda runner: undo_by_server(runner, second.id))
    assert undone.run.error is None
    assert undone.run.worker_id is not None
    assert len(shop.members()) == 100


def test_without_a_server_a_command_does_its_run_itself(shop: Shop) -> None:
    assert shop._with_runner(lambda runner: run_by_server(runner, NAME)) is None


def test_what_a_run_may_do_reaches_the_server(shop: Shop) -> None:
    shop.generate(100)
    with serving(shop):
        assert by_server(shop).error is None
        shop.change("DELETE FROM People WHERE points < 90")
        refused, outdated = by_server(shop), by_server(shop, plan_id="0123456789abcdef")
        assert refused.error is not None
        assert outdated.error is not None
        assert (refused.error["code"], outdated.error["code"]) == ("fuse_blown", "plan_outdated")
        assert by_server(shop, allowed=["max_remove_share"]).error is None
    assert len(shop.members()) == 10


def test_a_second_run_is_refused_or_waits(shop: Shop) -> None:
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    with serving(shop), opened(shop) as workspace:
        first = request_run(workspace, NAME)
        until(shop.admin.jobs, "the first job")
        with pytest.raises(BusyError, match="under way"):
            by_server(shop)
        second = request_run(workspace, NAME, when_busy="wait")
        same = request_run(workspace, NAME, when_busy="wait")
        assert second.run.id != first.run.id
        assert (same.run.id, same.resumed) == (second.run.id, True)
        assert RunRecords(workspace.catalog).get(second.run.id).status is RunStatus.WAITING
        shop.admin.settings(job_delay=0)
        shop.admin.advance(3600)
        shop.admin.settle()
        assert ended(workspace, first.run.id).counts["added"] == 10
        assert ended(workspace, second.run.id).counts["unchanged"] == 10


def test_runs_of_an_account_follow_each_other_by_priority_and_others_do_not_wait(shop: Shop) -> None:
    shop.generate(10)
    shop.admin.add_account("other", name="Other").add_key("pk_other")
    orchestrations(shop, "A", "B", "C")
    orchestrations(shop, "D", key="pk_other")
    shop.admin.settings(job_delay=3600)
    wanted: dict[str, StartedBy] = {"A": "schedule", "B": "api", "C": "user", "D": "schedule"}
    with opened(shop) as workspace:
        asked = {name: request_run(workspace, name, started_by=by).run.id for name, by in wanted.items()}
        records = RunRecords(workspace.catalog)

        def at_klaviyo() -> bool:
            return all(records.get(asked[name]).task("confirm") for name in "CD")

        with serving(shop, SEGUE_RUNS_AT_ONCE="4"):
            # The run of the other account goes on while the first of this one waits for Klaviyo.
            until(at_klaviyo, "both accounts' first run")
            assert {records.get(asked[name]).status for name in "AB"} == {RunStatus.WAITING}
            shop.admin.settings(job_delay=0)
            shop.admin.advance(3600)
            runs = {name: ended(workspace, asked[name]) for name in asked}
    assert {run.status for run in runs.values()} == {RunStatus.COMPLETED}
    c, b, a = runs["C"], runs["B"], runs["A"]
    assert c.ended_at
    assert b.ended_at
    assert c.ended_at <= b.started_at < b.ended_at <= a.started_at
    assert c.account_id == a.account_id != runs["D"].account_id


def test_the_api_leaves_its_runs_to_the_worker(shop: Shop) -> None:
    shop.generate(10)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = shop.command("serve", "--port", str(port))
        assert refused.returncode == 2
        assert "cannot listen" in refused.stderr
    with opened(shop) as workspace, serving(shop, "--port", str(port)):
        _, token = create_token(workspace, "test", [Scope.RUN], days=1)
        url = f"http://127.0.0.1:{port}/api/v1/orchestrations/{NAME}/runs"
        answer = httpx.post(url, headers={"authorization": f"Bearer {token.reveal()}"}, json={}, timeout=60)
        assert answer.status_code == 202, answer.text
        assert "server" not in answer.headers
        run = ended(workspace, RunRecords(workspace.catalog).recent()[0].id)
    assert (run.status, run.started_by) == (RunStatus.COMPLETED, "api")
    assert run.worker_id is not None


def test_a_second_server_is_refused(shop: Shop) -> None:
    with serving(shop):
        done = shop.command("serve")
    assert done.returncode == 1
    assert "Another `segue serve`" in done.stderr


def test_a_run_that_the_engine_lost_is_failed_with_a_way_out(shop: Shop) -> None:
    shop.generate(10)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        # As if a server with other tasks had begun it and died: this engine never heard of it.
        assert RunQueue(workspace.catalog).take(asked.run.id, worker_id="gone", settings={})
        with serving(shop):
            run = ended(workspace, asked.run.id)
            assert run.error is not None
            assert (run.status, run.error["code"]) == (RunStatus.FAILED, "run_lost")
            again = request_run(workspace, NAME)
            assert ended(workspace, again.run.id).status is RunStatus.COMPLETED


def test_the_files_of_the_engine_are_for_their_owner_alone_and_hold_no_data(shop: Shop) -> None:
    shop.generate(10)
    with serving(shop), opened(shop) as workspace:
        ended(workspace, request_run(workspace, NAME).run.id)
    path = shop.folder / "home" / "engine.db"
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    for mark in (b"mail.shop", b"Ana", shop.key.encode()):
        assert mark not in content


def test_a_run_without_a_server_does_not_load_the_engine(shop: Shop) -> None:
    shop.generate(10)
    code = f"""import sys
from segue.cli.main import run
assert run(["run", "{NAME}", "--yes"]) == 0
print(sorted(name for name in sys.modules if name.startswith(("dbos", "psycopg"))))"""
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **shop.environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert out.stdout.splitlines()[-1] == "[]"
