"""The audience list is found or made: klaviyo-api.md, section 3."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from segue.destinations.contract import TargetList
from segue.destinations.klaviyo.account import find_account, missing_rights
from segue.destinations.klaviyo.lists import find_list, list_names, make_list
from segue.errors import CredentialError, DestinationError
from tests.destinations.fake import JOBS, KEY, Fake, body, ok, refused

LISTS = "/api/lists"


def entry(identifier: str, name: str, count: int | None = None) -> dict[str, Any]:
    return {"type": "list", "id": identifier, "attributes": {"name": name, "profile_count": count}}


def test_a_list_is_found_by_its_stored_id(fake: Fake) -> None:
    fake.on("GET", f"{LISTS}/L9", ok(entry("L9", "Renamed by hand", 12)))
    assert find_list(fake.client(), "VIP", "L9") == TargetList(id="L9", name="VIP", members=12)
    assert fake.requests[0].url.params["additional-fields[list]"] == "profile_count"


def test_a_list_whose_id_is_gone_is_found_by_name(fake: Fake) -> None:
    fake.on("GET", f"{LISTS}/L9", refused(404, code="not_found"))
    fake.on("GET", LISTS, ok([entry("L2", "VIP")]))
    fake.on("GET", f"{LISTS}/L2", ok(entry("L2", "VIP", 3)))
    assert find_list(fake.client(), "VIP", "L9") == TargetList(id="L2", name="VIP", members=3)


def test_names_are_quoted_and_compared_exactly(fake: Fake) -> None:
    name = 'The "best" \\ VIP'
    fake.on("GET", LISTS, ok([entry("L1", name.lower()), entry("L2", name + " ")]))
    assert find_list(fake.client(), name, None) == TargetList(id=None, name=name)
    assert fake.requests[0].url.params["filter"] == 'equals(name,"The \\"best\\" \\\\ VIP")'
    assert fake.requests[0].url.params["page[size]"] == "10"


def test_two_lists_of_one_name_are_not_guessed_at(fake: Fake) -> None:
    fake.on("GET", LISTS, ok([entry("L1", "VIP")], after="2"), ok([entry("L2", "VIP")]))
    with pytest.raises(DestinationError, match=r"2 lists named .VIP. \(L1, L2\)") as failed:
        find_list(fake.client(), "VIP", None)
    assert failed.value.code == "list_ambiguous"


def test_a_list_is_made_once(fake: Fake) -> None:
    fake.on("POST", LISTS, ok(entry("L1", "VIP"), status=201))
    assert make_list(fake.client(), "VIP") == TargetList(id="L1", name="VIP", created=True, members=0)
    assert body(fake.requests[0]) == {"data": {"type": "list", "attributes": {"name": "VIP"}}}


def test_a_create_whose_answer_was_lost_is_looked_up(fake: Fake) -> None:
    fake.on("POST", LISTS, httpx.Response(504), ok(entry("L2", "VIP"), status=201))
    fake.on("GET", LISTS, ok([entry("L1", "VIP")]))
    assert make_list(fake.client(), "VIP").id == "L1"
    assert len(fake.asked("POST", LISTS)) == 1


def test_a_create_that_did_not_arrive_is_repeated(fake: Fake) -> None:
    fake.on("POST", LISTS, httpx.Response(503), ok(entry("L2", "VIP"), status=201))
    fake.on("GET", LISTS, ok([]))
    assert make_list(fake.client(), "VIP").id == "L2"


@pytest.mark.parametrize("status", [400, 403, 409])
def test_the_most_lists_an_account_may_have(fake: Fake, status: int) -> None:
    fake.on("POST", LISTS, refused(status, detail="You have reached the maximum number of lists and segments."))
    with pytest.raises(DestinationError, match="1,000") as failed:
        make_list(fake.client(), "VIP")
    assert failed.value.code == "maximum_lists"
    assert "maximum number" in failed.value.cause


def test_the_lists_of_a_day_are_used_up(fake: Fake) -> None:
    fake.on("POST", LISTS, refused(429, headers={"retry-after": "30000"}))
    with pytest.raises(DestinationError, match="8 h 20 min") as failed:
        make_list(fake.client(), "VIP")
    assert (failed.value.code, fake.waits) == ("list_daily_cap", [])


def test_any_other_refusal_of_a_list_is_told(fake: Fake) -> None:
    fake.on("POST", LISTS, refused(400, "/data/attributes/name"))
    with pytest.raises(DestinationError) as failed:
        make_list(fake.client(), "VIP")
    assert failed.value.code == "list_refused"


def test_a_missing_scope_to_make_lists_is_a_credential_error(fake: Fake) -> None:
    fake.on("POST", LISTS, refused(403, code="permission_denied", detail="Missing scope."))
    with pytest.raises(CredentialError, match="lists:write"):
        make_list(fake.client(), "VIP")


def test_an_account_is_known_by_its_id_and_organisation(fake: Fake) -> None:
    attributes = {"contact_information": {"organization_name": "Shop"}}
    fake.on("GET", "/api/accounts", ok([{"type": "account", "id": "AbC123", "attributes": attributes}]))
    account = find_account(fake.client())
    assert (account.id, account.name, account.note) == ("AbC123", "Shop", "")


def test_a_key_that_may_not_read_accounts_is_known_by_a_mark_that_does_not_show_it(fake: Fake) -> None:
    fake.on("GET", "/api/accounts", refused(403))
    account = find_account(fake.client())
    assert account.id == find_account(fake.client()).id
    assert KEY not in account.id + account.note
    assert "accounts:read" in account.note


def test_rights_are_tried_without_writing(fake: Fake) -> None:
    fake.on("GET", LISTS, refused(403))
    fake.on("GET", "/api/profiles", ok([]))
    fake.on("GET", JOBS, ok([]))
    fake.on("POST", JOBS, refused(400, "/data/attributes/profiles/data"))
    [missing] = missing_rights(fake.client())
    assert "lists:read" in missing
    [probe] = fake.asked("POST", JOBS)
    assert body(probe)["data"]["attributes"]["profiles"]["data"] == []


def test_a_refused_key_is_no_missing_right(fake: Fake) -> None:
    fake.on("GET", LISTS, refused(401))
    with pytest.raises(CredentialError):
        missing_rights(fake.client())


def test_names_to_choose_from_are_those_of_the_lists_that_changed_last(fake: Fake) -> None:
    fake.on(
        "GET",
        LISTS,
        ok([entry("L1", "VIP"), entry("L2", "Autumn")], after="2"),
        ok([entry("L3", "VIP"), entry("L4", "b")]),
    )
    assert list_names(fake.client()) == ("Autumn", "VIP", "b")
    assert fake.requests[0].url.params["sort"] == "-updated"


def test_an_account_with_very_many_lists_is_not_read_to_its_end(fake: Fake) -> None:
    pages = iter(range(1_000))

    def page(_request: httpx.Request) -> httpx.Response:
        number = next(pages)
        return ok([entry(f"L{number}{i}", f"List {number}{i}") for i in range(10)], after=str(number + 1))

    fake.on("GET", LISTS, page)
    assert len(list_names(fake.client())) == 300
    assert len(fake.asked("GET", LISTS)) == 30
