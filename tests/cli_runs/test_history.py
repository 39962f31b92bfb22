"""`segue history`: what became of one person, run by run."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import NAME

OTHERS = [{"email": f"p{i}@mail.shop", "city": "Wien", "tier": "gold"} for i in range(20)]
ADA = {"email": "ada@mail.shop", "first_name": "Ada", "city": "Graz", "tier": "gold"}


@pytest.fixture
def story(shop):
    """Ada is added, changed, cleared, removed; returns the shop and the ids of those runs, oldest first."""
    states: list[list[dict[str, Any]]] = [
        [{**ADA, "email": " Ada@Mail.shop "}],
        [{**ADA, "tier": "silver"}],
        [{**ADA, "tier": None, "city": None}],
        [{**ADA, "tier": None, "city": None}],
        [],
    ]
    ids = []
    for state in states:
        shop.people([*state, *OTHERS])
        ids.append(shop.send()["run_id"])
    return shop, ids


def test_add_change_clear_remove(story):
    shop, (added, changed, cleared, _unchanged, removed) = story
    entries = shop.segue("history", "ada@mail.shop", "--json").json
    assert [entry["run_id"] for entry in entries] == [removed, cleared, changed, added]
    assert [entry["actions"] for entry in entries] == [["removed"], ["cleared"], ["changed"], ["added"]]
    assert [entry["changed"] for entry in entries] == [[], [], ["tier"], []]
    assert [sorted(entry["cleared"]) for entry in entries] == [[], ["city", "tier"], [], []]
    first = {
        "email": "ada@mail.shop",
        "first_name": "Ada",
        "location": {"city": "Graz"},
        "properties": {"tier": "gold"},
    }
    assert entries[3]["payload"] == first
    assert entries[2]["payload"] == {**first, "properties": {"tier": "silver"}}
    assert entries[1]["payload"] == {"email": "ada@mail.shop", "first_name": "Ada"}
    assert entries[0]["payload"] == entries[1]["payload"]
    assert entries[3]["row"] == 1
    assert {(e["orchestration"], e["kind"], e["status"]) for e in entries} == {(NAME, "sync", "completed")}
    assert entries[0]["started_at"] > entries[3]["started_at"]


def test_the_address_may_be_written_as_in_the_data(story):
    shop, _ = story
    assert len(shop.segue("history", "  ADA@mail.SHOP\t", "--json").json) == 4


def test_history_for_people(story):
    shop, ids = story
    result = shop.segue("history", "ada@mail.shop")
    heads = [line.partition("UTC  ")[2] for line in result.out.splitlines() if not line.startswith(" ")]
    assert heads[0::2] == ["removed", "changed tier"]
    assert heads[3] == "added"
    assert heads[1].startswith("cleared ")
    assert f"  run {ids[0]}, {NAME}: completed" in result.out
    assert '"tier": "silver"' in result.out


def test_a_field_that_keeps_its_value(shop):
    shop.apply(nulls="keep")
    shop.people([ADA, *OTHERS])
    shop.send()
    shop.people([{**ADA, "city": None}, *OTHERS])
    run = shop.send()
    assert shop.admin.profile("ada@mail.shop")["location"]["city"] == "Graz"
    newest = shop.segue("history", "ada@mail.shop", "--json").json[0]
    assert (newest["run_id"], newest["actions"], newest["kept"]) == (run["run_id"], ["kept"], ["city"])
    shop.people([{**ADA, "city": None, "tier": "silver"}, *OTHERS])
    shop.send()
    newest = shop.segue("history", "ada@mail.shop", "--json").json[0]
    assert (newest["actions"], newest["changed"], newest["kept"]) == (["changed", "kept"], ["tier"], ["city"])


def test_an_undo_is_part_of_the_history(shop):
    shop.people([ADA, *OTHERS])
    first = shop.send()
    shop.people(OTHERS)
    removing = shop.send()
    assert removing["counts"]["removed"] == 1
    undo = shop.segue("undo", removing["run_id"], "--json").json
    entries = shop.segue("history", "ada@mail.shop", "--json").json
    assert [(e["run_id"], e["kind"], e["actions"]) for e in entries] == [
        (undo["run_id"], "undo", ["added"]),
        (removing["run_id"], "sync", ["removed"]),
        (first["run_id"], "sync", ["added"]),
    ]
    assert entries[0]["payload"]["properties"] == {"tier": "gold"}


def test_rejects_of_a_person(shop):
    shop.people([{**ADA, "phone_number": "call me"}, *OTHERS])
    shop.send()
    [entry] = shop.segue("history", "ada@mail.shop", "--json").json
    assert entry["actions"] == ["added", "rejected"]
    [reject] = entry["rejects"]
    assert (reject["field"], reject["value"], reject["reason"]) == ("phone_number", "call me", "phone_not_e164")
    assert "phone_number" not in entry["payload"]


def test_a_person_whom_klaviyo_refused(shop):
    shop.people([{**ADA, "email": "zoë@mail.shop"}, *OTHERS])
    shop.send()
    [entry] = shop.segue("history", "ZOË@mail.shop", "--json").json
    assert entry["actions"] == ["rejected"]
    assert entry["payload"]["properties"] == {"tier": "gold"}
    assert [(r["source"], r["detail"]) for r in entry["rejects"]] == [("klaviyo", "Invalid email address")]
    assert "klaviyo rejected email zoë@mail.shop" in shop.segue("history", "zoë@mail.shop").out


def test_a_text_that_is_no_address_finds_who_rejected_it(shop):
    shop.people([{"email": " No-Address "}, *OTHERS])
    run = shop.send()
    [entry] = shop.segue("history", "no-address", "--json").json
    assert (entry["run_id"], entry["actions"]) == (run["run_id"], ["rejected"])
    assert entry["rejects"][0]["reason"] == "email_malformed"


def test_many_runs_are_all_remembered(shop):
    """More than are kept apart in the snapshot: the baseline is folded, the history is not."""
    for turn in range(11):
        shop.people([{**ADA, "points": turn}, *OTHERS])
        shop.send()
    entries = shop.segue("history", "ada@mail.shop", "--json").json
    assert [e["payload"]["properties"]["points"] for e in entries] == list(range(10, -1, -1))
    assert [e["actions"] for e in entries] == [["changed"]] * 10 + [["added"]]


def test_somebody_unknown(shop):
    result = shop.segue("history", "o'brien@mail.shop")
    assert (result.code, result.out, result.err) == (0, "", "no run has met this address\n")
    assert shop.segue("history", "o'brien@mail.shop", "--json").json == []
