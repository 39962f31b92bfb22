from __future__ import annotations

import pytest
from emulator_kit import Api, problem, row

from klaviyo_emulator import EmulatorAdmin
from klaviyo_emulator.groups import Members


@pytest.fixture
def vip(api: Api) -> str:
    """A list with three members who joined at 0, 10 and 20 seconds."""
    key = api.create_list("VIP")
    for number, name in enumerate(("ana", "bo", "cy")):
        if number:
            api.admin.advance(10)
        api.run_job([row(f"{name}@shop.io", phone_number=f"+4366012345{number}")], key)
    return key


def people(api: Api, key: str, **query: str) -> list[str]:
    return [one["attributes"]["email"].removesuffix("@shop.io") for one in api.pages(f"/lists/{key}/profiles", **query)]


def ids(api: Api, key: str) -> dict[str, str]:
    return {one["attributes"]["email"]: one["id"] for one in api.pages(f"/lists/{key}/profiles")}


def test_filters_by_identifier(api: Api, vip: str) -> None:
    api.run_job([row("outside@shop.io")])
    assert people(api, vip, filter='equals(email,"BO@shop.io")') == ["bo"]
    assert people(api, vip, filter='any(email,["cy@shop.io","ana@shop.io","outside@shop.io"])') == ["ana", "cy"]
    assert people(api, vip, filter='equals(phone_number,"+43660123450")') == ["ana"]


def test_ranges_of_joining(api: Api, vip: str) -> None:
    times = [one["attributes"]["joined_group_at"] for one in api.pages(f"/lists/{vip}/profiles")]
    assert times[1] == "2026-07-15T10:00:10+00:00"
    assert people(api, vip, filter=f"greater-than(joined_group_at,{times[1]})") == ["cy"]
    assert people(api, vip, filter=f"greater-or-equal(joined_group_at,{times[1]})") == ["bo", "cy"]
    assert people(api, vip, filter=f"less-than(joined_group_at,{times[1]})") == ["ana"]
    assert people(api, vip, filter=f"less-or-equal(joined_group_at,{times[1]})") == ["ana", "bo"]
    between = f"greater-than(joined_group_at,{times[0]}),less-than(joined_group_at,{times[2]})"
    assert people(api, vip, filter=between) == ["bo"]
    assert people(api, vip, filter=f'{between},any(email,["ana@shop.io","bo@shop.io"])') == ["bo"]


def test_order_and_pages(api: Api, vip: str) -> None:
    assert people(api, vip, sort="-joined_group_at", **{"page[size]": "1"}) == ["cy", "bo", "ana"]
    assert people(api, vip, sort="joined_group_at", **{"page[size]": "2"}) == ["ana", "bo", "cy"]
    assert people(api, vip, filter='any(email,["ana@shop.io","cy@shop.io"])', **{"page[size]": "1"}) == ["ana", "cy"]
    assert api.get(f"/lists/{vip}/profiles", **{"page[size]": 101}).status_code == 400
    assert api.get(f"/lists/{vip}/profiles", sort="email").status_code == 400


def test_pages_default_to_twenty(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_members("VIP", [f"p{number}@shop.io" for number in range(101)])
    key = admin.lists()[0]["id"]
    assert len(api.get(f"/lists/{key}/profiles").json()["data"]) == 20
    assert len(api.get(f"/lists/{key}/profiles", **{"page[size]": 100}).json()["data"]) == 100
    assert len(api.pages(f"/lists/{key}/relationships/profiles", **{"page[size]": "100"})) == 101


def test_pages_stay_stable_while_members_come_and_go(api: Api, vip: str, admin: EmulatorAdmin) -> None:
    first = api.get(f"/lists/{vip}/profiles", **{"page[size]": 2}).json()
    admin.remove_members("VIP", ["ana@shop.io"])
    admin.add_members("VIP", ["new@shop.io"])
    second = api.client.get(first["links"]["next"]).json()
    assert [one["attributes"]["email"] for one in second["data"]] == ["cy@shop.io", "new@shop.io"]


def test_add_and_remove_by_id(api: Api, vip: str, admin: EmulatorAdmin) -> None:
    known = ids(api, vip)
    gone = [known["ana@shop.io"], known["bo@shop.io"]]
    answer = api.change_members("DELETE", vip, gone)
    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.emails("VIP") == ["cy@shop.io"]
    assert api.change_members("DELETE", vip, gone).status_code == 204
    assert api.change_members("POST", vip, gone).status_code == 204
    assert api.change_members("POST", vip, gone).status_code == 204
    assert admin.emails("VIP") == ["cy@shop.io", "ana@shop.io", "bo@shop.io"]
    assert admin.profile("ana@shop.io") is not None


def test_a_call_takes_a_thousand_ids(api: Api, vip: str) -> None:
    key = ids(api, vip)["ana@shop.io"]
    assert api.change_members("DELETE", vip, [key] * 1000).status_code == 204
    assert api.change_members("DELETE", vip, [key] * 1001).status_code == 400
    assert api.change_members("POST", vip, []).status_code == 400
    body = {"data": [{"type": "profile", "attributes": {"email": "ana@shop.io"}}]}
    answer = api.send("POST", f"/lists/{vip}/relationships/profiles", body)
    assert problem(answer)["source"] == {"pointer": "/data/0"}


def test_unknown_ids_are_ignored_or_refuse_the_call(api: Api, vip: str, admin: EmulatorAdmin) -> None:
    key = ids(api, vip)["ana@shop.io"]
    admin.settings(unknown_ids="refuse")
    answer = api.change_members("DELETE", vip, [key, "01STALE"])
    assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")
    assert len(admin.emails("VIP")) == 3
    admin.settings(unknown_ids="ignore")
    assert api.change_members("DELETE", vip, [key, "01STALE"]).status_code == 204
    assert admin.emails("VIP") == ["bo@shop.io", "cy@shop.io"]


def test_an_unknown_list_is_404(api: Api) -> None:
    assert api.get("/lists/absent/profiles").status_code == 404
    assert api.change_members("DELETE", "absent", ["x"]).status_code == 404


def test_reads_lag_behind_when_asked_to(api: Api, vip: str, admin: EmulatorAdmin) -> None:
    admin.settings(list_lag=30)
    admin.advance(60)
    known = ids(api, vip)
    api.change_members("DELETE", vip, [known["ana@shop.io"]])
    api.run_job([row("new@shop.io")], vip)
    assert admin.emails("VIP") == ["bo@shop.io", "cy@shop.io", "new@shop.io"]
    assert people(api, vip) == ["ana", "bo", "cy"]
    assert people(api, vip, filter='any(email,["ana@shop.io","new@shop.io"])') == ["ana"]
    count = api.get(f"/lists/{vip}", **{"additional-fields[list]": "profile_count"})
    assert count.json()["data"]["attributes"]["profile_count"] == 3
    admin.advance(30)
    assert people(api, vip) == ["bo", "cy", "new"]


def test_the_count_counts_members_once(api: Api, vip: str, admin: EmulatorAdmin) -> None:
    admin.add_members("VIP", ["ana@shop.io", "new@shop.io"])
    count = api.get(f"/lists/{vip}", **{"additional-fields[list]": "profile_count"})
    assert count.json()["data"]["attributes"]["profile_count"] == 4


def test_the_history_answers_for_any_time() -> None:
    members = Members()
    members.add("a", 1.0)
    members.discard("a", 2.0)
    members.add("a", 3.0)
    assert [members.count(at) for at in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)] == [0, 1, 1, 0, 0, 1]
    assert [members.find("a", at) is not None for at in (1.5, 2.5, 3.5)] == [True, False, True]
    assert len(members) == 1
    assert list(members) == ["a"]
