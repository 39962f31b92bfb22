"""The main job: after a run the list at Klaviyo has exactly the people of the query, with the query's columns."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from segue.errors import UsageError
from segue.workflow.status import RunStatus

from .shop import NAME, Shop

ANA = {
    "email": "ana@mail.shop",
    "first_name": "Ana",
    "phone_number": "+4366412345678",
    "external_id": "c-1",
    "city": "Graz",
    "tier": "gold",
    "points": 7,
}
BO = {"email": "bo@mail.shop", "first_name": "Bo", "city": "Wien", "tier": "blue", "points": 0}
CY = {"email": "cy@mail.shop", "first_name": "Cy"}

JOBS = "POST /api/profile-bulk-import-jobs"
ONE_BY_ONE = "POST /api/profile-import"
REMOVES = "DELETE /api/lists/{id}/relationships/profiles"


def person(shop: Shop, email: str) -> dict[str, Any]:
    return shop.profile(email)


def test_first_run_makes_the_list_and_fills_it(shop: Shop) -> None:
    shop.people([ANA, BO])
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert run.list_created
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}
    ana = person(shop, "ana@mail.shop")
    assert ana["first_name"] == "Ana"
    assert ana["phone_number"] == "+4366412345678"
    assert ana["external_id"] == "c-1"
    assert ana["location"]["city"] == "Graz"
    assert ana["properties"] == {"tier": "gold", "points": 7}
    assert dict(run.counts) == {
        "source": 2,
        "duplicates": 0,
        "rejected": 0,
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "cleared": 0,
        "unset": 2,
        "removed": 0,
        "warned": 0,
    }


def test_email_only_sends_nothing_but_the_email(shop: Shop) -> None:
    shop.configure(use_full_profile=False)
    shop.people([ANA])
    shop.run()
    ana = person(shop, "ana@mail.shop")
    assert shop.members() == {"ana@mail.shop"}
    assert ana["first_name"] is None
    assert ana["properties"] == {}


def test_a_run_without_changes_writes_nothing(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.run()
    before = shop.calls()
    run = shop.run()
    after = shop.calls()
    assert run.counts["unchanged"] == 2
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        "GET /api/accounts": 1,
        "GET /api/lists/{id}": 1,
    }


def test_changes_clears_and_removes_arrive(shop: Shop) -> None:
    shop.people([ANA, BO, CY])
    shop.run()
    # Ana: a custom property and a location field became NULL; Bo changed; Cy left; Di is new.
    shop.people(
        [{**ANA, "tier": None, "city": None}, {**BO, "points": 5}, {"email": "di@mail.shop", "first_name": "Di"}]
    )
    shop.configure(max_remove_share=0.5, max_clear_share=0.5)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, (run.error, run.warnings)
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "di@mail.shop"}
    ana = person(shop, "ana@mail.shop")
    assert "tier" not in ana["properties"]
    assert ana["location"]["city"] is None
    assert ana["first_name"] == "Ana"
    assert ana["phone_number"] == "+4366412345678"
    assert person(shop, "bo@mail.shop")["properties"] == {"tier": "blue", "points": 5}
    assert shop.calls()[ONE_BY_ONE] == 1
    assert (run.counts["added"], run.counts["changed"], run.counts["cleared"], run.counts["removed"]) == (1, 2, 1, 1)
    # Who left is still a profile, subscribed as before: leaving a list is all that happened.
    assert person(shop, "cy@mail.shop")["first_name"] == "Cy"


def test_an_identifier_is_never_cleared_unasked(shop: Shop) -> None:
    shop.people([ANA])
    shop.run()
    shop.people([{**ANA, "phone_number": None, "external_id": None, "points": 8}])
    run = shop.run()
    ana = person(shop, "ana@mail.shop")
    assert (ana["phone_number"], ana["external_id"]) == ("+4366412345678", "c-1")
    assert any("phone_number" in warning for warning in run.warnings)
    shop.configure(clear_identifiers=True, max_clear_share=1.0)
    shop.run()
    ana = person(shop, "ana@mail.shop")
    assert (ana["phone_number"], ana["external_id"]) == (None, None)


def test_nulls_kept_are_cleared_when_the_template_says_so_later(shop: Shop) -> None:
    shop.configure(nulls="keep")
    shop.people([ANA])
    shop.run()
    shop.people([{**ANA, "tier": None, "city": None}])
    shop.run()
    assert person(shop, "ana@mail.shop")["properties"]["tier"] == "gold"
    shop.configure(nulls="clear", max_clear_share=1.0)
    shop.run()
    ana = person(shop, "ana@mail.shop")
    assert "tier" not in ana["properties"]
    assert ana["location"]["city"] is None


def test_people_that_others_added_stay(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.run()
    shop.admin.add_members("People", ["friend@else.shop"])
    shop.people([ANA])
    shop.configure(max_remove_share=0.6)
    assert shop.plan().others == 1
    shop.run()
    assert shop.members() == {"ana@mail.shop", "friend@else.shop"}


def test_a_list_that_segue_owns_has_the_query_and_nobody_else(shop: Shop) -> None:
    shop.admin.seed(lists={"People": ["friend@else.shop", "ana@mail.shop"]})
    shop.people([ANA])
    shop.configure(own_whole_list=True)
    refused = shop.run()
    assert refused.error is not None
    assert refused.error["code"] == "fuse_blown"
    assert shop.members() == {"ana@mail.shop", "friend@else.shop"}
    run = shop.run(allowed=["max_remove_share"])
    assert run.status is RunStatus.COMPLETED, run.error
    assert shop.members() == {"ana@mail.shop"}


def test_an_owned_list_keeps_who_answers_to_a_wanted_address(shop: Shop) -> None:
    shop.admin.seed(lists={"People": ["friend@else.shop", "nobody@else.shop"]}, profiles=[{"email": "ana@mail.shop"}])
    shop.admin.merge("ana@mail.shop", "friend@else.shop")
    shop.people([ANA, BO])
    shop.configure(own_whole_list=True, max_remove_share=1.0)
    shop.run()
    members = shop.members()
    assert "friend@else.shop" in members or "ana@mail.shop" in members
    assert "nobody@else.shop" not in members
    assert "bo@mail.shop" in members


@pytest.mark.parametrize(
    ("rows", "fuse"),
    [([], "allow_empty"), ([ANA], "max_remove_share"), ([ANA, BO, CY, {"email": "broken"}], "max_reject_share")],
)
def test_fuses_stop_a_run_before_its_first_write(shop: Shop, rows: list[dict[str, Any]], fuse: str) -> None:
    shop.people([ANA, BO, CY])
    shop.run()
    before = shop.calls()
    shop.people(rows)
    run = shop.run()
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error["code"] == "fuse_blown"
    assert fuse in run.error["cause"]
    after = shop.calls()
    assert {n for n in after if after[n] != before.get(n, 0)} == {"GET /api/accounts", "GET /api/lists/{id}"}
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "cy@mail.shop"}
    if fuse == "max_remove_share":
        allowed = shop.run(allowed=[fuse])
        assert allowed.status is RunStatus.COMPLETED
        assert shop.members() == {"ana@mail.shop"}


def test_a_plan_sends_nothing_and_holds_until_the_data_move(shop: Shop) -> None:
    shop.people([ANA, BO, {"email": "no address"}])
    shop.configure(max_reject_share=0.5)
    made = shop.plan()
    assert (made.source, made.added, made.rejected, made.problems) == (3, 2, 1, {"email_malformed": 1})
    assert shop.admin.lists() == []
    shop.people([ANA, BO, CY, {"email": "no address"}])
    run = shop.run(plan_id=made.id)
    assert run.error is not None
    assert run.error["code"] == "plan_outdated"
    assert shop.admin.lists() == []
    again = shop.run(plan_id=shop.plan().id)
    assert again.status is RunStatus.WARNINGS
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "cy@mail.shop"}


def test_a_test_send_adds_that_many_and_removes_nobody(shop: Shop) -> None:
    shop.generate(50)
    shop.configure(max_rows=10)
    run = shop.run()
    assert len(shop.members()) == 10
    assert (run.counts["added"], run.counts["warned"]) == (10, 40)
    shop.configure(max_rows=None)
    shop.run()
    assert len(shop.members()) == 50


def test_a_refused_row_keeps_its_person_on_the_list(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.run()
    shop.change("UPDATE People SET tier = repeat('x', 120000) WHERE email = 'bo@mail.shop'")
    shop.configure(max_reject_share=1.0)
    run = shop.run()
    assert run.counts["rejected"] == 1
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}


def test_another_list_name_leaves_the_old_list_alone(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.run()
    shop.configure(list_name="Others")
    run = shop.run()
    assert shop.members("Others") == {"ana@mail.shop", "bo@mail.shop"}
    assert shop.members("People") == {"ana@mail.shop", "bo@mail.shop"}
    assert run.counts["added"] == 2


def test_a_deleted_list_is_made_and_filled_again(shop: Shop) -> None:
    shop.people([ANA, BO])
    first = shop.run()
    shop.admin.reset()
    run = shop.run()
    assert run.list_id != first.list_id or run.list_created
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}


def test_two_lists_of_one_name_are_refused(shop: Shop) -> None:
    headers = {"authorization": "Klaviyo-API-Key pk_test", "revision": "2026-07-15"}
    for _ in range(2):
        body = {"data": {"type": "list", "attributes": {"name": "People"}}}
        assert httpx.post(f"{shop.emulator.url}/api/lists", headers=headers, json=body).status_code == 201
    shop.people([ANA])
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "list_ambiguous"
    assert all(entry["id"] in run.error["message"] for entry in shop.admin.lists())


def test_undo_puts_the_membership_back(shop: Shop) -> None:
    shop.people([ANA, BO, CY])
    shop.run()
    shop.people([ANA, {**BO, "points": 99}, {"email": "di@mail.shop"}])
    shop.configure(max_remove_share=0.5)
    second = shop.run()
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "di@mail.shop"}
    undone = shop.undo(second.id)
    assert undone.status is RunStatus.WARNINGS, undone.error
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "cy@mail.shop"}
    assert any("the fields that the run changed" in warning for warning in undone.warnings)
    with pytest.raises(UsageError, match=f"Run {second.id} was already undone by run {undone.id}") as refused:
        shop.undo(second.id)
    assert refused.value.code == "already_undone"
    # The baseline went back too: the same query does the same again.
    third = shop.run()
    assert (third.counts["added"], third.counts["removed"]) == (1, 1)
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "di@mail.shop"}


def test_many_runs_stay_true(shop: Shop) -> None:
    shop.generate(300)
    shop.configure(max_remove_share=1.0, max_clear_share=1.0)
    shop.run()
    for turn in range(12):
        shop.change(f"DELETE FROM People WHERE points % 13 = {turn}")
        shop.change(f"INSERT INTO People (email, points) VALUES ('new{turn}@mail.shop', {1000 + turn})")
        shop.change(f"UPDATE People SET tier = 't{turn}' WHERE points % 7 = {turn % 7}")
        run = shop.run()
        assert run.status is RunStatus.COMPLETED, (run.error, run.warnings)
    wanted = {f"p{i}@mail.shop" for i in range(300) if i % 13 == 12} | {f"new{t}@mail.shop" for t in range(12)}
    assert shop.members() == wanted


def test_the_name_is_looked_up(shop: Shop) -> None:
    done = shop.command("run", "Poeple to Klaviyo", "--json")
    assert done.returncode == 2
    assert NAME in done.stderr


def test_people_who_share_a_phone_are_both_members_and_one_has_it(shop: Shop) -> None:
    phone = "+4366412345678"
    shop.people([{**BO, "phone_number": phone}, {**ANA, "external_id": None}, CY])
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop", "cy@mail.shop"}
    assert (person(shop, "ana@mail.shop")["phone_number"], person(shop, "bo@mail.shop")["phone_number"]) == (
        phone,
        None,
    )
    assert shop.run().counts["unchanged"] == 3
    # Al comes before Ana in the alphabet, but Ana has the number at Klaviyo: it stays hers.
    shop.people(
        [
            {**BO, "phone_number": phone},
            {**ANA, "external_id": None},
            CY,
            {"email": "al@mail.shop", "phone_number": phone},
        ]
    )
    run = shop.run()
    assert (run.counts["added"], run.counts["unchanged"]) == (1, 3)
    assert len(shop.members()) == 4
    assert person(shop, "ana@mail.shop")["phone_number"] == phone
    assert person(shop, "al@mail.shop")["phone_number"] is None
    # Going without is no NULL: it clears nothing, even where identifiers may be cleared.
    shop.configure(clear_identifiers=True, max_clear_share=1.0)
    assert shop.run().counts["cleared"] == 0
