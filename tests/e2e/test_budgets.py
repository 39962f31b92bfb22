"""Budgets of accounts: what a run takes of the emulator's windows, what a plan says, how many lists are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from klaviyo_emulator import serve
from segue.destinations.klaviyo import Klaviyo, submit, windows
from segue.destinations.klaviyo.client import fingerprint
from segue.services.budgets import budget_entry, set_budget
from segue.services.connections import check_connection
from segue.services.workspace import Workspace, open_workspace
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from tests.e2e.shop import NAME, Shop

JOBS = "POST /api/profile-bulk-import-jobs"


@contextmanager
def workspace_of(shop: Shop) -> Iterator[Workspace]:
    with closing(open_workspace(shop.settings)) as workspace:
        yield workspace


def give(shop: Shop, **entry: int) -> None:
    """Set the budget of the account of the shop, which a test of its connection makes known."""
    with workspace_of(shop) as workspace:
        account = check_connection(workspace, shop.settings, "klaviyo").account.id
        set_budget(workspace, account, budget_entry(entry), tag=None)


@pytest.mark.parametrize(("share", "most"), [(50, 75), (100, 150)])
def test_a_run_takes_no_more_than_its_share_of_each_window(
    share: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One sender: calls arrive in the order and at the moment at which the budget lets them go.
    monkeypatch.setattr(submit, "SENDERS", 1)
    with serve(frozen_at=1_700_000_000.0, limit_scale=1.0) as emulator:

        class Passing(threading.Event):
            """Whoever waits for it moves the emulator's clock instead."""

            def wait(self, timeout: float | None = None) -> bool:
                emulator.admin.advance(timeout or 0.0)
                return self.is_set()

        shop = Shop(folder=tmp_path, emulator=emulator, rate_scale=1.0, stop=Passing())
        shop.environment["SEGUE_CHUNK_ROWS"] = "1"
        monkeypatch.setattr(windows.of_key(fingerprint(emulator.url, shop.key), scale=1.0), "clock", emulator.admin.now)
        give(shop, share=share)
        rows = most + 20
        shop.generate(rows)
        run = shop.run()
        assert run.status is RunStatus.COMPLETED, run.error
        assert len(shop.members()) == rows
        seen = emulator.admin.requests()["endpoints"]
    # Klaviyo's limits of this endpoint: 10 a second, 150 a minute.
    assert seen[JOBS]["statuses"] == {"202": rows, "400": 1}  # one is the test of the connection
    assert most / 2 < seen[JOBS]["peak_per_minute"] <= most
    assert seen[JOBS]["peak_per_second"] <= most // 15
    assert all(set(endpoint["statuses"]).isdisjoint({"429"}) for endpoint in seen.values())


def test_what_goes_on_in_the_middle_of_a_run_knows_its_share_before_it_calls(shop: Shop) -> None:
    shop.generate(2)
    shop.run()
    give(shop, share=30)
    with workspace_of(shop) as workspace:
        runner = Runner(workspace=workspace, settings=shop.settings, progress=shop.progress, stop=shop.stop)
        with runner.open(runner.load(NAME)) as destination:
            assert isinstance(destination, Klaviyo)
            assert (destination.requests(), destination._budget.allowed) == ({}, 0.3)


def test_half_of_the_windows_doubles_the_minutes_of_a_plan(shop: Shop) -> None:
    shop.environment["SEGUE_CHUNK_ROWS"] = "1"
    shop.generate(61)
    before = shop.plan().minutes
    give(shop, share=50)
    # 60 gaps between 61 jobs, at 10 a second and at 5.
    assert before == pytest.approx(0.1, abs=0.02)
    assert shop.plan().minutes == pytest.approx(0.2, abs=0.02)


def test_no_more_lists_are_made_in_a_day_than_the_budget_says(shop: Shop) -> None:
    shop.generate(3)
    give(shop, lists_a_day=1)
    assert shop.run().status is RunStatus.COMPLETED
    shop.configure(list_name="Others")
    refused = shop.run()
    assert refused.error is not None
    assert refused.error["code"] == "list_daily_cap"
    assert "1 lists a day" not in refused.error["message"]
    task = refused.task("list")
    assert task is not None
    assert 86_000 < task.outcome["opens_in"] <= 86_400
    assert [made["name"] for made in shop.admin.lists()] == ["People"]
    give(shop, lists_a_day=2)
    assert shop.run().status.succeeded
    assert len(shop.members("Others")) == 3


def test_a_list_that_is_there_needs_no_budget(shop: Shop) -> None:
    shop.admin.seed(lists={"People": []})
    give(shop, lists_a_day=1)
    shop.generate(2)
    shop.run()
    shop.configure(list_name="Others")
    assert shop.run().status.succeeded
