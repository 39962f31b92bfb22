from __future__ import annotations

import pytest
from emulator_kit import Api, problem

from klaviyo_emulator import EmulatorAdmin

DAY = 86_400


def names(api: Api, **query: str) -> list[str]:
    return [one["attributes"]["name"] for one in api.pages("/lists", **{"sort": "name", **query})]


def test_find_by_name_and_id(api: Api) -> None:
    vip, gold = api.create_list("VIP"), api.create_list("Gold, and more")
    api.create_list("Silver")
    assert names(api, filter='equals(name,"VIP")') == ["VIP"]
    assert names(api, filter='equals(name,"vip")') == []
    assert names(api, filter='any(name,["VIP","Gold, and more"])') == ["Gold, and more", "VIP"]
    assert names(api, filter=f'equals(id,"{vip}")') == ["VIP"]
    assert names(api, filter=f"any(id,['{vip}','{gold}'])") == ["Gold, and more", "VIP"]
    assert names(api, filter=f'any(id,["{vip}","{gold}"]),equals(name,"VIP")') == ["VIP"]


@pytest.mark.parametrize(
    "text",
    ["equals(name,VIP)", "equals(name", 'contains(name,"VIP")', 'equals(city,"Graz")', 'any(name,"VIP")', "junk"],
)
def test_a_bad_filter_names_the_parameter(api: Api, text: str) -> None:
    answer = api.get("/lists", filter=text)
    assert answer.status_code == 400
    assert problem(answer)["source"] == {"parameter": "filter"}


def test_pages_hold_ten(api: Api) -> None:
    for number in range(10):
        api.create_list(f"L{number:02}")
    api.admin.advance(1)
    api.create_list("L10")
    first = api.get("/lists").json()
    assert len(first["data"]) == 10
    assert first["links"]["next"].startswith(str(api.client.base_url))
    assert len(api.client.get(first["links"]["next"]).json()["data"]) == 1
    assert api.get("/lists", **{"page[size]": 11}).status_code == 400
    assert api.get("/lists", **{"page[cursor]": "???"}).status_code == 400
    assert names(api, sort="-name")[0] == "L10"
    assert sorted(names(api)) == [f"L{number:02}" for number in range(11)]


def test_pages_stay_stable_while_lists_come_and_go(api: Api) -> None:
    keys = {name: api.create_list(name) for name in ("A", "B", "C", "D")}
    first = api.get("/lists", sort="name", **{"page[size]": 2}).json()
    api.send("DELETE", f"/lists/{keys['A']}")
    api.create_list("AA")
    second = api.client.get(first["links"]["next"]).json()
    assert [one["attributes"]["name"] for one in second["data"]] == ["C", "D"]


def test_rename_and_delete(api: Api) -> None:
    key = api.create_list("VIP")
    body = {"data": {"type": "list", "id": key, "attributes": {"name": "Gold"}}}
    assert api.send("PATCH", f"/lists/{key}", body).json()["data"]["attributes"]["name"] == "Gold"
    answer = api.send("DELETE", f"/lists/{key}")
    assert (answer.status_code, answer.content) == (204, b"")
    answer = api.get(f"/lists/{key}")
    assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")


def test_opt_in_process(api: Api) -> None:
    key = api.create_list("VIP", opt_in_process="double_opt_in")
    assert api.get(f"/lists/{key}").json()["data"]["attributes"]["opt_in_process"] == "double_opt_in"
    body = {"data": {"type": "list", "attributes": {"name": "X", "opt_in_process": "none"}}}
    assert api.send("POST", "/lists", body).status_code == 400


def test_sparse_fieldsets(api: Api) -> None:
    key = api.create_list("VIP")
    assert api.get(f"/lists/{key}", **{"fields[list]": "name"}).json()["data"]["attributes"] == {"name": "VIP"}


def test_names_may_repeat_unless_told_otherwise(api: Api, admin: EmulatorAdmin) -> None:
    api.create_list("VIP")
    api.create_list("VIP")
    assert len(names(api, filter='equals(name,"VIP")')) == 2
    admin.settings(unique_list_names=True)
    assert api.send("POST", "/lists", {"data": {"type": "list", "attributes": {"name": "VIP"}}}).status_code == 409


def test_the_daily_cap_answers_429_until_the_next_day(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(daily_lists=2, limit_scale=0)
    body = {"data": {"type": "list", "attributes": {"name": "VIP"}}}
    assert [api.send("POST", "/lists", body).status_code for _ in range(3)] == [201, 201, 429]
    admin.advance(3600)
    answer = api.send("POST", "/lists", body)
    assert answer.headers["retry-after"] == str(DAY - 3600)
    assert len(admin.lists()) == 2
    admin.advance(DAY - 3600)
    assert api.send("POST", "/lists", body).status_code == 201


def test_the_cap_on_lists_and_segments_names_the_maximum(api: Api, admin: EmulatorAdmin) -> None:
    assert admin.settings()["max_groups"] == 1000
    assert admin.settings()["daily_lists"] == 150
    admin.settings(max_groups=2)
    admin.seed(segments={"Engaged": []})
    api.create_list("VIP")
    answer = api.send("POST", "/lists", {"data": {"type": "list", "attributes": {"name": "Gold"}}})
    assert answer.status_code == 400
    assert "maximum of 2 lists" in problem(answer)["detail"]
    admin.settings(max_groups=0)
    api.create_list("Gold")


def test_the_daily_429_carries_retry_after_alone(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(daily_lists=1)
    api.create_list("VIP")
    answer = api.send("POST", "/lists", {"data": {"type": "list", "attributes": {"name": "Gold"}}})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(DAY))
    assert "ratelimit-limit" not in answer.headers
