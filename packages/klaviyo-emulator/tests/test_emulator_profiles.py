from __future__ import annotations

from typing import Any

import pytest
from emulator_kit import Api, problem, row

from klaviyo_emulator import EmulatorAdmin
from klaviyo_emulator.validation import valid_email, valid_phone


def create(api: Api, **attributes: Any) -> str:
    answer = api.send("POST", "/profiles", {"data": {"type": "profile", "attributes": attributes}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])


def stored(api: Api, key: str) -> dict[str, Any]:
    attributes: dict[str, Any] = api.get(f"/profiles/{key}").json()["data"]["attributes"]
    return attributes


def emails(api: Api, **query: str) -> list[str]:
    return [one["attributes"]["email"] for one in api.pages("/profiles", **query)]


def test_create_and_read(api: Api) -> None:
    key = create(api, email="ana@shop.io", location={"city": "Graz"}, properties={"tier": "gold"})
    attributes = stored(api, key)
    assert attributes["email"] == "ana@shop.io"
    assert attributes["first_name"] is None
    assert attributes["location"]["city"] == "Graz"
    assert attributes["properties"] == {"tier": "gold"}
    assert attributes["created"] == "2026-07-15T10:00:00+00:00"
    assert "subscriptions" not in attributes
    assert len(key) == 26
    assert api.get("/profiles/absent").status_code == 404


def test_addresses_are_one_identity_whatever_their_case(api: Api) -> None:
    key = create(api, email="  Ana@Shop.IO ")
    assert stored(api, key)["email"] == "ana@shop.io"
    answer = api.import_profile({"email": "ANA@shop.io", "title": "Dr"})
    assert (answer.status_code, answer.json()["data"]["id"]) == (200, key)
    assert emails(api, filter='equals(email,"aNa@sHop.io")') == ["ana@shop.io"]


def test_a_second_profile_is_409_with_the_id_of_the_first(api: Api) -> None:
    key = create(api, email="ana@shop.io", phone_number="+43660123456", external_id="A1")
    for attributes in ({"email": "ANA@shop.io"}, {"phone_number": "+43660123456"}, {"external_id": "A1"}):
        answer = api.send("POST", "/profiles", {"data": {"type": "profile", "attributes": attributes}})
        error = problem(answer)
        assert (answer.status_code, error["code"], error["title"]) == (409, "duplicate_profile", "Conflict.")
        assert error["source"] == {"pointer": "/data/attributes"}
        assert error["meta"] == {"duplicate_profile_id": key}


def test_an_identifier_of_somebody_else_is_409_on_patch_and_import(api: Api) -> None:
    ana, bo = create(api, email="ana@shop.io"), create(api, email="bo@shop.io", phone_number="+43660123456")
    for answer in (
        api.patch_profile(ana, {"phone_number": "+43660123456", "title": "Dr"}),
        api.import_profile({"email": "ana@shop.io", "phone_number": "+43660123456", "title": "Dr"}),
    ):
        assert (answer.status_code, problem(answer)["meta"]) == (409, {"duplicate_profile_id": bo})
    assert stored(api, ana)["title"] is None
    assert api.import_profile({"email": "ana@shop.io", "title": "Dr"}).status_code == 200


def test_import_creates_then_updates(api: Api) -> None:
    first = api.import_profile({"email": "ana@shop.io"})
    key = first.json()["data"]["id"]
    assert first.status_code == 201
    assert api.import_profile({"email": "ana@shop.io", "external_id": "A1"}).status_code == 200
    assert api.import_profile({"external_id": "A1", "title": "Dr"}).json()["data"]["id"] == key
    assert api.import_profile({"email": "new@shop.io"}, id=key).json()["data"]["attributes"]["email"] == "new@shop.io"
    assert api.import_profile({"email": "x@shop.io"}, id="absent").status_code == 404
    assert emails(api, filter='equals(email,"ana@shop.io")') == []


def test_absent_leaves_alone_and_null_clears(api: Api) -> None:
    full = {
        "email": "ana@shop.io",
        "first_name": "Ana",
        "title": "Dr",
        "location": {"city": "Graz", "zip": "8010"},
        "properties": {"tier": "gold", "score": 5},
    }
    for write in ("patch", "import"):
        key = api.import_profile(full).json()["data"]["id"]
        change = {"title": None, "location": {"zip": None}, "properties": {"score": None, "new": [1]}}
        by_email = {"email": "ana@shop.io", **change}
        answer = api.patch_profile(key, change) if write == "patch" else api.import_profile(by_email)
        assert answer.status_code == 200
        attributes = stored(api, key)
        assert (attributes["first_name"], attributes["title"]) == ("Ana", None)
        assert (attributes["location"]["city"], attributes["location"]["zip"]) == ("Graz", None)
        assert attributes["properties"] == {"tier": "gold", "new": [1]}


def test_a_profile_keeps_one_identifier(api: Api) -> None:
    key = create(api, email="ana@shop.io", external_id="A1")
    assert api.patch_profile(key, {"external_id": None}).status_code == 200
    answer = api.patch_profile(key, {"email": None})
    assert (answer.status_code, problem(answer)["source"]) == (400, {"pointer": "/data/attributes"})
    assert api.import_profile({"first_name": "Nobody"}).status_code == 400
    assert api.import_profile({"external_id": "A1"}).status_code == 201


def test_patch_properties(api: Api) -> None:
    key = create(api, email="ana@shop.io", title="Dr", properties={"tags": ["a", "b"], "old": 1, "kept": 2})
    meta = {
        "patch_properties": {"append": {"tags": ["b", "c"], "more": "x"}, "unappend": {"tags": "a"}, "unset": "old"}
    }
    assert api.patch_profile(key, {}, meta=meta).status_code == 200
    assert stored(api, key)["properties"] == {"tags": ["b", "c"], "more": ["x"], "kept": 2}
    assert api.patch_profile(key, {}, meta={"patch_properties": {"unset": ["kept", "title"]}}).status_code == 200
    assert "kept" not in stored(api, key)["properties"]
    assert stored(api, key)["title"] == "Dr"
    answer = api.patch_profile(key, {}, meta={"patch_properties": {"unset": {"kept": 1}}})
    assert problem(answer)["source"] == {"pointer": "/data/attributes/meta/patch_properties/unset"}


def test_unset_of_standard_fields_is_a_setting(api: Api, admin: EmulatorAdmin) -> None:
    key = create(api, email="ana@shop.io", title="Dr", location={"city": "Graz"})
    admin.settings(unset="all")
    api.patch_profile(key, {}, meta={"patch_properties": {"unset": ["title", "city"]}})
    assert stored(api, key)["title"] is None
    assert stored(api, key)["location"]["city"] is None


def test_long_external_ids_are_cut_silently(api: Api) -> None:
    key = create(api, external_id="x" * 64 + "first")
    assert stored(api, key)["external_id"] == "x" * 64
    assert api.import_profile({"external_id": "x" * 64 + "second"}).json()["data"]["id"] == key


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"email": "nobody"}, "/data/attributes/email"),
        ({"phone_number": "0660123456", "email": "a@b.io"}, "/data/attributes/phone_number"),
        ({"email": "a@b.io", "first_name": 5}, "/data/attributes/first_name"),
        ({"email": "a@b.io", "subscriptions": {}}, "/data/attributes/subscriptions"),
        ({"email": "a@b.io", "location": {"street": "x"}}, "/data/attributes/location/street"),
        ({"email": "a@b.io", "location": {"latitude": True}}, "/data/attributes/location/latitude"),
        ({"email": "a@b.io", "location": "Graz"}, "/data/attributes/location"),
        ({"email": "a@b.io", "properties": ["x"]}, "/data/attributes/properties"),
    ],
)
def test_invalid_values_are_named(api: Api, attributes: dict[str, Any], pointer: str) -> None:
    for answer in (
        api.import_profile(attributes),
        api.send("POST", "/profiles", {"data": {"type": "profile", "attributes": attributes}}),
    ):
        assert answer.status_code == 400
        assert (problem(answer)["code"], problem(answer)["source"]) == ("invalid", {"pointer": pointer})


def test_create_takes_neither_id_nor_meta(api: Api) -> None:
    extras: tuple[dict[str, Any], ...] = ({"id": "x"}, {"meta": {"patch_properties": {}}})
    for extra in extras:
        body = {"data": {"type": "profile", "attributes": {"email": "a@b.io"}, **extra}}
        assert api.send("POST", "/profiles", body).status_code == 400


def test_a_profile_call_takes_100_kilobytes(api: Api) -> None:
    assert api.import_profile({"email": "a@b.io", "properties": {"x": "y" * 99_000}}).status_code == 201
    assert api.import_profile({"email": "a@b.io", "properties": {"x": "y" * 100_000}}).status_code == 413


def test_find_by_identifiers(api: Api, admin: EmulatorAdmin) -> None:
    ana = create(api, email="ana@shop.io", phone_number="+43660123456", external_id="A1")
    bo = create(api, email="bo@shop.io")
    assert emails(api, filter='any(email,["bo@shop.io","ANA@shop.io","no@shop.io"])') == ["ana@shop.io", "bo@shop.io"]
    assert emails(api, filter='equals(phone_number,"+43660123456")') == ["ana@shop.io"]
    assert emails(api, filter='any(external_id,["A1"])') == ["ana@shop.io"]
    assert emails(api, filter=f'any(id,["{ana}","{bo}"])') == ["ana@shop.io", "bo@shop.io"]
    assert emails(api, filter=f'equals(id,"{ana}"),equals(email,"bo@shop.io")') == []
    assert api.get("/profiles", filter="equals(email,ana@shop.io)").status_code == 400


def test_any_takes_a_hundred_values(api: Api, admin: EmulatorAdmin) -> None:
    def any_of(count: int) -> str:
        return "any(email,[" + ",".join(f'"p{number}@shop.io"' for number in range(count)) + "])"

    assert api.get("/profiles", filter=any_of(100)).status_code == 200
    assert api.get("/profiles", filter=any_of(101)).status_code == 400
    admin.settings(max_any_values=0)
    assert api.get("/profiles", filter=any_of(101)).status_code == 200


def test_sparse_fieldsets_and_consent(api: Api) -> None:
    create(api, email="ana@shop.io", title="Dr")
    (one,) = api.pages("/profiles", **{"fields[profile]": "email,title"})
    assert one["attributes"] == {"email": "ana@shop.io", "title": "Dr"}
    (one,) = api.pages("/profiles", **{"fields[profile]": "email", "additional-fields[profile]": "subscriptions"})
    assert one["attributes"]["subscriptions"]["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"


def test_pages_and_order(api: Api, admin: EmulatorAdmin) -> None:
    for number in (2, 0, 1):
        create(api, email=f"p{number}@shop.io")
        admin.advance(1)
    assert emails(api, **{"page[size]": "1"}) == ["p2@shop.io", "p0@shop.io", "p1@shop.io"]
    assert emails(api, sort="-id", **{"page[size]": "2"}) == ["p1@shop.io", "p0@shop.io", "p2@shop.io"]
    assert emails(api, sort="email", **{"page[size]": "1"}) == ["p0@shop.io", "p1@shop.io", "p2@shop.io"]
    assert emails(api, filter="greater-than(created,2026-07-15T10:00:00Z)") == ["p0@shop.io", "p1@shop.io"]
    assert emails(api, filter="less-than(updated,2026-07-15T10:00:01Z)") == ["p2@shop.io"]
    assert api.get("/profiles", **{"page[size]": 101}).status_code == 400
    first = api.get("/profiles", **{"page[size]": 2}).json()
    admin.delete_profile("p2@shop.io")
    create(api, email="p9@shop.io")
    second = api.client.get(first["links"]["next"]).json()
    assert [one["attributes"]["email"] for one in second["data"]] == ["p1@shop.io", "p9@shop.io"]


def test_merging_makes_an_id_stale_and_keeps_the_rest(api: Api, admin: EmulatorAdmin) -> None:
    ana = create(api, email="ana@shop.io", properties={"a": 1, "both": "ana"})
    other = create(api, email="ana@work.io", phone_number="+43660123456", properties={"b": 2, "both": "other"})
    key = api.create_list("VIP")
    api.change_members("POST", key, [other])
    stays = admin.merge(other, ana)
    assert stays["aliases"] == ["ana@work.io"]
    assert api.patch_profile(other, {"title": "Dr"}).status_code == 404
    attributes = stored(api, ana)
    assert (attributes["email"], attributes["phone_number"]) == ("ana@shop.io", "+43660123456")
    assert attributes["properties"] == {"a": 1, "b": 2, "both": "ana"}
    assert admin.emails("VIP") == ["ana@shop.io"]
    assert emails(api, filter='equals(email,"ana@work.io")') == ["ana@shop.io"]
    assert api.import_profile({"email": "ana@work.io", "title": "Dr"}).json()["data"]["id"] == ana
    assert stored(api, ana)["email"] == "ana@shop.io"


def test_two_addresses_of_one_person_fill_a_list_once(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    meta = {"patch_identifiers": {"append": {"email": ["ana@work.io"]}}}
    assert api.import_profile({"email": "ana@shop.io"}, meta=meta).status_code == 201
    api.run_job([row("ana@shop.io"), row("ana@work.io"), row("bo@shop.io")], key)
    assert admin.emails("VIP") == ["ana@shop.io", "bo@shop.io"]
    meta = {"patch_identifiers": {"unappend": {"email": ["ana@work.io"]}}}
    assert api.import_profile({"email": "ana@shop.io"}, meta=meta).status_code == 200
    assert admin.profile("ana@work.io") is None


def test_include_lists_needs_the_scope_and_its_own_quota(api: Api, admin: EmulatorAdmin) -> None:
    key = create(api, email="ana@shop.io")
    admin.add_members("VIP", ["ana@shop.io"])
    answer = api.get(f"/profiles/{key}", include="lists")
    assert [one["attributes"]["name"] for one in answer.json()["included"]] == ["VIP"]
    assert api.get(f"/profiles/{key}", include="lists").status_code == 429
    admin.advance(1)
    admin.add_key("pk_profiles", scopes=["profiles:read"])
    api.client.headers["authorization"] = "Klaviyo-API-Key pk_profiles"
    assert api.get(f"/profiles/{key}", include="lists").status_code == 403


@pytest.mark.parametrize(
    "text", ["a@b.io", "first.last+tag@sub.example-shop.co.uk", "o'neil@shop.io", " Ana@Shop.IO ", "1@2.io"]
)
def test_addresses_that_are_valid(text: str) -> None:
    assert valid_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@b",
        "a@@b.io",
        "a b@c.io",
        "a@b..io",
        ".a@b.io",
        "a.@b.io",
        "a@-b.io",
        "a@b.io,c@d.io",
        "a" * 250 + "@b.io",
    ],
)
def test_addresses_that_are_not(text: str) -> None:
    assert not valid_email(text)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("+43660123456", True),
        ("+12025550123", True),
        ("43660123456", False),
        ("+0123456789", False),
        ("+1202", False),
        ("+1 202 555 0123", False),
        ("+1234567890123456", False),
    ],
)
def test_phone_numbers(text: str, valid: bool) -> None:
    assert valid_phone(text) is valid
