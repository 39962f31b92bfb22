"""Bulk jobs are sent and shed the rows that Klaviyo refuses: klaviyo-api.md, section 2."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest

from segue.delivery.ledger import Part, PartKind, PartState
from segue.delivery.progress import Quiet
from segue.destinations.klaviyo.submit import send
from segue.errors import CredentialError, DestinationError
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import JOBS, Fake, accepted, body, delta_row, emails, refused, row, work

PEOPLE = [f"p{i}@shop.io" for i in range(8)]


def states(ledger: MemoryLedger) -> list[tuple[int, int, int, PartState]]:
    return [(p.chunk, p.start, p.stop, p.state) for p in ledger.parts(PartKind.IMPORT)]


def rejected(ledger: MemoryLedger) -> list[tuple[str, str, str]]:
    return [(r.key, r.field, r.reason) for r in ledger.rejects()]


def picky(bad: set[str], *, pointers: bool, status: int = 400) -> Callable[[httpx.Request], httpx.Response]:
    """Refuses any body with one of these people in it."""

    def answer(request: httpx.Request) -> httpx.Response:
        indexes = [i for i, email in enumerate(emails(request)) if email in bad]
        if not indexes:
            return accepted("J-" + emails(request)[0])
        return refused(status, *([row(i, "phone_number") for i in indexes] if pointers else [None]))

    return answer


def test_a_body_holds_the_rows_the_list_and_nothing_else(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, accepted("J1"))
    rows = [delta_row("a@b.io", first_name="Ö", properties={"x": None}), delta_row("c@d.io")]
    outcome = send(fake.client(), work(tmp_path, rows, ledger=ledger), Quiet())
    assert body(fake.requests[0]) == {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": {
                "profiles": {
                    "data": [
                        {
                            "type": "profile",
                            "attributes": {"email": "a@b.io", "first_name": "Ö", "properties": {"x": None}},
                        },
                        {"type": "profile", "attributes": {"email": "c@d.io"}},
                    ]
                }
            },
            "relationships": {"lists": {"data": [{"type": "list", "id": "L1"}]}},
        }
    }
    assert (outcome.done, outcome.failed) == (2, 0)
    assert [(p.state, p.job) for p in ledger.parts(PartKind.IMPORT)] == [(PartState.ACCEPTED, "J1")]


def test_rows_that_a_pointer_names_are_shed_at_once(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, picky({PEOPLE[2], PEOPLE[5]}, pointers=True))
    outcome = send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert [len(emails(r)) for r in fake.requests] == [8, 6]
    assert rejected(ledger) == [(PEOPLE[2], "phone_number", "invalid"), (PEOPLE[5], "phone_number", "invalid")]
    assert (outcome.done, outcome.failed) == (6, 2)
    assert states(ledger) == [(0, 0, 8, PartState.ACCEPTED)]


def test_pointers_of_a_second_refusal_count_in_the_body_that_was_left(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, refused(400, row(1)), refused(400, row(1)), accepted("J"))
    send(fake.client(), work(tmp_path, PEOPLE[:4], ledger=ledger), Quiet())
    assert [emails(r) for r in fake.requests][-1] == [PEOPLE[0], PEOPLE[3]]
    assert [key for key, *_ in rejected(ledger)] == [PEOPLE[1], PEOPLE[2]]


@pytest.mark.parametrize("bad", [{0}, {7}, {3, 4}, {0, 6}])
def test_without_pointers_a_body_is_halved_until_the_row_is_found(fake: Fake, tmp_path: Path, bad: set[int]) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, picky({PEOPLE[i] for i in bad}, pointers=False))
    outcome = send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert {key for key, *_ in rejected(ledger)} == {PEOPLE[i] for i in bad}
    assert (outcome.done, outcome.failed) == (8 - len(bad), len(bad))
    sent = [email for r in fake.requests if not {PEOPLE[i] for i in bad} & set(emails(r)) for email in emails(r)]
    assert sorted(sent) == sorted(p for i, p in enumerate(PEOPLE) if i not in bad)
    spans = [(start, stop) for _, start, stop, _ in states(ledger)]
    assert spans[0][0] == 0
    assert spans[-1][1] == 8
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))


def test_a_pointer_beyond_the_body_counts_as_none(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, refused(400, row(7)), accepted("J1"), accepted("J2"))
    send(fake.client(), work(tmp_path, PEOPLE[:2], ledger=ledger), Quiet())
    assert rejected(ledger) == []
    assert [len(emails(r)) for r in fake.requests] == [2, 1, 1]


def test_a_body_that_is_too_large_is_halved_whatever_it_points_at(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()

    def small_only(request: httpx.Request) -> httpx.Response:
        return accepted("J") if len(emails(request)) <= 2 else refused(413, row(0), code="too_large")

    fake.on("POST", JOBS, small_only)
    outcome = send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert (outcome.done, rejected(ledger)) == (8, [])
    assert [(start, stop) for _, start, stop, _ in states(ledger)] == [(0, 2), (2, 4), (4, 6), (6, 8)]


def test_a_single_row_that_is_too_large_is_refused(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, httpx.Response(413, text="too large"))
    outcome = send(fake.client(), work(tmp_path, PEOPLE[:1], ledger=ledger), Quiet())
    assert (outcome.failed, states(ledger)) == (1, [(0, 0, 1, PartState.REFUSED)])


MANY = [f"q{i}@shop.io" for i in range(200)]


def test_a_fault_that_is_not_in_the_rows_stops_the_run(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, refused(400, "/data/type"))
    with pytest.raises(DestinationError) as failed:
        send(fake.client(), work(tmp_path, MANY, ledger=ledger), Quiet())
    assert failed.value.code == "every_row_refused"
    assert rejected(ledger) == []
    whole, *single = [emails(r) for r in fake.requests]
    assert (len(whole), {len(rows) for rows in single}) == (200, {1})
    # From all over the body: two of each quarter.
    assert sorted(MANY.index(rows[0]) // 50 for rows in single) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("first", [0, 97, 100, 194])
def test_bad_rows_beside_each_other_are_shed_like_any_others(fake: Fake, tmp_path: Path, first: int) -> None:
    ledger, bad = MemoryLedger(), MANY[first : first + 6]
    fake.on("POST", JOBS, picky(set(bad), pointers=False))
    outcome = send(fake.client(), work(tmp_path, MANY, ledger=ledger), Quiet())
    assert [key for key, *_ in rejected(ledger)] == bad
    assert (outcome.done, outcome.failed) == (194, 6)
    spans = [(start, stop) for _, start, stop, _ in states(ledger)]
    assert (spans[0][0], spans[-1][1]) == (0, 200)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert {state for *_, state in states(ledger)} == {PartState.ACCEPTED, PartState.REFUSED}
    assert all(p.job for p in ledger.parts(PartKind.IMPORT) if p.state is PartState.ACCEPTED)
    taken = [email for r in fake.requests if not set(bad) & set(emails(r)) for email in emails(r)]
    assert sorted(taken) == sorted(set(MANY) - set(bad)), "everybody once"


def test_a_run_that_has_nothing_but_bad_rows_names_them(fake: Fake, tmp_path: Path) -> None:
    """Those that were refused last time are all that a quiet day sends."""
    ledger = MemoryLedger()
    fake.on("POST", JOBS, picky(set(PEOPLE), pointers=False))
    outcome = send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert (outcome.done, outcome.failed) == (0, 8)
    assert {key for key, *_ in rejected(ledger)} == set(PEOPLE)


def test_rows_that_are_refused_for_different_reasons_are_bad_each(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()

    def answer(request: httpx.Request) -> httpx.Response:
        return refused(400, code="invalid" if len(emails(request)) > 1 else "duplicate_profile")

    fake.on("POST", JOBS, answer)
    outcome = send(fake.client(), work(tmp_path, MANY[:60], ledger=ledger), Quiet())
    assert outcome.failed == 60


@pytest.mark.parametrize("status", [413, 414])
def test_a_body_that_is_too_large_is_not_doubted(fake: Fake, tmp_path: Path, status: int) -> None:
    fake.on("POST", JOBS, lambda r: accepted("J") if len(emails(r)) <= 100 else refused(status))
    outcome = send(fake.client(), work(tmp_path, MANY), Quiet())
    assert (outcome.done, [len(emails(r)) for r in fake.requests]) == (200, [200, 100, 100])


def test_all_rows_named_leaves_nothing_to_send(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, picky(set(PEOPLE), pointers=True))
    outcome = send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert (outcome.done, outcome.failed, len(fake.requests)) == (0, 8, 1)
    assert states(ledger) == [(0, 0, 8, PartState.REFUSED)]


@pytest.mark.parametrize("answer", [refused(404), refused(400, "/data/relationships/lists/data/0/id")])
def test_a_list_that_is_gone_is_said_so(fake: Fake, tmp_path: Path, answer: httpx.Response) -> None:
    ledger = MemoryLedger()
    fake.on("POST", JOBS, answer)
    with pytest.raises(DestinationError) as failed:
        send(fake.client(), work(tmp_path, PEOPLE, ledger=ledger), Quiet())
    assert (failed.value.code, rejected(ledger)) == ("list_gone", [])


def test_a_second_start_sends_only_what_is_not_accepted(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    some = work(tmp_path, ["a@b.io"], ["c@d.io"], ["e@f.io"], ["g@h.io"], ledger=ledger)
    ledger.plan([Part(kind=PartKind.IMPORT, chunk=i, start=0, stop=1) for i in range(4)])
    done, sending, _, cancelled = ledger.parts(PartKind.IMPORT)
    ledger.mark(done, PartState.ACCEPTED, job="J0")
    ledger.mark(sending, PartState.SENDING)
    ledger.mark(cancelled, PartState.CANCELLED, job="J3")
    fake.on("POST", JOBS, accepted("J"))
    outcome = send(fake.client(), some, Quiet())
    assert sorted(email for r in fake.requests for email in emails(r)) == ["c@d.io", "e@f.io"]
    assert outcome.done == 4


def test_a_failure_in_one_chunk_stops_the_others(fake: Fake, tmp_path: Path) -> None:
    fake.on("POST", JOBS, refused(401))
    with pytest.raises(CredentialError):
        send(fake.client(), work(tmp_path, *[[p] for p in PEOPLE]), Quiet())


def test_nothing_to_send_makes_no_call(fake: Fake, tmp_path: Path) -> None:
    assert send(fake.client(), work(tmp_path), Quiet()).done == 0
    assert fake.requests == []


def test_a_lost_answer_sends_the_same_body_again(fake: Fake, tmp_path: Path) -> None:
    fake.on("POST", JOBS, httpx.Response(504), accepted("J1"))
    send(fake.client(), work(tmp_path, PEOPLE), Quiet())
    first, second = fake.requests
    assert first.content == second.content
    assert orjson.loads(first.content)
