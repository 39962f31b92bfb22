"""What a client tells of its calls, and what it never tells."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import pytest

from segue.delivery.exchanges import Exchange
from segue.destinations.klaviyo.limits import CREATE_JOB, GET_LISTS, GET_MEMBERS
from segue.destinations.klaviyo.refusals import Refusal
from tests.destinations.fake import JOBS, KEY, MEMBERS, Fake, accepted, ok, refused

LISTS = "/api/lists"


@dataclass
class Notebook:
    """Wants everything."""

    counted: list[tuple[str, int | None]] = field(default_factory=list)
    kept: list[Exchange] = field(default_factory=list)

    def count(self, endpoint: str, status: int | None, *, at: float, waited: float) -> bool:
        assert waited >= 0
        assert at > 1_700_000_000
        self.counted.append((endpoint, status))
        return True

    def keep(self, exchange: Exchange) -> None:
        self.kept.append(exchange)


def test_every_attempt_is_told_with_what_was_sent_and_answered(fake: Fake) -> None:
    throttled = refused(429, code="throttled", headers={"retry-after": "7", "set-cookie": "s=1"})
    fake.on("POST", JOBS, throttled, accepted("J1"))
    notes = Notebook()
    fake.client(notes).call(CREATE_JOB, body={"data": {"x": 1}}, rows=3)
    assert notes.counted == [(CREATE_JOB.name, 429), (CREATE_JOB.name, 202)]
    first, second = notes.kept
    assert [(e.method, e.path, e.status, e.attempt, e.rows) for e in notes.kept] == [
        ("POST", JOBS, 429, 1, 3),
        ("POST", JOBS, 202, 2, 3),
    ]
    assert first.answer_headers["retry-after"] == "7"
    assert "set-cookie" not in first.answer_headers
    assert second.request_body is not None
    assert second.request_body.text == '{"data":{"x":1}}'
    assert second.answer_body is not None
    assert '"id":"J1"' in second.answer_body.text
    assert second.at >= first.at


def test_a_refusal_and_a_lost_call_are_told_too(fake: Fake) -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    fake.on("POST", JOBS, lost, refused(400, "/data/attributes/profiles/data/0", detail="no such number"))
    notes = Notebook()
    with pytest.raises(Refusal):
        fake.client(notes).call(CREATE_JOB, body={"data": {}})
    lost_one, refusal = notes.kept
    assert (lost_one.status, lost_one.problem, lost_one.answer_body) == (None, "ReadTimeout", None)
    assert (refusal.status, refusal.problem) == (400, "")
    assert refusal.answer_body is not None
    assert "no such number" in refusal.answer_body.text


def test_the_key_is_told_nowhere_not_even_where_a_server_echoes_it(fake: Fake) -> None:
    echo = httpx.Response(403, text=f"<html>Authorization: Klaviyo-API-Key {KEY}</html>", headers={"server": KEY})
    fake.on("GET", LISTS, echo)
    notes = Notebook()
    with pytest.raises(Exception, match="may not call"):
        fake.client(notes).call(GET_LISTS, params={"filter": f'equals(name,"{KEY}")'})
    assert fake.requests[0].headers["authorization"].endswith(KEY)
    assert KEY not in repr(notes.kept)
    assert "authorization" not in repr(notes.kept[0].request_headers).lower()


def test_a_long_filter_ends_before_an_address_that_does_not_fit(fake: Fake) -> None:
    fake.on("GET", MEMBERS, ok([]))
    people = [f"person{i:04}@mail.shop" for i in range(100)]
    quoted = ",".join(f'"{person}"' for person in people)
    notes = Notebook()
    fake.client(notes).call(GET_MEMBERS, id="L1", params={"filter": f"any(email,[{quoted}])"})
    told = notes.kept[0].parameters["filter"]
    assert len(told) < 1010
    shown = told.removeprefix("any(email,[").removesuffix(", \N{HORIZONTAL ELLIPSIS}").split(",")
    assert [entry.strip('"') for entry in shown] == people[: len(shown)]


def test_a_recorder_that_breaks_fails_no_call(fake: Fake) -> None:
    class Broken(Notebook):
        def keep(self, exchange: Exchange) -> None:
            raise OSError("disk full")

    fake.on("GET", LISTS, ok([]))
    assert fake.client(Broken()).call(GET_LISTS).status == 200
