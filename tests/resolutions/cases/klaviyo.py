"""What Klaviyo refuses, lacks, or does not answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from segue.resolutions import Action
from segue.security import Secret
from segue.workflow.resolve import Offer
from segue.workflow.run import Runner
from segue.workflow.ways import Here
from tests.e2e.shop import Shop
from tests.resolutions.journey import RESTART, Case, Journey, Prepare, nothing

ACCOUNTS, LISTS, NEW_LIST = "GET /api/accounts", "GET /api/lists", "POST /api/lists"
JOBS, POLL = "POST /api/profile-bulk-import-jobs", "GET /api/profile-bulk-import-jobs"
READ, TAKE_OFF = "GET /api/lists/{id}/profiles", "DELETE /api/lists/{id}/relationships/profiles"
ATTEMPTS = 8
"""Of one request that nobody answers."""


def status(endpoint: str, code: int, *, count: int = 1, **options: Any) -> Prepare:
    """Klaviyo answers so, once."""
    return lambda shop: shop.admin.fault("status", endpoint, status=code, count=count, **options)


def new_key(key: str) -> Any:
    """The user gives this key."""
    return lambda _runner, _offered: {"key": Secret(key)}


def narrowed(shop: Shop) -> None:
    """The key lacks a right; another one has all of them."""
    shop.admin.add_key("pk_test", scopes=["accounts:read", "profiles:read"])
    shop.admin.add_key("pk_whole")


def make_lists(shop: Shop, *names: str) -> None:
    """Somebody makes lists of these names in Klaviyo."""
    head = {"authorization": "Klaviyo-API-Key pk_test", "revision": "2026-07-15"}
    for name in names:
        body = {"data": {"type": "list", "attributes": {"name": name}}}
        httpx.post(f"{shop.emulator.url}/api/lists", json=body, headers=head).raise_for_status()


def second_of(_runner: Runner, offered: Offer) -> dict[str, Any]:
    """The user chooses."""
    assert len(offered.lists) == 2
    return {"list_id": offered.lists[1]}


def waits(runner: Runner, offered: Offer) -> dict[str, Any]:
    """The clock has come to the moment when the limit opens."""
    opens_at = offered.opens_at
    assert opens_at is not None
    assert offered.run.ended_at is not None
    assert timedelta(minutes=15) < opens_at - offered.run.ended_at <= timedelta(days=1)
    return {"way": Here(runner=runner, clock=lambda: opens_at)}


def capped(shop: Shop) -> None:
    """Today's lists are used up."""
    shop.admin.settings(daily_lists=1)
    make_lists(shop, "Other")


CONNECTING = Journey(
    cases=(
        Case(
            code="key_refused",
            wrong=lambda shop: shop.admin.revoke_key("pk_test"),
            right=lambda shop: shop.admin.add_key("pk_test"),
        ),
        Case(
            code="unreachable",
            wrong=lambda shop: shop.admin.fault("drop_before", ACCOUNTS, count=ATTEMPTS),
        ),
        Case(code="refused", wrong=status(LISTS, 400)),
        Case(code="conflict", wrong=status(LISTS, 409)),
        Case(code="too_large", wrong=status(LISTS, 413)),
        Case(code="not_found", wrong=status(LISTS, 404)),
        Case(code="unexpected_answer", wrong=lambda shop: shop.admin.fault("non_json", LISTS, status=200)),
        Case(
            code="list_ambiguous",
            wrong=lambda shop: make_lists(shop, "People", "People"),
            take=Action.CHOOSE_LIST,
            given=second_of,
        ),
        Case(code="scope_missing", wrong=narrowed, take=Action.UPDATE_CREDENTIAL, given=new_key("pk_whole")),
    ),
)
NAMING = Journey(
    cases=(
        Case(
            code="list_daily_cap",
            task="list",
            wrong=capped,
            right=lambda shop: shop.admin.advance(86_400),
            take=Action.WAIT,
            given=waits,
        ),
        Case(
            code="maximum_lists",
            task="list",
            wrong=lambda shop: shop.admin.settings(max_groups=1),
            right=lambda shop: shop.admin.settings(max_groups=1000),
        ),
        Case(code="list_refused", task="list", wrong=status(NEW_LIST, 400), take=Action.RETRY),
    ),
    jobs=1,
)
SENDING = Journey(
    before=lambda shop: shop.admin.settings(job_delay=100_000),
    cases=(
        Case(code="unavailable", task="send", wrong=status(JOBS, 503, count=ATTEMPTS)),
        Case(
            code="limit_used_up",
            task="confirm",
            wrong=status(POLL, 429, retry_after=3600),
            take=Action.WAIT,
            given=waits,
        ),
        Case(
            code="revision_retired",
            task="confirm",
            wrong=lambda shop: shop.admin.settings(oldest_revision="2099-01-01"),
            right=lambda shop: shop.admin.settings(oldest_revision="2024-10-15"),
        ),
        Case(
            code="jobs_still_processing",
            task="confirm",
            wrong=nothing,
            right=lambda shop: shop.admin.advance(100_000),
        ),
        Case(code="refused", task="reconcile", wrong=status(READ, 400)),
        Case(code="unexpected_answer", task="reconcile", wrong=status(READ, 418), take=Action.SKIP),
    ),
    jobs=1,
)
GIVEN_UP = Journey(
    people=60,
    cases=(
        Case(code="list_gone", task="send", wrong=status(JOBS, 404), take=RESTART),
        Case(
            code="every_row_refused",
            task="send",
            wrong=status(JOBS, 400, count=1000),
            right=lambda shop: shop.admin.clear_faults(),
            take=RESTART,
        ),
    ),
)


def with_leavers(shop: Shop) -> None:
    """Two more people are on the list, and leave the query; the others change."""
    shop.generate(14)
    shop.run()
    shop.generate(12)
    shop.change("UPDATE People SET tier = 'blue'")


def other_account(shop: Shop) -> None:
    """The credential opens another account."""
    shop.admin.add_account("OTHER1", name="Other shop").add_key("pk_other")
    shop.key = "pk_other"
    shop.configure()


LEAVING = Journey(
    before=with_leavers,
    cases=(
        Case(code="key_refused", task="confirm", wrong=status(POLL, 401)),
        Case(
            code="another_account",
            task="confirm",
            wrong=other_account,
            take=Action.UPDATE_CREDENTIAL,
            given=new_key("pk_test"),
        ),
        Case(code="remove_refused", task="remove", wrong=status(TAKE_OFF, 400, count=2)),
    ),
    jobs=2,
)
