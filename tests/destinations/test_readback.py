"""What was sent is compared with what Klaviyo says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.delivery.progress import Quiet
from segue.destinations.contract import Outcome
from segue.destinations.klaviyo.readback import read_back
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import MEMBERS, Fake, delta_row, ok, profile, work


def compare(
    fake: Fake,
    folder: Path,
    rows: Sequence[dict[str, Any]],
    held: Sequence[dict[str, Any]],
    *,
    leavers: Sequence[str] = (),
    wanted: Collection[str] = (),
    rejects: Sequence[RowReject] = (),
    sample: int = 100,
) -> Outcome:
    ledger = MemoryLedger()
    ledger.plan([Part(kind=PartKind.IMPORT, chunk=0, start=0, stop=len(rows), state=PartState.COMPLETE)])
    ledger.reject(rejects)

    def answer(request: httpx.Request) -> httpx.Response:
        return ok(
            [
                item
                for item in held
                if f'"{item.get("answers", item["attributes"]["email"].lower())}"' in request.url.params["filter"]
            ]
        )

    fake.on("GET", MEMBERS, answer)
    some = work(folder, rows, ledger=ledger, leavers=leavers, wanted=wanted)
    return read_back(fake.client(), some, sample, Quiet())


ROW = delta_row(
    "a@b.io",
    cleared=["title", "old"],
    first_name="Ana",
    location={"city": "Graz", "latitude": 47.07},
    properties={"tier": 1, "tags": ["x"], "score": 1.5},
)
TRUE: dict[str, Any] = {
    "first_name": "Ana",
    "title": None,
    "location": {"city": "Graz", "latitude": "47.07", "zip": None},
    "properties": {"tier": 1, "tags": ["x"], "score": 1.5, "another": "kept"},
}


def test_a_true_profile_is_no_difference(fake: Fake, tmp_path: Path) -> None:
    outcome = compare(fake, tmp_path, [ROW], [profile("A", "A@b.io", **TRUE)])
    assert (outcome.done, outcome.failed, outcome.warnings, fake.waits) == (1, 0, (), [])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"first_name": "Bo"}, "first_name"),
        ({"first_name": None}, "first_name"),
        ({"title": "Dr"}, "title"),
        ({"location": {"city": "Linz", "latitude": 47.07}}, "city"),
        ({"location": None}, "city, latitude"),
        ({"properties": {**TRUE["properties"], "tier": 2}}, "tier"),
        ({"properties": {**TRUE["properties"], "old": "still"}}, "old"),
        ({"properties": {**TRUE["properties"], "tags": ["y"]}}, "tags"),
    ],
)
def test_a_difference_is_named_by_its_field_after_some_patience(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    fake = Fake(scale=1.0)
    outcome = compare(fake, tmp_path, [ROW], [profile("A", "a@b.io", **{**TRUE, **change})])
    assert outcome.failed == 1
    assert outcome.warnings == (f"Read back from Klaviyo: 1 of the sampled profiles differ in {named}.",)
    assert 25 < sum(fake.waits) < 60


def test_who_is_not_on_the_list_is_counted(fake: Fake, tmp_path: Path) -> None:
    outcome = compare(fake, tmp_path, [ROW, delta_row("c@b.io")], [profile("C", "c@b.io")])
    assert outcome.warnings == ("Read back from Klaviyo: 1 of the sampled people are not on the list.",)


def test_removed_people_are_not_on_the_list_any_more(fake: Fake, tmp_path: Path) -> None:
    outcome = compare(fake, tmp_path, [], [profile("D", "d@b.io")], leavers=["d@b.io", "e@b.io"])
    assert outcome.warnings == ("Read back from Klaviyo: 1 of the sampled removed people are still on the list.",)


def test_who_stays_for_another_address_is_no_difference(fake: Fake, tmp_path: Path) -> None:
    shared = {**profile("D", "new@b.io"), "answers": "old@b.io"}
    outcome = compare(fake, tmp_path, [], [shared], leavers=["old@b.io"], wanted={"new@b.io"})
    assert (outcome.warnings, outcome.failed) == ((), 0)


@pytest.mark.parametrize("kind", [PartKind.IMPORT, PartKind.CLEAR])
def test_refused_rows_are_not_expected(fake: Fake, tmp_path: Path, kind: PartKind) -> None:
    reject = RowReject(kind=kind, at_submit=True, chunk=0, position=0, key="", field="", reason="", detail="")
    outcome = compare(fake, tmp_path, [ROW, delta_row("c@b.io")], [profile("C", "c@b.io")], rejects=[reject])
    assert (outcome.done, outcome.failed) == (1, 0)


def test_lists_may_lag(fake: Fake, tmp_path: Path) -> None:
    held: list[dict[str, Any]] = []
    people = [delta_row("c@b.io")]

    class Late(list[dict[str, Any]]):
        def __iter__(self) -> Any:
            return iter([profile("C", "c@b.io")] if len(fake.requests) > 2 else held)

    outcome = compare(fake, tmp_path, people, Late())
    assert (outcome.failed, len(fake.waits)) == (0, 2)


def test_where_limits_are_off_lists_get_less_time(fake: Fake, tmp_path: Path) -> None:
    assert compare(fake, tmp_path, [ROW], []).failed == 1
    assert 2 < sum(fake.waits) < 5


def test_the_sample_is_no_larger_than_asked_for(fake: Fake, tmp_path: Path) -> None:
    rows = [delta_row(f"p{i}@b.io") for i in range(30)]
    held = [profile(f"P{i}", f"p{i}@b.io") for i in range(30)]
    assert compare(fake, tmp_path, rows, held, sample=7).done == 7


def test_no_sample_makes_no_call(fake: Fake, tmp_path: Path) -> None:
    assert compare(fake, tmp_path, [ROW], [], sample=0).done == 0
    assert fake.requests == []
