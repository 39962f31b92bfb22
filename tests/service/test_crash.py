"""A kill of the server at any moment loses nothing: the next server finishes the run by itself."""

from __future__ import annotations

import signal

import pytest

from segue.workflow.records import RunRecord
from segue.workflow.requests import request_run
from segue.workflow.status import RunStatus, TaskStatus
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, Server, ended, opened, serving

QUICK = {"SEGUE_WORKER_SILENCE": "0.8"}
ROWS = 30
"""Three chunks."""
FIRST = (
    "list-create-before",
    "list-create-after",
    "import-sending-before",
    "import-sending-after:2",
    "import-accepted-before:2",
    "import-accepted-after:2",
    "import-complete-before:2",
    "import-complete-after:2",
    "segment-before",
    "segment-written",
    "recorded",
)
LATER = ("clear-complete-before", "clear-complete-after", "remove-complete-before", "remove-complete-after", "recorded")
COMMITS = range(1, 37, 7)
"""Some of the transactions that a first run writes: a server dies before or after one of them."""


def killed(shop: Shop, failpoint: str) -> str:
    """Ask for a run, of which a server dies; its id."""
    server = Server(shop, SEGUE_FAILPOINT=failpoint, **QUICK)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        assert server.died() == -signal.SIGKILL
    return asked.run.id


def finished(shop: Shop, run_id: str) -> RunRecord:
    """The run, once another server has finished it by itself."""
    with opened(shop) as workspace, serving(shop, **QUICK):
        return ended(workspace, run_id)


def is_true(shop: Shop, run: RunRecord, rows: int = ROWS) -> None:
    """What Klaviyo has equals the query, and the counts say so."""
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(rows)}
    assert {task.status for task in run.tasks} == {TaskStatus.SUCCEEDED}
    parts = ("duplicates", "rejected", "added", "changed", "unchanged", "warned")
    assert run.counts["source"] == sum(run.counts[part] for part in parts) == rows


@pytest.mark.parametrize("failpoint", FIRST)
def test_a_first_run_goes_on_by_itself(either: Shop, failpoint: str) -> None:
    either.generate(ROWS)
    run_id = killed(either, failpoint)
    confirmed = {job["id"] for job in either.admin.jobs()}
    run = finished(either, run_id)
    is_true(either, run)
    assert run.counts["added"] == ROWS
    calls = either.calls()
    assert calls["POST /api/lists"] == 1
    # A chunk may be sent twice where nobody knows whether it arrived: at most the three that were on their way.
    known_after = failpoint.startswith(("import-complete", "segment", "recorded"))
    assert calls[JOBS] == 3 if known_after else 3 <= calls[JOBS] <= 6
    assert not known_after or confirmed == {job["id"] for job in either.admin.jobs()}


@pytest.mark.parametrize("failpoint", LATER)
def test_a_later_run_goes_on_by_itself(either: Shop, failpoint: str) -> None:
    either.generate(ROWS)
    either.configure(max_clear_share=1.0, max_remove_share=1.0)
    either.run()
    either.change("UPDATE People SET city = NULL WHERE points < 5")
    either.change("DELETE FROM People WHERE points >= 15")
    run = finished(either, killed(either, failpoint))
    is_true(either, run, rows=15)
    assert (run.counts["changed"], run.counts["cleared"], run.counts["removed"]) == (5, 5, 15)
    assert either.profile("p4@mail.shop")["location"]["city"] is None
    assert either.profile("p5@mail.shop")["location"]["city"] == "Graz"
    assert either.calls()[JOBS] == 4


@pytest.mark.parametrize(
    "number", [pytest.param(each, marks=() if each % 3 == 1 else pytest.mark.soak) for each in COMMITS]
)
def test_a_run_goes_on_by_itself_after_a_death_at_any_transaction(either: Shop, number: int) -> None:
    either.generate(ROWS)
    side = "before" if number % 2 else "after"
    run = finished(either, killed(either, f"commit-{side}:{number}"))
    is_true(either, run)
    assert either.calls()["POST /api/lists"] == 1
    assert 3 <= either.calls()[JOBS] <= 6


def test_a_run_that_was_asked_for_while_no_server_worked_is_done_by_the_next(shop: Shop) -> None:
    shop.generate(10)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME, started_by="schedule")
        assert asked.run.status is RunStatus.WAITING
        with serving(shop):
            run = ended(workspace, asked.run.id)
    assert (run.status, run.started_by) == (RunStatus.COMPLETED, "schedule")
    assert len(shop.members()) == 10


def test_what_a_dead_server_left_is_finished_by_a_command_without_a_server(shop: Shop) -> None:
    shop.environment["SEGUE_CHUNK_ROWS"] = "10"
    shop.generate(ROWS)
    server = Server(shop, SEGUE_FAILPOINT="import-accepted-after:2")
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        server.died()
        done = shop.run()
        assert (done.id, done.status, done.counts["added"]) == (asked.run.id, RunStatus.COMPLETED, ROWS)
        calls = shop.calls()
        # The engine still knows of the run; the next server finds that there is nothing to do.
        with serving(shop):
            again = request_run(workspace, NAME)
            assert ended(workspace, again.run.id).counts["unchanged"] == ROWS
        assert shop.calls()[JOBS] == calls[JOBS]
