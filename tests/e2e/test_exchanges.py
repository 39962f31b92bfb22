"""What a run remembers of its calls: all of them in time, some of them whole, nothing for longer than it may."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segue.catalog.timelines import RunTimeline
from segue.delivery.exchanges import FIRST, MOST, Body, Exchange
from segue.services.exchange_files import EXCHANGES_FILE, StoredExchange, add_exchanges, forget_exchanges
from segue.services.exchanges import exchanges, run_requests
from segue.services.permissions import Option, Policy
from segue.workflow.recording import RunRecorder
from tests.users.conftest import somebody

from .shop import Shop
from .test_forgetting import GONE, PERSON, forgotten
from .test_retention import PAYLOADS, YEARS, gc, opened, people

JOBS = "POST /api/profile-bulk-import-jobs"


def told(shop: Shop, run_id: str) -> Counter[tuple[str, int | None]]:
    """Calls by endpoint and status."""
    with opened(shop) as workspace:
        found: Counter[tuple[str, int | None]] = Counter()
        for line in run_requests(workspace, run_id).lines:
            found[line.endpoint, line.status] += line.calls
        return found


def sampled(shop: Shop, run_id: str) -> tuple[StoredExchange, ...]:
    with opened(shop) as workspace:
        return exchanges(workspace, run_id)


def of(found: tuple[StoredExchange, ...], endpoint: str) -> list[StoredExchange]:
    return [stored for stored in found if stored.exchange.endpoint == endpoint]


def kept_file(shop: Shop, run_id: str) -> Path:
    return shop.folder / "home" / "runs" / run_id / EXCHANGES_FILE


def test_a_run_tells_every_call_as_klaviyo_counted_it(shop: Shop) -> None:
    shop.people(people(1, 2, 3))
    shop.admin.fault("status", JOBS, status=429, count=1)
    run = shop.run()
    calls = told(shop, run.id)
    assert (calls[JOBS, 429], calls[JOBS, 202]) == (1, 1)
    by_endpoint: Counter[str] = Counter()
    for (endpoint, _), count in calls.items():
        by_endpoint[endpoint.partition("?")[0]] += count
    seen = Counter({name: count for name, count in shop.calls().items() if count})
    assert sum(by_endpoint.values()) == sum(seen.values())
    assert by_endpoint[JOBS] == seen[JOBS]
    slowed, accepted = of(sampled(shop, run.id), JOBS)
    assert [slowed.exchange.status, accepted.exchange.status] == [429, 202]
    assert [slowed.exchange.attempt, accepted.exchange.attempt] == [1, 2]
    assert accepted.exchange.rows == 3
    assert accepted.exchange.request_body is not None
    assert "p2@mail.shop" in accepted.exchange.request_body.text


def test_a_refused_batch_is_there_with_what_klaviyo_said(shop: Shop) -> None:
    shop.people(people(1, 2))
    shop.admin.fault("status", JOBS, status=400, count=1)
    run = shop.run()
    statuses = Counter(stored.exchange.status for stored in of(sampled(shop, run.id), JOBS))
    assert statuses[400] == 1
    [refused] = [s for s in of(sampled(shop, run.id), JOBS) if s.exchange.status == 400]
    assert refused.exchange.answer_body is not None
    assert '"errors"' in refused.exchange.answer_body.text


def test_a_run_that_was_killed_adds_to_what_it_told(shop: Shop) -> None:
    shop.generate(100)
    shop.killed_at("import-accepted-after")
    [folder] = (shop.folder / "home" / "runs").glob("2*")
    before = told(shop, folder.name)
    assert before["GET /api/accounts", 200] == 1
    first = sampled(shop, folder.name)
    run = shop.run()
    assert run.id == folder.name
    after = told(shop, run.id)
    # The process that went on asked once more whose account it is.
    assert after["GET /api/accounts", 200] == 2
    assert all(after[call] >= count for call, count in before.items())
    both = sampled(shop, run.id)
    assert [s.exchange for s in both][: len(first)] == [s.exchange for s in first]
    assert len({stored.number for stored in both}) == len(both) > len(first)


def test_the_sample_stays_small_whatever_a_server_says(shop: Shop) -> None:
    shop.people(people(1))
    run = shop.run()
    with opened(shop) as workspace:
        recorder = RunRecorder(workspace.catalog, run.id, kept_file(shop, run.id).parent)
        wanted = [recorder.count("GET /x", status, at=1e9, waited=0) for status in (418, 418, 418, 418)]
        assert wanted == [True] * FIRST + [False]
        many = sum(recorder.count("GET /x", 600 + status, at=1e9, waited=0) for status in range(2 * MOST))
        assert many < MOST


def test_what_cannot_be_written_down_fails_nobody(shop: Shop, tmp_path: Path) -> None:
    with opened(shop) as workspace:
        recorder = RunRecorder(workspace.catalog, "no such run", tmp_path / "nowhere")
        recorder.count("GET /x", 200, at=1e9, waited=0)
        recorder.save()
        recorder.save()
        with workspace.catalog.session(read_only=True) as session:
            assert session.get(RunTimeline, "no such run") is None


def test_whoever_may_not_see_people_sees_names_of_fields_alone(shop: Shop) -> None:
    shop.people([PERSON])
    run = shop.run()
    with opened(shop) as workspace:
        acting = workspace.acting_as(somebody(Policy.OPERATOR, Option.RESTRICT_PII))
        shown = exchanges(acting, run.id)
        text = repr(shown)
        for value in (GONE, "quixote", "Zuzanna", "Zwettl"):
            assert value in repr(exchanges(workspace, run.id))
            assert value not in text
    [sent] = of(shown, JOBS)
    assert sent.exchange.request_body is not None
    assert '"first_name":"****"' in sent.exchange.request_body.text
    assert any(stored.exchange.parameters.get("filter") == "****" for stored in shown)


def test_a_person_is_forgotten_in_them_and_the_others_stay(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people([*people(1, 2), PERSON])
    first = shop.run()
    shop.people(people(1, 2))
    second = shop.run()
    said = forgotten(shop, dry_run=True).removed["sampled exchanges"]
    assert "Zuzanna" in repr(sampled(shop, first.id))
    assert forgotten(shop).removed["sampled exchanges"] == said > 0
    for run in (first, second):
        assert "quixote" not in repr(sampled(shop, run.id)).lower()
        assert "Zuzanna" not in repr(sampled(shop, run.id))
    gone = [stored for stored in sampled(shop, first.id) if stored.forgotten]
    assert gone
    assert {(s.exchange.request_body, s.exchange.answer_body) for s in gone} == {(None, None)}
    assert of(sampled(shop, first.id), "POST /api/lists")[0].exchange.request_body is not None
    assert forgotten(shop).removed["sampled exchanges"] == 0


def test_where_klaviyo_refused_a_person_nothing_of_its_answers_is_left(shop: Shop) -> None:
    # A detail may quote a number without saying whose it is.
    shop.people([*people(1), {**PERSON, "phone_number": "+436641234567"}])
    shop.admin.seed(profiles=[{"email": "o@else.shop", "phone_number": "+436641234567"}, {"email": GONE}])
    run = shop.run()
    assert run.counts["rejected"] == 1
    forgotten(shop)
    assert all(stored.forgotten for stored in sampled(shop, run.id))


@pytest.mark.parametrize("address", ["jörg@mail.shop", "strauß@mail.shop", 'a"b@mail.shop'])
def test_an_address_is_found_however_json_writes_it(shop: Shop, address: str) -> None:
    texts = [json.dumps({"email": address}), json.dumps({"email": address.upper()}, ensure_ascii=False), "{}"]
    folder = shop.folder / "some"
    add_exchanges(
        folder,
        [
            Exchange(
                at=datetime(2026, 1, 1, tzinfo=UTC), seconds=n, endpoint="E", method="GET", path="/", attempt=1,
                status=200, answer_body=Body(text=text, size=len(text)),
            )
            for n, text in enumerate(texts)
        ],
    )  # fmt: skip
    assert forget_exchanges(folder, [address]) == 2


def test_they_go_after_their_time_and_the_timeline_with_the_record(shop: Shop) -> None:
    shop.environment["SEGUE_KEEP_LAST_RUNS"] = "1"
    shop.people([PERSON])
    run = shop.run()
    assert shop.run().id != run.id
    gc(shop, later=timedelta(days=89))
    assert kept_file(shop, run.id).exists()
    gc(shop, later=PAYLOADS)
    assert not kept_file(shop, run.id).exists()
    assert sampled(shop, run.id) == ()
    assert told(shop, run.id)[JOBS, 202] == 1
    gc(shop, later=YEARS)
    assert told(shop, run.id) == {}
