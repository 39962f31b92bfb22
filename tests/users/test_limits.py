"""Limits of accounts and of the process, as the web app shows them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from segue.catalog.base import new_id, now
from segue.catalog.runs import Run
from segue.delivery.budget import RateBudget
from segue.destinations.klaviyo import windows
from segue.services.limits import account_limits, process_limits
from segue.services.permissions import NOBODY, NotPermittedError
from segue.settings import Settings


def add_run(workspace, account, *, lists, days_ago):
    with workspace.catalog.session() as session:
        session.add(
            Run(
                id=new_id(),
                orchestration_id="o",
                orchestration="Loyalty",
                kind="sync",
                status="completed",
                started_at=now() - timedelta(days=days_ago),
                settings={},
                account_id=account,
                list_created=bool(lists),
                counts={},
                requests={"POST /api/lists": lists, "GET /api/lists": 9},
                warnings=[],
                options={},
            )
        )


def test_lists_of_the_last_day_count_against_the_cap_of_their_account(workspace):
    account = f"A{new_id()[:6]}"
    add_run(workspace, account, lists=2, days_ago=0.5)
    add_run(workspace, account, lists=1, days_ago=0.2)
    add_run(workspace, account, lists=7, days_ago=2)
    add_run(workspace, "OTHER", lists=5, days_ago=0.1)
    add_run(workspace, "LONG AGO", lists=0, days_ago=31)
    found = {limits.account: limits for limits in account_limits(workspace)}
    assert (found[account].lists_made, found[account].lists_a_day) == (3, 150)
    assert found[account].orchestrations == ("Loyalty",)
    assert "LONG AGO" not in found
    # Nothing was called from this process.
    assert {endpoint.left for endpoint in found[account].endpoints} == {None}


def test_what_is_left_is_what_the_windows_of_this_process_say(workspace):
    account, fingerprint = f"A{new_id()[:6]}", new_id()
    budget = RateBudget(windows.of_key(fingerprint, scale=1.0))
    budget.share(windows.joined(fingerprint, f"http://klaviyo {account}", scale=1.0))
    budget.acquire("POST /api/lists")
    [limits] = [limits for limits in account_limits(workspace) if limits.account == account]
    found = {endpoint.name: endpoint for endpoint in limits.endpoints}
    # Klaviyo publishes 10 a second and 150 a minute for it; one is taken.
    lists = found["POST /api/lists"]
    assert (lists.second, lists.minute, lists.left) == (10, 150, 149)


def test_limits_of_the_environment_say_where_they_come_from():
    settings = Settings.from_env({"SEGUE_QUERY_MEMORY": "2GB"})
    found = {limit.variable: (limit.value, limit.source) for limit in process_limits(settings)}
    assert found["SEGUE_QUERY_MEMORY"] == ("2,000 MB", "environment")
    assert found["SEGUE_QUERY_SECONDS"] == ("30 minutes", "default")


def test_nobody_at_all_is_told_limits(workspace):
    with pytest.raises(NotPermittedError):
        account_limits(workspace.acting_as(NOBODY))
