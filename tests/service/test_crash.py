"""A kill of the server at any moment loses nothing: the next server finishes the run by itself."""

from __future__ import annotations

import signal

import pytest

from segue.workflow.requests import request_run
from segue.workflow.status import RunStatus, TaskStatus
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, Server, ended, opened, serving

ROWS = 25_000
"""Three chunks of at most 10,000 rows."""
FIRST = (
    "list-create-before",
    "list-create-after",
    "import-sending-before",
    "import-sending-after:2",
    "import-accepted-before:2",
    "import-accepted-after:2",
    "import-complete-before:2",
    "import-complete-after:2",
    "segment-written",
    "recorded",
)
LATER = ("clear-complete-before", "clear-complete-after", "remove-complete-before", "remove-complete-after", "recorded")


@pytest.mark.parametrize("failpoint", FIRST)
def test_a_first_run_goes_on_by_itself(shop: Shop, failpoint: str) -> None:
    shop.generate(ROWS)
    server = Server(shop, SEGUE_FAILPOINT=failpoint)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        assert server.died() == -signal.SIGKILL
        with serving(shop):
            run = ended(workspace, asked.run.id)
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(ROWS)}
    assert {task.status for task in run.tasks} == {TaskStatus.SUCCEEDED}
    assert (run.counts["source"], run.counts["added"]) == (ROWS, ROWS)
    calls = shop.calls()
    assert calls["POST /api/lists"] == 1
    # A chunk may be sent twice where nobody knows whether it arrived: at most the three that were on their way.
    known_after = failpoint.startswith(("import-complete", "segment", "recorded"))
    assert calls[JOBS] == 3 if known_after else 3 <= calls[JOBS] <= 6


@pytest.mark.parametrize("failpoint", LATER)
def test_a_later_run_goes_on_by_itself(shop: Shop, failpoint: str) -> None:
    shop.generate(3000)
    shop.configure(max_clear_share=1.0, max_remove_share=1.0)
    shop.run()
    shop.change("UPDATE People SET city = NULL WHERE points < 200")
    shop.change("DELETE FROM People WHERE points >= 1500")
    server = Server(shop, SEGUE_FAILPOINT=failpoint)
    with opened(shop) as workspace:
        asked = request_run(workspace, NAME)
        assert server.died() == -signal.SIGKILL
        with serving(shop):
            run = ended(workspace, asked.run.id)
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(1500)}
    assert (run.counts["changed"], run.counts["cleared"], run.counts["removed"]) == (200, 200, 1500)
    assert shop.profile("p199@mail.shop")["location"]["city"] is None
    assert shop.profile("p200@mail.shop")["location"]["city"] == "Graz"
    assert shop.calls()[JOBS] == 2


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
