from __future__ import annotations

from typing import Any

import pytest
from emulator_kit import Api, problem, row

from klaviyo_emulator import EmulatorAdmin

SUBSCRIBE = "profile-subscription-bulk-create-job"
UNSUBSCRIBE = "profile-subscription-bulk-delete-job"
SUPPRESS = "profile-suppression-bulk-create-job"
UNSUPPRESS = "profile-suppression-bulk-delete-job"


def consent_job(api: Api, kind: str, *emails: str, list_id: str | None = None, **options: Any) -> Any:
    """options: consented_at for every row; anything else is an attribute of the job."""
    marketing = {"consent": "SUBSCRIBED" if kind == SUBSCRIBE else "UNSUBSCRIBED"}
    if consented_at := options.pop("consented_at", None):
        marketing["consented_at"] = consented_at
    rows = [row(email, subscriptions={"email": {"marketing": marketing}}) for email in emails]
    body: dict[str, Any] = {"data": {"type": kind, "attributes": {"profiles": {"data": rows}, **options}}}
    if list_id:
        body["data"]["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return api.send("POST", f"/{kind}s", body)


def suppression_job(api: Api, kind: str, *emails: str, **relationships: str) -> Any:
    data: dict[str, Any] = {"type": kind, "attributes": {}}
    if emails:
        data["attributes"]["profiles"] = {"data": [row(email) for email in emails]}
    if relationships:
        data["relationships"] = {name: {"data": {"type": name, "id": key}} for name, key in relationships.items()}
    return api.send("POST", f"/{kind}s", {"data": data})


def marketing(admin: EmulatorAdmin, email: str) -> dict[str, Any]:
    found = admin.profile(email)
    assert found is not None
    state: dict[str, Any] = found["subscriptions"]["email"]["marketing"]
    return state


def test_subscribing_joins_the_list_and_shows_on_the_profile(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    answer = consent_job(api, SUBSCRIBE, "ana@shop.io", list_id=key)
    assert (answer.status_code, answer.content) == (202, b"")
    assert admin.emails("VIP") == ["ana@shop.io"]
    (one,) = api.pages("/profiles", **{"additional-fields[profile]": "subscriptions"})
    state = one["attributes"]["subscriptions"]["email"]["marketing"]
    assert (state["consent"], state["can_receive_email_marketing"]) == ("SUBSCRIBED", True)
    assert state["consent_timestamp"] == "2026-07-15T10:00:00+00:00"


def test_a_double_opt_in_list_waits_for_a_confirmation(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP", opt_in_process="double_opt_in")
    assert consent_job(api, SUBSCRIBE, "ana@shop.io", list_id=key).status_code == 202
    assert admin.profile("ana@shop.io") is None
    past = {"historical_import": True, "consented_at": "2025-03-01T10:00:00Z"}
    assert consent_job(api, SUBSCRIBE, "ana@shop.io", list_id=key, **past).status_code == 202
    assert admin.emails("VIP") == ["ana@shop.io"]
    assert marketing(admin, "ana@shop.io")["consent_timestamp"] == "2025-03-01T10:00:00+00:00"


@pytest.mark.parametrize(
    "options",
    [
        {"historical_import": True},
        {"consented_at": "2025-03-01T10:00:00Z"},
        {"historical_import": True, "consented_at": "2027-03-01T10:00:00Z"},
        {"historical_import": True, "consented_at": "yesterday"},
    ],
)
def test_consented_at_goes_with_a_historical_import_and_is_past(api: Api, options: dict[str, Any]) -> None:
    answer = consent_job(api, SUBSCRIBE, "ana@shop.io", **options)
    assert answer.status_code == 400
    assert problem(answer)["source"]["pointer"].endswith("/0/attributes/subscriptions/email/marketing/consented_at")


def test_unsubscribing_from_a_list_is_global_for_everybody_else(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    consent_job(api, SUBSCRIBE, "ana@shop.io", list_id=key)
    consent_job(api, SUBSCRIBE, "bo@shop.io")
    assert consent_job(api, UNSUBSCRIBE, "ana@shop.io", "bo@shop.io", list_id=key).status_code == 202
    assert admin.emails("VIP") == []
    ana, bo = marketing(admin, "ana@shop.io"), marketing(admin, "bo@shop.io")
    assert (ana["consent"], bo["consent"]) == ("SUBSCRIBED", "UNSUBSCRIBED")
    assert [one["list_id"] for one in ana["list_suppressions"]] == [key]
    assert [one["reason"] for one in bo["suppression"]] == ["UNSUBSCRIBE"]


def test_removing_from_a_list_leaves_consent_alone(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    consent_job(api, SUBSCRIBE, "ana@shop.io", list_id=key)
    (member,) = api.pages(f"/lists/{key}/relationships/profiles")
    api.change_members("DELETE", key, [member["id"]])
    assert marketing(admin, "ana@shop.io")["consent"] == "SUBSCRIBED"


def test_how_many_a_call_takes(api: Api) -> None:
    many = [f"p{number}@shop.io" for number in range(1001)]
    assert consent_job(api, SUBSCRIBE, *many[:1000]).status_code == 202
    assert consent_job(api, SUBSCRIBE, *many).status_code == 400
    assert consent_job(api, UNSUBSCRIBE, *many[:100]).status_code == 202
    assert consent_job(api, UNSUBSCRIBE, *many[:101]).status_code == 400
    assert suppression_job(api, SUPPRESS, *many[:100]).status_code == 202
    assert suppression_job(api, SUPPRESS, *many[:101]).status_code == 400


def test_suppressing_and_lifting(api: Api, admin: EmulatorAdmin) -> None:
    consent_job(api, UNSUBSCRIBE, "bo@shop.io")
    job = suppression_job(api, SUPPRESS, "ana@shop.io", "bo@shop.io").json()["data"]
    assert job["attributes"]["completed_count"] == 2
    again = suppression_job(api, SUPPRESS, "ana@shop.io").json()["data"]["attributes"]
    assert (again["completed_count"], again["skipped_count"]) == (0, 1)
    assert marketing(admin, "ana@shop.io")["can_receive_email_marketing"] is False
    lifted = suppression_job(api, UNSUPPRESS, "ana@shop.io", "bo@shop.io", "no@shop.io").json()["data"]["attributes"]
    assert (lifted["completed_count"], lifted["skipped_count"]) == (2, 1)
    assert marketing(admin, "ana@shop.io")["suppression"] == []
    assert [one["reason"] for one in marketing(admin, "bo@shop.io")["suppression"]] == ["UNSUBSCRIBE"]
    assert admin.profile("no@shop.io") is None
    consent_job(api, SUBSCRIBE, "bo@shop.io")
    assert marketing(admin, "bo@shop.io")["suppression"] == []
    found = api.get(f"/{SUPPRESS}s/{job['id']}").json()["data"]
    assert found["attributes"]["status"] == "complete"
    assert api.get(f"/{UNSUPPRESS}s/{job['id']}").status_code == 404


def test_suppressing_a_whole_list_or_segment(api: Api, admin: EmulatorAdmin) -> None:
    admin.seed(lists={"VIP": ["ana@shop.io", "bo@shop.io"]}, segments={"Engaged": ["cy@shop.io"]})
    key = admin.lists()[0]["id"]
    (segment,) = api.pages("/segments")
    assert suppression_job(api, SUPPRESS, list=key).json()["data"]["attributes"]["total_count"] == 2
    assert suppression_job(api, SUPPRESS, segment=segment["id"]).json()["data"]["attributes"]["total_count"] == 1
    assert marketing(admin, "cy@shop.io")["suppression"][0]["reason"] == "USER_SUPPRESSED"
    assert suppression_job(api, SUPPRESS, list="absent").status_code == 404
    assert suppression_job(api, SUPPRESS, "ana@shop.io", list=key).status_code == 400
    assert len(api.pages(f"/{SUPPRESS}s", filter=f'equals(list_id,"{key}")')) == 1


def test_a_wrong_row_is_named(api: Api) -> None:
    answer = api.send(
        "POST",
        f"/{SUBSCRIBE}s",
        {"data": {"type": SUBSCRIBE, "attributes": {"profiles": {"data": [row("ana@shop.io")]}}}},
    )
    assert problem(answer)["source"] == {"pointer": "/data/attributes/profiles/data/0/attributes/subscriptions"}
    assert consent_job(api, SUBSCRIBE, "nobody").status_code == 400


def event(email: str = "ana@shop.io", **attributes: Any) -> dict[str, Any]:
    made = {
        "properties": {"sku": "A1"},
        "metric": {"data": {"type": "metric", "attributes": {"name": "Bought"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email, "properties": {"tier": "gold"}}}},
        **attributes,
    }
    return {"data": {"type": "event", "attributes": made}}


def test_events_are_stored_once_and_write_the_profile(api: Api, admin: EmulatorAdmin) -> None:
    for unique in ("1", "1", "2"):
        assert api.send("POST", "/events", event(unique_id=unique, time="2026-07-01T00:00:00Z")).status_code == 202
    assert [one["time"] for one in admin.events()] == ["2026-07-01T00:00:00+00:00"] * 2
    found = admin.profile("ana@shop.io")
    assert found is not None
    assert found["properties"] == {"tier": "gold"}
    assert found["last_event_date"] == "2026-07-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"time": "1989-12-31T23:59:59Z"}, "/data/attributes/time"),
        ({"time": "2028-01-01T00:00:00Z"}, "/data/attributes/time"),
        ({"properties": {str(number): 1 for number in range(401)}}, "/data/attributes/properties"),
        ({"metric": {}}, "/data/attributes/metric/data/attributes/name"),
        ({"profile": {}}, "/data/attributes/profile/data"),
        ({"profile": {"data": {"type": "profile", "attributes": {}}}}, "/data/attributes/profile/data/attributes"),
    ],
)
def test_wrong_events_are_refused(api: Api, admin: EmulatorAdmin, attributes: dict[str, Any], pointer: str) -> None:
    answer = api.send("POST", "/events", event(**attributes))
    assert (answer.status_code, problem(answer)["source"]) == (400, {"pointer": pointer})
    assert admin.events() == []


def test_segments_exist_and_count(api: Api, admin: EmulatorAdmin) -> None:
    body = {"data": {"type": "segment", "attributes": {"name": "Engaged", "definition": {"condition_groups": []}}}}
    key = api.send("POST", "/segments", body).json()["data"]["id"]
    assert [one["id"] for one in api.pages("/segments", filter='equals(name,"Engaged")')] == [key]
    count = api.get(f"/segments/{key}", **{"additional-fields[segment]": "profile_count"}).json()
    assert count["data"]["attributes"]["profile_count"] == 0
    assert api.get(f"/segments/{key}/profiles").json()["data"] == []
    assert api.send("DELETE", f"/segments/{key}").status_code == 204
    assert api.get(f"/segments/{key}").status_code == 404


def test_a_row_without_identifier_is_refused(api: Api) -> None:
    rows = [{"type": "profile", "attributes": {"subscriptions": {}}}]
    for kind in (SUBSCRIBE, UNSUBSCRIBE):
        answer = api.send("POST", f"/{kind}s", {"data": {"type": kind, "attributes": {"profiles": {"data": rows}}}})
        assert (answer.status_code, problem(answer)["source"]) == (
            400,
            {"pointer": "/data/attributes/profiles/data/0/attributes"},
        )
