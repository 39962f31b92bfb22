"""Calls, answers, waits and errors: klaviyo-api.md, sections 0 and 6."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from segue.delivery.budget import RateBudget, Windows
from segue.delivery.decider import MAX_ATTEMPTS
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import (
    CREATE_JOB,
    ENDPOINTS,
    GET_LISTS,
    GET_MEMBERS,
    GET_PROFILES,
    IMPORT_PROFILE,
    REMOVE_MEMBERS,
)
from segue.destinations.klaviyo.refusals import Refusal
from segue.errors import CredentialError, DestinationError, SegueError
from tests.destinations.fake import KEY, MEMBERS, MEMBERSHIP, Fake, ok, refused

LISTS = "/api/lists"


def test_every_call_carries_key_revision_and_media_type(fake: Fake) -> None:
    fake.on("POST", "/api/profile-import", ok({"id": "P1"}, status=201))
    fake.client().call(IMPORT_PROFILE, body={"data": {}})
    [request] = fake.requests
    assert request.headers["authorization"] == f"Klaviyo-API-Key {KEY}"
    assert request.headers["revision"] == "2026-07-15"
    assert request.headers["accept"] == request.headers["content-type"] == "application/vnd.api+json"


def test_a_body_without_content_has_no_content_type(fake: Fake) -> None:
    fake.on("GET", LISTS, ok([]))
    fake.client().call(GET_LISTS)
    assert "content-type" not in fake.requests[0].headers


def test_a_delete_carries_its_body(fake: Fake) -> None:
    fake.on("DELETE", MEMBERSHIP, httpx.Response(204))
    assert fake.client().call(REMOVE_MEMBERS, id="L1", body={"data": []}).body == {}
    assert fake.requests[0].content == b'{"data":[]}'


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
def test_an_unavailable_server_is_asked_again(fake: Fake, status: int) -> None:
    fake.on("GET", LISTS, httpx.Response(status, text="<html>gateway</html>"), ok([]))
    client = fake.client()
    assert client.call(GET_LISTS).status == 200
    assert client.budget.calls[GET_LISTS.name] == 2
    assert 0.5 <= sum(fake.waits) <= 1.0


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.DecodingError]
)
def test_no_answer_is_tried_a_few_times_and_then_told(fake: Fake, error: type[httpx.RequestError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error(f"it was {KEY}", request=request)

    fake.on("GET", LISTS, fail)
    with pytest.raises(DestinationError) as failed:
        fake.client().call(GET_LISTS)
    assert (failed.value.code, failed.value.cause) == ("unavailable", error.__name__)
    assert len(fake.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("header", "least"), [({"retry-after": "7"}, 7), ({}, 1), ({"retry-after": "0"}, 1), ({"retry-after": "?"}, 1)]
)
def test_a_throttled_call_waits_as_told_and_is_no_failure(fake: Fake, header: dict[str, str], least: int) -> None:
    throttled = refused(429, code="throttled", headers=header)
    fake.on("GET", LISTS, *[throttled] * (MAX_ATTEMPTS + 5), ok([]))
    assert fake.client().call(GET_LISTS).status == 200
    assert fake.waits == [least] * (MAX_ATTEMPTS + 5)


def test_a_retry_after_may_be_a_date(fake: Fake) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    fake.on("GET", LISTS, refused(429, headers={"retry-after": then}), ok([]))
    fake.client().call(GET_LISTS)
    assert 90 < sum(fake.waits) <= 100


def test_a_pause_of_hours_is_told_and_not_slept(fake: Fake) -> None:
    fake.on("GET", LISTS, refused(429, headers={"retry-after": "20000"}))
    with pytest.raises(DestinationError, match="opens again in 5 h 33 min") as failed:
        fake.client().call(GET_LISTS)
    assert (failed.value.code, fake.waits) == ("limit_used_up", [])


def test_endless_throttling_ends(fake: Fake) -> None:
    fake.on("GET", LISTS, refused(429, headers={"retry-after": "1"}))
    with pytest.raises(DestinationError) as failed:
        fake.client().call(GET_LISTS)
    assert failed.value.code == "limit_used_up"


def every_text(error: SegueError) -> str:
    return " ".join([error.message, error.cause, *error.steps, str(error), repr(error)])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_a_missing_scope_is_named_and_the_key_is_not(fake: Fake, endpoint: object) -> None:
    assert endpoint in ENDPOINTS
    wanted = next(e for e in ENDPOINTS if e == endpoint)
    fake.on(
        wanted.method,
        wanted.path.partition("?")[0].replace("{id}", "X"),
        refused(403, code="permission_denied", detail=KEY),
    )
    with pytest.raises(CredentialError) as failed:
        fake.client().call(wanted, id="X")
    assert failed.value.code == "scope_missing"
    assert all(scope in failed.value.message for scope in wanted.scopes)
    assert KEY not in every_text(failed.value)


def test_a_refused_key_is_not_shown(fake: Fake) -> None:
    fake.on("GET", LISTS, refused(401, code="not_authenticated", detail=f"bad key {KEY}"))
    with pytest.raises(CredentialError) as failed:
        fake.client().call(GET_LISTS)
    assert failed.value.code == "key_refused"
    assert KEY not in every_text(failed.value)
    assert KEY not in fake.client().fingerprint


@pytest.mark.parametrize("status", [400, 404, 409, 413])
def test_a_refusal_is_an_error_for_users_without_personal_data(fake: Fake, status: int) -> None:
    fake.on("POST", "/api/profile-bulk-import-jobs", refused(status, "/data/x", detail="ana@shop.io is bad"))
    with pytest.raises(Refusal) as failed:
        fake.client().call(CREATE_JOB, body=b"{}")
    assert isinstance(failed.value, DestinationError)
    assert str(status) in failed.value.message
    assert "ana@shop.io" not in every_text(failed.value) + every_text(failed.value.as_error())
    assert failed.value.problems[0].detail == "ana@shop.io is bad"


@pytest.mark.parametrize(
    ("status", "code"), [(301, "unexpected_answer"), (405, "unexpected_answer"), (410, "revision_retired")]
)
def test_an_answer_that_nobody_expects_stops_the_run(fake: Fake, status: int, code: str) -> None:
    fake.on("GET", LISTS, httpx.Response(status, headers={"location": "https://elsewhere.example/"}))
    with pytest.raises(DestinationError) as failed:
        fake.client().call(GET_LISTS)
    assert (failed.value.code, len(fake.requests)) == (code, 1)


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>log in</html>"), httpx.Response(200, json=[]), httpx.Response(202)]
)
def test_a_good_status_without_data_is_no_good_answer(fake: Fake, answer: httpx.Response) -> None:
    fake.on("GET", LISTS, answer)
    with pytest.raises(DestinationError) as failed:
        fake.client().call(GET_LISTS)
    assert failed.value.code == "unexpected_answer"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, text="no"),
        httpx.Response(400, json={"errors": None}),
        httpx.Response(400, json={"errors": ["x", {"source": None, "meta": None}]}),
    ],
)
def test_an_error_without_the_envelope_is_still_a_refusal(fake: Fake, answer: httpx.Response) -> None:
    fake.on("GET", LISTS, answer)
    with pytest.raises(Refusal):
        fake.client().call(GET_LISTS)


def test_all_pages_are_read_and_only_the_cursor_is_taken_from_a_link(fake: Fake) -> None:
    fake.on("GET", MEMBERS, ok([{"id": 1}], after="c1%3D%3D"), ok([{"id": 2}], after="c2"), ok([{"id": 3}]))
    params = {"page[size]": "100", "filter": 'any(email,["a+b@c.io"])'}
    items = list(fake.client().pages(GET_MEMBERS, id="L1", params=params))
    assert [item["id"] for item in items] == [1, 2, 3]
    assert {r.url.host for r in fake.requests} == {"127.0.0.1"}
    assert [dict(r.url.params) for r in fake.requests] == [
        params,
        {**params, "page[cursor]": "c1=="},
        {**params, "page[cursor]": "c2"},
    ]


@pytest.mark.parametrize("after", [[ok([], after="same"), ok([], after="same")], [ok([], after="")]])
def test_pages_do_not_go_round_in_circles(fake: Fake, after: list[httpx.Response]) -> None:
    fake.on("GET", "/api/profiles", *after)
    if len(after) == 1:
        fake.on(
            "GET", "/api/profiles", httpx.Response(200, json={"data": [], "links": {"next": "https://x.example/?p=2"}})
        )
    with pytest.raises(DestinationError) as failed:
        list(fake.client().pages(GET_PROFILES, params={}))
    assert failed.value.code == "unexpected_answer"


def test_trusted_certificates_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RateBudget(Windows({}))
    Client(base_url="https://a.example", secret=KEY, budget=budget).close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no file"))  # reading it would fail
    Client(base_url="https://a.example", secret=KEY, budget=budget).close()
