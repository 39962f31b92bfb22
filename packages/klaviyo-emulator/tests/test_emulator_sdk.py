"""The official SDK as oracle: its pydantic models must accept every answer."""

from __future__ import annotations

from typing import Any

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from klaviyo_emulator import EmulatorAdmin, Running


@pytest.fixture
def sdk(emulator: Running) -> KlaviyoAPI:
    return KlaviyoAPI(api_key=emulator.key, max_retries=1, test_host=emulator.url)


def new_list(sdk: KlaviyoAPI, name: str) -> Any:
    return sdk.Lists.create_list({"data": {"type": "list", "attributes": {"name": name}}}).data


def import_rows(sdk: KlaviyoAPI, admin: EmulatorAdmin, list_id: str, emails: list[str]) -> str:
    rows = [{"type": "profile", "attributes": {"email": email, "first_name": "Ana"}} for email in emails]
    body = {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": rows}},
            "relationships": {"lists": {"data": [{"type": "list", "id": list_id}]}},
        }
    }
    job = sdk.Profiles.bulk_import_profiles(body).data
    admin.settle()
    return str(job.id)


def test_account(sdk: KlaviyoAPI) -> None:
    (account,) = sdk.Accounts.get_accounts().data
    assert account.attributes.contact_information.organization_name == "Emulated Shop"
    assert sdk.Accounts.get_account(account.id).data.attributes.timezone == "UTC"


def test_lists(sdk: KlaviyoAPI) -> None:
    made = new_list(sdk, "VIP")
    assert made.attributes.opt_in_process == "single_opt_in"
    (found,) = sdk.Lists.get_lists(filter='equals(name,"VIP")').data
    assert found.id == made.id
    body = {"data": {"type": "list", "id": made.id, "attributes": {"name": "Gold"}}}
    assert sdk.Lists.update_list(made.id, body).data.attributes.name == "Gold"
    one = sdk.Lists.get_list(made.id, additional_fields_list=["profile_count"]).data
    assert (one.attributes.name, one.attributes.profile_count) == ("Gold", 0)
    sdk.Lists.delete_list(made.id)
    with pytest.raises(ApiException) as refused:
        sdk.Lists.get_list(made.id)
    assert refused.value.status == 404


def test_bulk_import(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    admin.settings(row_errors="row")
    made = new_list(sdk, "VIP")
    job_id = import_rows(sdk, admin, made.id, ["ana@shop.io", "bo@shop.io", "not an address"])
    job = sdk.Profiles.get_bulk_import_profiles_job(job_id, include=["lists"])
    assert (job.data.attributes.status, job.data.attributes.total_count) == ("complete", 3)
    assert (job.data.attributes.completed_count, job.data.attributes.failed_count) == (2, 1)
    assert job.data.relationships.lists.data[0].id == made.id
    assert job.included[0].attributes.name == "VIP"
    assert [one.id for one in sdk.Profiles.get_bulk_import_profiles_jobs(filter='equals(status,"complete")').data] == [
        job_id
    ]
    (error,) = sdk.Profiles.get_errors_for_bulk_import_profiles_job(job_id).data
    assert error.attributes.source.pointer == "/data/attributes/profiles/data/2/attributes/email"
    assert error.attributes.original_payload["attributes"]["email"] == "not an address"
    people = sdk.Profiles.get_profiles_for_bulk_import_profiles_job(job_id).data
    assert [one.attributes.email for one in people] == ["ana@shop.io", "bo@shop.io"]
    ids = sdk.Profiles.get_profile_ids_for_bulk_import_profiles_job(job_id).data
    assert [one.id for one in ids] == [one.id for one in people]
    assert sdk.Profiles.get_list_for_bulk_import_profiles_job(job_id).data[0].id == made.id
    assert sdk.Profiles.get_list_ids_for_bulk_import_profiles_job(job_id).data[0].id == made.id


def test_members(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    made = new_list(sdk, "VIP")
    import_rows(sdk, admin, made.id, ["ana@shop.io", "bo@shop.io"])
    ana, bo = sdk.Lists.get_profiles_for_list(made.id, additional_fields_profile=["subscriptions"]).data
    assert ana.attributes.joined_group_at is not None
    assert ana.attributes.subscriptions.email.marketing.consent == "NEVER_SUBSCRIBED"
    (found,) = sdk.Lists.get_profiles_for_list(made.id, filter='any(email,["BO@shop.io"])').data
    assert found.id == bo.id
    sdk.Lists.remove_profiles_from_list(made.id, {"data": [{"type": "profile", "id": bo.id}]})
    assert [one.id for one in sdk.Lists.get_profile_ids_for_list(made.id).data] == [ana.id]
    sdk.Lists.add_profiles_to_list(made.id, {"data": [{"type": "profile", "id": bo.id}]})
    assert admin.emails("VIP") == ["ana@shop.io", "bo@shop.io"]
    assert sdk.Profiles.get_lists_for_profile(bo.id).data[0].id == made.id
    assert sdk.Profiles.get_list_ids_for_profile(bo.id).data[0].id == made.id


def test_profiles(sdk: KlaviyoAPI) -> None:
    attributes = {
        "email": "ana@shop.io",
        "location": {"city": "Graz", "latitude": 47.07, "longitude": "15.44"},
        "properties": {"tier": "gold"},
    }
    body = {"data": {"type": "profile", "attributes": attributes}}
    made = sdk.Profiles.create_profile(body).data
    assert made.attributes.location.city == "Graz"
    with pytest.raises(ApiException) as refused:
        sdk.Profiles.create_profile(body)
    assert refused.value.status == 409
    assert sdk.Profiles.create_or_update_profile(body).data.id == made.id
    change = {"data": {"type": "profile", "id": made.id, "attributes": {"title": "Dr"}}}
    assert sdk.Profiles.update_profile(made.id, change).data.attributes.title == "Dr"
    (found,) = sdk.Profiles.get_profiles(filter='equals(email,"ana@shop.io")').data
    assert (found.id, found.attributes.email, found.attributes.title) == (made.id, "ana@shop.io", "Dr")
    one = sdk.Profiles.get_profile(made.id, additional_fields_profile=["subscriptions"], include=["lists"])
    assert one.data.attributes.properties == {"tier": "gold"}
    assert one.included == []


def test_merge(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    admin.seed(profiles=[{"email": "ana@shop.io"}, {"email": "ana@work.io"}])
    ana, other = (admin.profile(email) for email in ("ana@shop.io", "ana@work.io"))
    assert ana is not None
    assert other is not None
    body = {
        "data": {
            "type": "profile-merge",
            "id": ana["id"],
            "relationships": {"profiles": {"data": [{"type": "profile", "id": other["id"]}]}},
        }
    }
    assert sdk.Profiles.merge_profiles(body).data.id == ana["id"]


def test_segments(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    admin.seed(segments={"Engaged": ["ana@shop.io"]})
    (segment,) = sdk.Segments.get_segments().data
    one = sdk.Segments.get_segment(segment.id, additional_fields_segment=["profile_count"]).data
    assert one.attributes.profile_count == 1
    assert sdk.Segments.get_profiles_for_segment(segment.id).data[0].attributes.email == "ana@shop.io"
    assert len(sdk.Segments.get_profile_ids_for_segment(segment.id).data) == 1


def test_consent_jobs(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    def body(kind: str, consent: str) -> dict[str, Any]:
        person = {"email": "ana@shop.io", "subscriptions": {"email": {"marketing": {"consent": consent}}}}
        rows = [{"type": "profile", "attributes": person}]
        return {"data": {"type": kind, "attributes": {"profiles": {"data": rows}}}}

    sdk.Profiles.bulk_subscribe_profiles(body("profile-subscription-bulk-create-job", "SUBSCRIBED"))
    sdk.Profiles.bulk_unsubscribe_profiles(body("profile-subscription-bulk-delete-job", "UNSUBSCRIBED"))
    rows = {"profiles": {"data": [{"type": "profile", "attributes": {"email": "ana@shop.io"}}]}}
    job = sdk.Profiles.bulk_suppress_profiles(
        {"data": {"type": "profile-suppression-bulk-create-job", "attributes": rows}}
    ).data
    assert sdk.Profiles.get_bulk_suppress_profiles_job(job.id).data.attributes.completed_count == 1
    assert len(sdk.Profiles.get_bulk_suppress_profiles_jobs().data) == 1
    sdk.Profiles.bulk_unsuppress_profiles({"data": {"type": "profile-suppression-bulk-delete-job", "attributes": rows}})
    (lifted,) = sdk.Profiles.get_bulk_unsuppress_profiles_jobs().data
    assert sdk.Profiles.get_bulk_unsuppress_profiles_job(lifted.id).data.attributes.status == "complete"
    person = admin.profile("ana@shop.io")
    assert person is not None
    assert person["subscriptions"]["email"]["marketing"]["consent"] == "UNSUBSCRIBED"


def test_event(sdk: KlaviyoAPI, admin: EmulatorAdmin) -> None:
    attributes = {
        "properties": {"sku": "A1"},
        "metric": {"data": {"type": "metric", "attributes": {"name": "Bought"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": "ana@shop.io"}}},
    }
    sdk.Events.create_event({"data": {"type": "event", "attributes": attributes}})
    assert [event["metric"] for event in admin.events()] == ["Bought"]
