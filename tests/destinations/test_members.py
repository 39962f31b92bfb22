"""People are taken off a list: klaviyo-api.md, sections 3 and 9. A wrong removal is the worst that can happen."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.delivery.ledger import PartKind, PartState
from segue.delivery.progress import Quiet
from segue.destinations.klaviyo.members import all_members, any_of, find_members, remove
from segue.errors import DestinationError
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import MEMBERS, MEMBERSHIP, Fake, body, ok, profile, refused, work


class People:
    """Profiles at Klaviyo: id -> addresses, the first being the one that is shown; members: ids on the list."""

    def __init__(self, fake: Fake, profiles: dict[str, list[str]], *, members: Collection[str] | None = None) -> None:
        self.profiles = profiles
        self.members = set(profiles if members is None else members)
        fake.on("GET", MEMBERS, self.find_members)
        fake.on("GET", "/api/profiles", self.find_profiles)
        fake.on("DELETE", MEMBERSHIP, self.delete)

    def find_members(self, request: httpx.Request) -> httpx.Response:
        asked = _values(request, "email")
        found = [i for i in sorted(self.members) if set(self.profiles[i]) & asked]
        return ok([profile(i, self.profiles[i][0]) for i in found])

    def find_profiles(self, request: httpx.Request) -> httpx.Response:
        return ok([profile(i, self.profiles[i][0]) for i in sorted(_values(request, "id")) if i in self.profiles])

    def delete(self, request: httpx.Request) -> httpx.Response:
        ids = {item["id"] for item in body(request)["data"]}
        assert len(ids) <= 1000
        if ids - self.profiles.keys():
            return refused(404, code="not_found")
        self.members -= ids
        return httpx.Response(204)


def _values(request: httpx.Request, field: str) -> set[str]:
    found = re.fullmatch(rf"any\({field},\[(.*)\]\)", request.url.params["filter"])
    assert found
    values = re.findall(r'"((?:[^"\\]|\\.)*)"', found[1])
    assert 1 <= len(values) <= 100
    return {value.replace('\\"', '"').replace("\\\\", "\\") for value in values}


def take_off(fake: Fake, folder: Path, *leavers: Any, **more: Any) -> Any:
    ledger = more.pop("ledger", None) or MemoryLedger()
    outcome = remove(fake.client(), work(folder, leavers=leavers, ledger=ledger, **more), Quiet())
    assert {p.state for p in ledger.parts(PartKind.REMOVE)} <= {PartState.COMPLETE}
    assert outcome.done == len(leavers)
    return outcome


def test_leavers_are_looked_up_among_the_members_and_removed_by_id(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["a@b.io"], "B": ["b@b.io"], "C": ["c@b.io"]}, members=["A", "C"])
    take_off(fake, tmp_path, "a@b.io", "b@b.io", "gone@b.io")
    assert people.members == {"C"}
    [request] = fake.asked("DELETE", MEMBERSHIP)
    assert body(request) == {"data": [{"type": "profile", "id": "A"}]}


def test_nobody_else_is_touched_when_all_left_by_themselves(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"C": ["c@b.io"]})
    take_off(fake, tmp_path, "a@b.io")
    assert (people.members, fake.asked("DELETE", MEMBERSHIP)) == ({"C"}, [])


def test_many_leavers_go_in_calls_of_a_thousand_after_look_ups_of_a_hundred(fake: Fake, tmp_path: Path) -> None:
    keys = [f"p{i}@b.io" for i in range(2050)]
    people = People(fake, {f"P{i}": [key] for i, key in enumerate(keys)})
    take_off(fake, tmp_path, *keys[:-1])
    assert people.members == {"P2049"}
    assert sorted(len(body(r)["data"]) for r in fake.asked("DELETE", MEMBERSHIP)) == [49, 1000, 1000]
    assert len(fake.asked("GET", MEMBERS)) == 21


def test_who_is_wanted_under_another_address_stays(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["new@b.io", "old@b.io"], "B": ["b@b.io"]})
    outcome = take_off(fake, tmp_path, "old@b.io", "b@b.io", wanted={"new@b.io"})
    assert people.members == {"A"}
    assert outcome.warnings == ("1 person stays: one of their addresses left the query, another is still in it.",)


def test_a_kept_id_does_not_take_off_who_is_wanted_under_another_address(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    ledger.remember_ids({"old@b.io": "A"})
    people = People(fake, {"A": ["new@b.io", "old@b.io"]})
    take_off(fake, tmp_path, "old@b.io", wanted={"new@b.io"}, ledger=ledger)
    assert people.members == {"A"}


def test_a_secondary_address_that_nobody_wants_leaves(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["new@b.io", "old@b.io"]})
    assert take_off(fake, tmp_path, "old@b.io").warnings == ()
    assert people.members == set()


def test_who_changed_the_address_at_klaviyo_is_found_by_the_kept_id(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    ledger.remember_ids({"old@b.io": "A", "other@b.io": "B"})
    people = People(fake, {"A": ["changed@b.io"], "B": ["wanted@b.io"]})
    take_off(fake, tmp_path, "old@b.io", "other@b.io", wanted={"wanted@b.io"}, ledger=ledger)
    assert people.members == {"B"}


def test_a_kept_id_of_a_merged_profile_is_forgotten_and_the_person_found_anew(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    ledger.remember_ids({"a@b.io": "OLD", "c@b.io": "DEAD"})
    people = People(fake, {"NEW": ["a@b.io"]})
    take_off(fake, tmp_path, "a@b.io", "c@b.io", ledger=ledger)
    assert people.members == set()
    assert "c@b.io" not in ledger.ids


def test_an_id_that_disappears_in_between_is_looked_up_once_more(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["a@b.io"], "B": ["b@b.io"]})

    def merged_now(_: httpx.Request) -> httpx.Response:
        people.profiles = {"MERGED": ["a@b.io"], "B": ["b@b.io"]}
        people.members = {"MERGED", "B"}
        return refused(404, code="not_found")

    fake.on("DELETE", MEMBERSHIP, merged_now, people.delete)
    take_off(fake, tmp_path, "a@b.io", "b@b.io")
    assert people.members == set()


def test_strangers_are_removed_by_id_and_still_so_when_one_of_them_is_gone(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["a@b.io"], "S1": ["s@b.io"], "C": ["c@b.io"]})
    take_off(fake, tmp_path, "a@b.io", ("s@b.io", "S1"), ("", "GONE"))
    assert people.members == {"C"}


def test_a_refusal_that_does_not_end_is_told_and_nothing_is_marked_done(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    People(fake, {"A": ["a@b.io"]})
    fake.on("DELETE", MEMBERSHIP, refused(400))
    with pytest.raises(DestinationError) as failed:
        remove(fake.client(), work(tmp_path, leavers=["a@b.io"], ledger=ledger), Quiet())
    assert failed.value.code == "remove_refused"
    assert [p.state for p in ledger.parts(PartKind.REMOVE)] == [PartState.PLANNED]


def test_a_list_that_is_gone_is_an_error_for_users(fake: Fake, tmp_path: Path) -> None:
    fake.on("GET", MEMBERS, refused(404, code="not_found"))
    with pytest.raises(DestinationError):
        remove(fake.client(), work(tmp_path, leavers=["a@b.io"]), Quiet())


def test_a_second_start_removes_only_what_is_left(fake: Fake, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    People(fake, {"A": ["a@b.io"]})
    some = work(tmp_path, leavers=["a@b.io"], ledger=ledger)
    remove(fake.client(), some, Quiet())
    before = len(fake.requests)
    assert remove(fake.client(), some, Quiet()).done == 1
    assert len(fake.requests) == before


def test_addresses_are_quoted_in_a_filter(fake: Fake, tmp_path: Path) -> None:
    people = People(fake, {"A": ["o'neil+x@b.io"]})
    take_off(fake, tmp_path, "o'neil+x@b.io")
    assert people.members == set()
    assert "%2B" in str(fake.requests[0].url)


def test_all_members_are_read_page_by_page(fake: Fake) -> None:
    pages = [ok([profile("A", " A@b.io ")], after="2"), ok([profile("B", None)])]
    fake.on("GET", MEMBERS, *pages)
    assert list(all_members(fake.client(), "L1")) == [("A", "a@b.io"), ("B", None)]
    assert fake.requests[0].url.params["page[size]"] == "100"


@pytest.mark.parametrize("leaver", ["a@b.io", ("", "A")])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_list_that_is_gone_is_said_so(fake: Fake, tmp_path: Path, method: str, leaver: Any) -> None:
    People(fake, {"A": ["a@b.io"]})
    fake.on("DELETE", MEMBERSHIP, refused(404, code="not_found"))
    if method == "GET":
        fake.on("GET", MEMBERS, refused(404, code="not_found"))
    with pytest.raises(DestinationError) as failed:
        take_off(fake, tmp_path, leaver)
    assert failed.value.code == "list_gone"
    assert failed.value.steps


@pytest.mark.parametrize("read", [lambda c: all_members(c, "L1"), lambda c: find_members(c, "L1", ["a@b.io"])])
def test_members_of_a_list_that_is_gone_cannot_be_read(fake: Fake, read: Any) -> None:
    fake.on("GET", MEMBERS, refused(404, code="not_found"))
    with pytest.raises(DestinationError) as failed:
        list(read(fake.client()))
    assert failed.value.code == "list_gone"


@pytest.mark.parametrize("name", ["a" * 245, "ü" * 120, '\\"' * 40])
def test_a_look_up_of_long_addresses_stays_short(fake: Fake, name: str) -> None:
    keys = [f"{i:03}{name}@b.io" for i in range(250)]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert len(request.url.raw_path) < 7_000
        asked.extend(sorted(_values(request, "email")))
        return ok()

    fake.on("GET", MEMBERS, answer)
    assert list(find_members(fake.client(), "L1", keys)) == []
    assert asked == keys


def test_an_address_that_alone_is_too_long_is_asked_for_alone() -> None:
    long = "a" * 7_000
    assert list(any_of("id", ["x", long, "y"])) == ['any(id,["x"])', f'any(id,["{long}"])', 'any(id,["y"])']
