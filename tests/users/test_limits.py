"""Limits of accounts and of the process, as the web app shows them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from segue.catalog.base import new_id, now
from segue.catalog.runs import Run
from segue.delivery.budget import RateBudget
from segue.destinations.klaviyo import windows
from segue.services.budgets import BudgetEntry, budget_entry, set_budget
from segue.services.limits import account_limits, process_limits
from segue.services.permissions import NOBODY, NotPermittedError, Policy
from segue.settings import Settings

from .conftest import somebody


def add_run(workspace, account, *, made, days_ago):
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
                list_created=made,
                counts={},
                requests={"GET /api/lists": 9},
                warnings=[],
                options={},
            )
        )


def test_lists_of_the_last_day_count_against_the_cap_of_their_account(workspace):
    account = f"A{new_id()[:6]}"
    for days_ago, made in ((0.5, True), (0.2, True), (0.1, False), (2, True)):
        add_run(workspace, account, made=made, days_ago=days_ago)
    add_run(workspace, "OTHER", made=True, days_ago=0.1)
    add_run(workspace, "LONG AGO", made=False, days_ago=31)
    found = {limits.account: limits for limits in account_limits(workspace)}
    assert (found[account].lists_made, found[account].lists_a_day) == (2, 150)
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


def test_a_budget_is_shown_with_what_it_leaves_of_the_published_limits(workspace):
    account = f"A{new_id()[:6]}"
    add_run(workspace, account, made=True, days_ago=40)
    set_budget(workspace, account, budget_entry({"share": 20, "lists_a_day": 5}), tag=None)
    [limits] = [limits for limits in account_limits(workspace) if limits.account == account]
    found = {endpoint.name: endpoint for endpoint in limits.endpoints}
    # 10 a second and 150 a minute, by Klaviyo's document.
    assert (found["POST /api/lists"].second, found["POST /api/lists"].minute) == (2, 30)
    assert (limits.lists_made, limits.lists_a_day) == (0, 5)
    for policy in (Policy.OPERATOR, Policy.VIEWER):
        with pytest.raises(NotPermittedError):
            set_budget(workspace.acting_as(somebody(policy)), account, BudgetEntry(), tag=None)
