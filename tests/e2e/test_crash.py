"""A kill at any moment loses nothing: the next run finishes what was begun, and sends no confirmed chunk again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet

from segue.delivery.progress import Quiet
from segue.services.workspace import open_workspace
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from tests.starts import segue

from .shop import NAME, Shop

JOBS = "POST /api/profile-bulk-import-jobs"
CREATE = "POST /api/lists"
ROWS = 25_000
"""Three chunks of at most 10,000 rows."""

BEFORE_WRITES = ("list-create-before", "list-create-after")
FIRST = (
    "import-sending-before",
    "import-sending-after:2",
    "import-accepted-before:2",
    "import-accepted-after:2",
    "import-complete-before:2",
    "import-complete-after:2",
    "segment-written",
    "recorded",
)
LATER = ("clear-complete-before", "clear-complete-after", "remove-complete-before", "remove-complete-after")


def some(failpoints: Sequence[str], *kept: str) -> list[ParameterSet]:
    """Those that are kept always; the others in the soak. A server that dies is tested at each of them."""
    return [pytest.param(each, marks=() if each in kept else pytest.mark.soak) for each in failpoints]


@pytest.mark.parametrize(
    "failpoint",
    some(
        [*BEFORE_WRITES, *FIRST], "list-create-after", "import-accepted-before:2", "import-complete-after:2", FIRST[-2]
    ),
)
def test_a_killed_first_run_is_finished(shop: Shop, failpoint: str) -> None:
    shop.generate(ROWS)
    shop.killed_at(failpoint)
    confirmed = sum(job["status"] == "complete" for job in shop.admin.jobs())
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(ROWS)}
    calls = shop.calls()
    assert calls[CREATE] == 1
    # One chunk may be sent twice where nobody knows whether it arrived: at most the four that were on their way.
    known_after = failpoint.startswith(("import-complete", "segment", "recorded"))
    assert calls[JOBS] == 3 if known_after else 3 <= calls[JOBS] <= 6, (calls[JOBS], confirmed)
    again = shop.run()
    assert again.counts["unchanged"] == ROWS
    assert shop.calls()[JOBS] == calls[JOBS]


@pytest.mark.parametrize(
    "failpoint",
    some([*FIRST[1:2], *FIRST[3:4], *FIRST[5:], *LATER], FIRST[1], "clear-complete-before", "remove-complete-after"),
)
def test_a_killed_later_run_is_finished(shop: Shop, failpoint: str) -> None:
    shop.generate(ROWS)
    shop.configure(max_clear_share=1.0, max_remove_share=1.0)
    shop.run()
    shop.change(
        "UPDATE People SET tier = 'blue', city = CASE WHEN points < 200 THEN NULL ELSE city END WHERE points < 21000"
    )
    shop.change("DELETE FROM People WHERE points >= 23500")
    shop.killed_at(failpoint)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(23_500)}
    # A run that was recorded is over: the next one finds nothing to do.
    expected = (0, 0, 0) if failpoint == "recorded" else (21_000, 200, 1_500)
    assert (run.counts["changed"], run.counts["cleared"], run.counts["removed"]) == expected
    cleared, kept = shop.profile("p199@mail.shop"), shop.profile("p200@mail.shop")
    assert (cleared["location"]["city"], cleared["properties"]["tier"]) == (None, "blue")
    assert kept["location"]["city"] == "Graz"
    before = shop.calls()
    again = shop.run()
    assert again.counts["unchanged"] == 23_500
    assert shop.calls()[JOBS] == before[JOBS]


def test_ctrl_c_stops_and_the_next_run_goes_on(shop: Shop) -> None:
    shop.generate(ROWS)
    # Jobs that take an hour: the run will be waiting for them when it is interrupted.
    shop.admin.settings(job_delay=3600)
    process = subprocess.Popen(
        [sys.executable, "-m", "segue.cli", "run", NAME, "--json"],
        env={**os.environ, **shop.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(shop.admin.jobs()) < 3:
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "stopped"
    shop.admin.settings(job_delay=0)
    shop.admin.advance(3600)
    shop.admin.settle()
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert len(shop.members()) == ROWS
    assert 3 <= shop.calls()[JOBS] <= 6


def test_a_second_run_at_once_is_refused(shop: Shop) -> None:
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    process = subprocess.Popen(
        [*segue(), "run", NAME, "--json"],
        env={**os.environ, **shop.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not shop.admin.jobs():
        assert process.poll() is None, process.communicate()
    second = shop.command("run", NAME, "--json")
    assert second.returncode == 1
    assert "under way" in second.stderr
    process.kill()
    process.communicate()


def test_giving_up_an_unfinished_run_keeps_what_was_acknowledged(shop: Shop) -> None:
    shop.generate(ROWS)
    shop.killed_at("import-accepted-after:2")
    accepted = len(shop.admin.jobs())
    run = shop.run(restart=True)
    assert run.status is RunStatus.COMPLETED, run.error
    assert len(shop.members()) == ROWS
    # What the settled jobs acknowledged is unchanged for the new run.
    assert run.counts["added"] + run.counts["unchanged"] == ROWS
    assert run.counts["unchanged"] > 0
    assert accepted >= 2


def test_nothing_large_is_left_behind(shop: Shop) -> None:
    shop.generate(ROWS)
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    shop.killed_at("recorded")
    left = shop.folder / "home" / "runs"
    assert any(left.glob("*/delta.arrow"))
    shop.run()
    assert {path.name for path in left.glob("*/*")} == {"exchanges.parquet", "rejects.parquet", "unchanged.json"}
    shop.plan()
    assert not list(left.glob("plan-*"))


class Impatient(Quiet):
    """Somebody who presses Ctrl-C just when a task has ended."""

    def end(self, task: str, summary: str) -> None:
        if task == "compare" and summary.startswith("20 added"):
            raise KeyboardInterrupt


def test_ctrl_c_between_two_tasks_stops_the_run(shop: Shop) -> None:
    shop.generate(20)
    workspace = open_workspace(shop.settings)
    try:
        runner = Runner(workspace=workspace, settings=shop.settings, progress=Impatient(), stop=threading.Event())
        run = runner.run(NAME).run
    finally:
        workspace.close()
    assert run.status is RunStatus.STOPPED
    assert run.ended_at is not None
    assert shop.admin.lists() == []
    assert shop.run().counts["added"] == 20
