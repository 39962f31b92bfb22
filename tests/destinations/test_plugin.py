"""The plug-in as a whole: found by its name, limits as documented, costs by arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from klaviyo_emulator import serve
from segue.audience.delta import Chunk, Delta, DeltaCounts
from segue.delivery.progress import Quiet
from segue.destinations.contract import Connection, Estimate
from segue.destinations.klaviyo import Klaviyo, plugin
from segue.destinations.klaviyo.estimate import estimate
from segue.destinations.klaviyo.limits import CHUNK_LIMITS, ENDPOINTS, LIMITS
from segue.destinations.registry import find_plugin
from segue.errors import ConfigError
from tests.destinations.fake import KEY


def test_the_plug_in_is_found_by_name() -> None:
    assert find_plugin("klaviyo") is plugin


def test_an_unknown_plug_in_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="mailchimp") as failed:
        find_plugin("mailchimp")
    assert "klaviyo" in failed.value.steps[0]


def test_opening_makes_no_call() -> None:
    connection = Connection(base_url="http://127.0.0.1:9", secret=KEY, progress=Quiet(), pause=lambda _: True)
    opened = plugin.open(connection)
    assert isinstance(opened, Klaviyo)
    assert opened.requests() == {}
    opened.close()


@pytest.mark.parametrize(
    ("name", "burst", "steady"),
    [
        # klaviyo-api.md, sections 1.1, 2, 3 and 6.1.
        ("GET /api/accounts", 1, 15),
        ("GET /api/lists", 75, 750),
        ("GET /api/lists/{id}", 75, 750),
        ("GET /api/lists/{id}?additional-fields[list]=profile_count", 1, 15),
        ("POST /api/lists", 10, 150),
        ("GET /api/lists/{id}/profiles", 75, 750),
        ("DELETE /api/lists/{id}/relationships/profiles", 10, 150),
        ("GET /api/profiles", 75, 750),
        ("POST /api/profile-import", 75, 750),
        ("POST /api/profile-bulk-import-jobs", 10, 150),
        ("GET /api/profile-bulk-import-jobs", 10, 150),
        ("GET /api/profile-bulk-import-jobs/{id}", 10, 150),
        ("GET /api/profile-bulk-import-jobs/{id}/import-errors", 10, 150),
    ],
)
def test_limits_are_those_of_the_document(name: str, burst: int, steady: int) -> None:
    assert (LIMITS[name].burst, LIMITS[name].steady) == (burst, steady)


def test_every_endpoint_has_scopes() -> None:
    assert len(LIMITS) == len(ENDPOINTS) == 13
    assert all(endpoint.scopes for endpoint in ENDPOINTS)


def test_a_full_body_stays_under_5_mb(tmp_path: Path) -> None:
    envelope = {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": []}},
            "relationships": {"lists": {"data": [{"type": "list", "id": "x" * 64}]}},
        }
    }
    assert CHUNK_LIMITS.rows == 10_000
    assert CHUNK_LIMITS.bytes + len(json.dumps(envelope)) <= 5_000_000


def delta(rows: int, *, chunk: int = 10_000, slow: int = 0) -> Delta:
    sizes = [min(chunk, rows - start) for start in range(0, rows, chunk)]
    chunks = tuple(Chunk(number=i, rows=size, bytes=size * 50) for i, size in enumerate(sizes))
    return Delta(counts=DeltaCounts(added=rows, slow_rows=slow), chunks=chunks, digest="d")


COUNT = "GET /api/lists/{id}?additional-fields[list]=profile_count"


def cost(
    rows: int, *, slow: int = 0, removes: int = 0, read_back: int = 0, new_list: bool = False, share: float = 1.0
) -> Estimate:
    made = {"GET /api/accounts": 1, "GET /api/lists": 1} if new_list else {"GET /api/accounts": 1, COUNT: 1}
    return estimate(
        delta(rows, slow=slow),
        removes=removes,
        strangers=0,
        read_back=read_back,
        new_list=new_list,
        made=made,
        share=share,
    )


def test_a_first_load_costs_a_job_for_each_ten_thousand() -> None:
    first = cost(1_000_000, new_list=True)
    assert first.requests == {
        "GET /api/accounts": 1,
        "GET /api/lists": 2,
        "POST /api/lists": 1,
        COUNT: 1,
        "POST /api/profile-bulk-import-jobs": 100,
        "GET /api/profile-bulk-import-jobs": 1,
    }
    assert first.minutes == pytest.approx(9.9 / 60, abs=0.01)
    assert 50_000_000 <= first.bytes <= 50_000_000 + 100 * 1_000


def test_clears_and_removes_cost_what_the_fact_sheet_says() -> None:
    # Section 10: 10,000 clears take 13 minutes, removing 10,000 takes 100 look-ups and 10 calls.
    assert cost(0, slow=10_000).minutes == pytest.approx(13, abs=0.4)
    removing = cost(0, removes=10_000).requests
    assert removing["GET /api/lists/{id}/profiles"] == 100
    assert removing["DELETE /api/lists/{id}/relationships/profiles"] == 10


def test_half_of_the_limits_doubles_the_minutes() -> None:
    # 10,000 clears at 375 a minute: 26 full minutes, and 249 gaps at 37.5 a second.
    assert cost(0, slow=10_000, share=0.5).minutes == pytest.approx(26 + 249 / 37.5 / 60, abs=0.02)
    # 61 jobs and two counts of members: 60 gaps at 10 a second and one at 1, or at half of that.
    assert cost(610_000).minutes == pytest.approx((60 / 10 + 1) / 60, abs=0.01)
    assert cost(610_000, share=0.5).minutes == pytest.approx((60 / 5 + 2) / 60, abs=0.01)


def test_a_run_that_changes_something_counts_the_members_before_and_after() -> None:
    assert [cost(rows, removes=removes).requests[COUNT] for rows, removes in ((0, 0), (1, 0), (0, 1))] == [1, 2, 2]


def test_reading_back_costs_a_call_for_each_hundred() -> None:
    assert cost(1_000, read_back=100).requests["GET /api/lists/{id}/profiles"] == 1
    assert cost(1_000, removes=500, read_back=150).requests["GET /api/lists/{id}/profiles"] == 5 + 2 + 2


def test_nothing_to_do_costs_only_the_look_ups() -> None:
    assert cost(0).requests == {"GET /api/accounts": 1, COUNT: 1}


def test_the_keys_of_an_account_share_one_budget_in_a_process() -> None:
    with serve(limit_scale=0) as emulator:
        emulator.admin.add_key("pk_second")
        connect = lambda key: Connection(base_url=emulator.url, secret=key, progress=Quiet(), pause=lambda _: True)  # noqa: E731
        opened = [Klaviyo(connect(key)) for key in ("pk_test", "pk_test", "pk_second")]
        for one in opened:
            assert one.account().id
            one.close()
    assert len({id(one._budget._windows) for one in opened}) == 1
    assert [one.requests() for one in opened] == [{"GET /api/accounts": 1}] * 3


def test_a_share_is_that_of_the_account_and_counts_from_the_first_call_that_may_be_another_account_s() -> None:
    with serve(limit_scale=0) as emulator:
        shares = {"known": 0.25}
        connection = Connection(
            base_url=emulator.url,
            secret="pk_test",
            progress=Quiet(),
            pause=lambda _: True,
            share_of=lambda account: shares.get(account, 0.5),
            account_id="known",
        )
        one = Klaviyo(connection)
        assert one._budget.allowed == 0.25
        account = one.account()
        assert one._budget.allowed == 0.5
        shares[account.id] = 0.75
        one.account()
        assert one._budget.allowed == 0.75
        one.close()
