from __future__ import annotations

import gzip
import json
import uuid

import pytest
from emulator_kit import HEADERS, Api, problem

from klaviyo_emulator import EmulatorAdmin

LIST_BODY = {"data": {"type": "list", "attributes": {"name": "VIP"}}}


def test_error_envelope(api: Api) -> None:
    answer = api.send("POST", "/lists", {"data": {"type": "list", "attributes": {}}})
    error = problem(answer)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/vnd.api+json"
    assert set(error) == {"id", "status", "code", "title", "detail", "source", "links", "meta"}
    assert uuid.UUID(error["id"])
    assert (error["status"], error["code"], error["title"]) == (400, "invalid", "Invalid input.")
    assert error["source"] == {"pointer": "/data/attributes/name"}


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "not_authenticated"),
        ("Klaviyo-API-Key", "not_authenticated"),
        ("Klaviyo-API-Key pk_other", "authentication_failed"),
        ("Bearer pk_test", "authentication_failed"),
        ("Basic pk_test", "authentication_failed"),
    ],
)
def test_a_request_without_a_known_key_is_401(api: Api, authorization: str | None, code: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "authorization"}
    if authorization:
        headers["authorization"] = authorization
    del api.client.headers["authorization"]
    answer = api.client.get("/api/accounts", headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (401, code)


def test_a_missing_scope_is_403_before_the_body_is_looked_at(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_key("pk_read", scopes=["lists:read", "profiles:read"])
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_read"
    assert api.get("/lists").status_code == 200
    answer = api.submit([])
    assert (answer.status_code, problem(answer)["code"]) == (403, "permission_denied")
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_test"
    assert api.submit([]).status_code == 400


def test_a_bulk_import_always_needs_the_scope_for_lists(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_key("pk_profiles", scopes=["profiles:write", "lists:read"])
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_profiles"
    answer = api.submit([{"type": "profile", "attributes": {"email": "ana@shop.io"}}])
    assert answer.status_code == 403
    assert "lists:write" in problem(answer)["detail"]


def test_a_bearer_token_is_a_key_of_an_app(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_key("token", kind="oauth")
    api.client.headers["authorization"] = "Bearer token"
    assert api.get("/lists").status_code == 200
    admin.revoke_key("token")
    assert api.get("/lists").status_code == 401


def test_keys_open_their_own_account_only(api: Api, admin: EmulatorAdmin) -> None:
    second = admin.add_account("SECOND", name="Second Shop")
    second.add_key("pk_second")
    api.create_list("VIP")
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_second"
    assert api.get("/accounts").json()["data"][0]["id"] == "SECOND"
    assert api.get("/lists").json()["data"] == []
    assert second.lists() == []
    assert [one["name"] for one in admin.lists()] == ["VIP"]


@pytest.mark.parametrize(
    ("revision", "status"),
    [(None, 400), ("latest", 400), ("2024-07-15", 410), ("2024-10-15", 200), ("2026-07-15.pre", 200)],
)
def test_the_revision_header(api: Api, revision: str | None, status: int) -> None:
    del api.client.headers["revision"]
    headers = {} if revision is None else {"revision": revision}
    assert api.client.get("/api/lists", headers=headers).status_code == status


def test_which_revisions_are_retired_is_a_setting(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(oldest_revision="2026-10-15")
    assert api.get("/lists").status_code == 410


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/vnd.api+json", 201),
        ("application/json; charset=utf-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_the_media_type(api: Api, media: str, status: int) -> None:
    answer = api.send("POST", "/lists", LIST_BODY, headers={"content-type": media})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("switch", "encoding", "status"), [(False, "gzip", 415), (True, "gzip", 201), (True, "br", 415)]
)
def test_compressed_bodies(api: Api, admin: EmulatorAdmin, switch: bool, encoding: str, status: int) -> None:
    admin.settings(gzip_requests=switch)
    content = gzip.compress(json.dumps(LIST_BODY).encode())
    answer = api.send("POST", "/lists", content=content, headers={"content-encoding": encoding})
    assert answer.status_code == status


def test_the_size_cap_counts_decompressed_bytes(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(gzip_requests=True)
    content = gzip.compress(b" " * 5_000_001)
    assert len(content) < 100_000
    answer = api.send("POST", "/lists", content=content, headers={"content-encoding": "gzip"})
    assert answer.status_code == 413


def test_a_body_over_five_megabytes_is_413(api: Api) -> None:
    text = json.dumps(LIST_BODY)
    assert api.send("POST", "/lists", content=text.ljust(5_000_000)).status_code == 201
    assert api.send("POST", "/lists", content=text.ljust(5_000_001)).status_code == 413


def test_a_body_that_is_not_json_is_400(api: Api) -> None:
    assert api.send("POST", "/lists", content=b"{").status_code == 400
    assert api.send("POST", "/lists", content=b"[]").status_code == 400


@pytest.mark.parametrize(("accepts", "encoding"), [("gzip", "gzip"), ("identity", None)])
def test_larger_answers_are_compressed_on_request(
    api: Api, admin: EmulatorAdmin, accepts: str, encoding: str | None
) -> None:
    admin.seed(profiles=[{"email": f"p{number}@shop.io"} for number in range(20)])
    answer = api.client.get("/api/profiles", headers={"accept-encoding": accepts})
    assert answer.headers.get("content-encoding") == encoding
    assert len(answer.json()["data"]) == 20


def test_unknown_paths_and_methods(api: Api) -> None:
    assert api.get("/nothing").status_code == 404
    assert api.get("/lists/").status_code == 200
    assert api.send("PUT", "/lists").status_code == 405
