from __future__ import annotations

import pytest
from emulator_kit import Api, problem

from klaviyo_emulator import EmulatorAdmin
from klaviyo_emulator.limits import Windows
from klaviyo_emulator.operations import OPERATIONS, Quota

HEADER_NAMES = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


def test_the_burst_window_opens_again_after_a_second(api: Api, admin: EmulatorAdmin) -> None:
    path = "/profile-bulk-import-jobs"
    assert [api.get(path).status_code for _ in range(11)] == [200] * 10 + [429]
    admin.advance(0.999)
    assert api.get(path).status_code == 429
    admin.advance(0.001)
    assert api.get(path).status_code == 200


def test_the_steady_window_is_a_minute(api: Api, admin: EmulatorAdmin) -> None:
    """Accounts: 1 a second, 15 a minute."""
    statuses = []
    for _ in range(16):
        statuses.append(api.get("/accounts").status_code)
        admin.advance(1)
    assert statuses == [200] * 15 + [429]
    assert api.get("/accounts").headers["retry-after"] == "44"
    admin.advance(44)
    assert api.get("/accounts").status_code == 200


def test_headers_describe_the_steady_window_and_leave_on_429(api: Api, admin: EmulatorAdmin) -> None:
    first = api.get("/accounts")
    assert [first.headers[name] for name in HEADER_NAMES] == ["15", "14", "60"]
    assert "retry-after" not in first.headers
    admin.advance(10)
    second = api.get("/accounts")
    assert [second.headers[name] for name in HEADER_NAMES] == ["15", "13", "50"]
    refused = api.get("/accounts")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert not any(name in refused.headers for name in HEADER_NAMES)
    assert problem(refused)["code"] == "throttled"


def test_a_refusal_of_the_handler_counts_and_carries_the_headers(api: Api) -> None:
    answer = api.get("/lists/absent")
    assert answer.status_code == 404
    assert answer.headers["ratelimit-remaining"] == "749"


def test_windows_are_per_endpoint_template(api: Api) -> None:
    api.get("/accounts")
    assert api.get("/accounts").status_code == 429
    assert api.get("/lists").status_code == 200
    assert api.get("/lists/one").headers["ratelimit-remaining"] == "749"
    assert api.get("/lists/two").headers["ratelimit-remaining"] == "748"


def test_keys_of_an_account_share_and_apps_do_not(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_key("pk_second")
    admin.add_key("token", kind="oauth", app="sync")
    api.get("/accounts")
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_second"
    assert api.get("/accounts").status_code == 429
    api.client.headers["authorization"] = "Bearer token"
    assert api.get("/accounts").status_code == 200


def test_a_count_uses_up_a_quota_of_its_own(api: Api, admin: EmulatorAdmin) -> None:
    """profile_count: 1 a second, 15 a minute, beside the 75 and 750 of the endpoint."""
    key = api.create_list("VIP")
    counted = {"additional-fields[list]": "profile_count"}
    assert api.get(f"/lists/{key}", **counted).headers["ratelimit-limit"] == "15"
    assert api.get(f"/lists/{key}", **counted).status_code == 429
    assert api.get(f"/lists/{key}").headers["ratelimit-remaining"] == "748"
    admin.advance(1)
    assert api.get(f"/lists/{key}", **counted).json()["data"]["attributes"]["profile_count"] == 0


def test_one_number_scales_all_windows(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(limit_scale=0.1)
    assert [api.get("/profile-bulk-import-jobs").status_code for _ in range(2)] == [200, 429]
    admin.settings(limit_scale=0)
    answers = [api.get("/profile-bulk-import-jobs") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


def test_windows_may_follow_the_clock(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(windows="aligned")
    admin.advance(50)
    assert api.get("/accounts").headers["ratelimit-reset"] == "10"


def test_the_administration_is_not_counted(api: Api, admin: EmulatorAdmin) -> None:
    for _ in range(20):
        admin.lists()
    assert admin.requests()["total"] == 0
    assert api.get("/lists").headers["ratelimit-remaining"] == "749"


def test_a_closed_window_of_any_quota_counts_against_none() -> None:
    windows = Windows()
    wide, narrow = ("wide", Quota(burst=10, steady=10)), ("narrow", Quota(burst=1, steady=5))
    assert windows.take("me", [wide, narrow], now=0.0).retry_after is None
    assert windows.take("me", [wide, narrow], now=0.5).retry_after == 1
    assert windows.take("me", [wide], now=0.5).remaining == 8


@pytest.mark.parametrize(
    ("name", "burst", "steady"),
    [
        ("POST /api/profile-bulk-import-jobs", 10, 150),
        ("DELETE /api/lists/{id}/relationships/profiles", 10, 150),
        ("GET /api/lists/{id}/profiles", 75, 750),
        ("POST /api/profile-import", 75, 750),
        ("GET /api/profiles/{id}/lists", 3, 60),
        ("POST /api/events", 350, 3500),
        ("GET /api/accounts", 1, 15),
    ],
)
def test_limits_of_revision_2026_07_15(name: str, burst: int, steady: int) -> None:
    (operation,) = [one for one in OPERATIONS if one.name == name]
    assert operation.quota == Quota(burst=burst, steady=steady)
