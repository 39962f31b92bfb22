from __future__ import annotations

from typing import Any

import pytest
from emulator_kit import Api, problem, row

from klaviyo_emulator import EmulatorAdmin

ROWS = "/data/attributes/profiles/data"
WEEK = 7 * 86_400


def properties(admin: EmulatorAdmin, email: str) -> Any:
    found = admin.profile(email)
    assert found is not None
    return found["properties"]


def field(admin: EmulatorAdmin, email: str, name: str) -> Any:
    found = admin.profile(email)
    assert found is not None
    return found[name]


def test_a_job_passes_its_states_by_the_clock(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(job_delay=10)
    key = api.create_list("VIP")
    answer = api.submit([row("ana@shop.io")], key)
    job_id = answer.json()["data"]["id"]
    assert answer.status_code == 202
    assert answer.json()["data"]["attributes"] == {
        "status": "queued",
        "created_at": "2026-07-15T10:00:00+00:00",
        "total_count": 1,
        "completed_count": 0,
        "failed_count": 0,
        "completed_at": None,
        "expires_at": "2026-07-22T10:00:00+00:00",
        "started_at": None,
    }
    admin.advance(5)
    assert api.job(job_id)["status"] == "processing"
    assert api.job(job_id)["started_at"] == "2026-07-15T10:00:05+00:00"
    assert admin.profile("ana@shop.io") is None
    admin.advance(5)
    job = api.job(job_id)
    assert (job["status"], job["completed_count"], job["failed_count"]) == ("complete", 1, 0)
    assert job["completed_at"] == "2026-07-15T10:00:10+00:00"
    assert admin.emails("VIP") == ["ana@shop.io"]


def test_jobs_are_listed_by_status_in_order(api: Api, admin: EmulatorAdmin) -> None:
    first = api.run_job([row("ana@shop.io")])
    admin.settings(job_delay=10)
    admin.advance(1)
    second = api.submit([row("bo@shop.io")]).json()["data"]["id"]
    path = "/profile-bulk-import-jobs"

    def keys(**query: Any) -> list[str]:
        return [job["id"] for job in api.pages(path, **query)]

    assert keys() == [first, second]
    assert keys(sort="-created_at", **{"page[size]": 1}) == [second, first]
    assert keys(filter='any(status,["queued","processing"])') == [second]
    assert keys(filter='equals(status,"complete")') == [first]
    assert api.get(path, filter='equals(id,"x")').status_code == 400
    assert api.get(path, **{"page[size]": 101}).status_code == 400


def test_every_processed_row_joins_every_list(api: Api, admin: EmulatorAdmin) -> None:
    vip, gold = api.create_list("VIP"), api.create_list("Gold")
    admin.seed(lists={"VIP": ["old@shop.io"]})
    api.run_job([row("old@shop.io"), row("new@shop.io")], vip, gold)
    assert admin.emails("VIP") == ["old@shop.io", "new@shop.io"]
    assert admin.emails("Gold") == ["old@shop.io", "new@shop.io"]


def test_nulls_are_ignored_and_properties_merge_by_key(api: Api, admin: EmulatorAdmin) -> None:
    api.run_job([row("ana@shop.io", title="Dr", location={"city": "Graz"}, properties={"a": 1, "b": {"x": 1}})])
    api.run_job([row("ana@shop.io", title=None, location={"city": None}, properties={"a": None, "b": {"y": 2}})])
    assert field(admin, "ana@shop.io", "title") == "Dr"
    assert field(admin, "ana@shop.io", "location")["city"] == "Graz"
    assert properties(admin, "ana@shop.io") == {"a": 1, "b": {"y": 2}}


def test_what_nulls_do_is_a_setting(api: Api, admin: EmulatorAdmin) -> None:
    api.run_job([row("ana@shop.io", title="Dr", properties={"a": 1})])
    admin.settings(bulk_nulls="refuse")
    answer = api.submit([row("bo@shop.io"), row("ana@shop.io", properties={"a": None})])
    assert problem(answer)["source"] == {"pointer": f"{ROWS}/1/attributes/properties/a"}
    admin.settings(bulk_nulls="clear")
    api.run_job([row("ana@shop.io", title=None, properties={"a": None})])
    assert (field(admin, "ana@shop.io", "title"), properties(admin, "ana@shop.io")) == (None, {})


@pytest.mark.parametrize(
    ("mode", "title", "left"), [("custom", "Dr", {}), ("all", None, {}), ("ignore", "Dr", {"a": 1})]
)
def test_what_unset_does_is_a_setting(api: Api, admin: EmulatorAdmin, mode: str, title: str | None, left: Any) -> None:
    admin.settings(bulk_unset=mode)
    api.run_job([row("ana@shop.io", title="Dr", properties={"a": 1})])
    api.run_job([row("ana@shop.io", {"patch_properties": {"unset": ["a", "title"]}})])
    assert (field(admin, "ana@shop.io", "title"), properties(admin, "ana@shop.io")) == (title, left)


def test_a_malformed_row_refuses_the_whole_job(api: Api, admin: EmulatorAdmin) -> None:
    rows = [row("ana@shop.io"), row("nobody"), row("bo@shop.io", phone_number="123"), row("cy@shop.io", city="Graz")]
    answer = api.submit(rows)
    assert answer.status_code == 400
    assert [error["source"]["pointer"] for error in answer.json()["errors"]] == [
        f"{ROWS}/1/attributes/email",
        f"{ROWS}/2/attributes/phone_number",
        f"{ROWS}/3/attributes/city",
    ]
    admin.settle()
    assert admin.profile("ana@shop.io") is None
    assert admin.jobs() == []


def test_the_refusal_may_keep_the_rows_to_itself(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(error_pointers=False)
    answer = api.submit([row("ana@shop.io"), row("nobody")])
    assert answer.status_code == 400
    assert problem(answer)["source"] == {}


def test_or_it_fails_alone(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(row_errors="row")
    key = api.create_list("VIP")
    job_id = api.run_job([row("ana@shop.io"), row("nobody"), row("bo@shop.io")], key)
    job = api.job(job_id)
    assert (job["status"], job["completed_count"], job["failed_count"]) == ("complete", 2, 1)
    (error,) = api.import_errors(job_id)
    assert (error["code"], error["source"]) == ("invalid", {"pointer": f"{ROWS}/1/attributes/email"})
    assert error["original_payload"] == row("nobody")
    assert admin.emails("VIP") == ["ana@shop.io", "bo@shop.io"]
    admin.settings(original_payload=False)
    assert api.import_errors(job_id)[0]["original_payload"] is None


def test_rows_that_fail_while_the_job_runs(api: Api, admin: EmulatorAdmin) -> None:
    """No identifier, two people's identifiers, an unknown id, over 100 KB: only that row fails, under either setting."""
    admin.seed(profiles=[{"email": "ana@shop.io"}, {"email": "bo@shop.io", "external_id": "B1"}])
    key = api.create_list("VIP")
    rows = [
        row(title="Dr"),
        row("ana@shop.io", external_id="B1"),
        {"type": "profile", "id": "01STALE", "attributes": {"email": "cy@shop.io"}},
        row("dee@shop.io", properties={"x": "y" * 100_000}),
        row("eve@shop.io"),
    ]
    job_id = api.run_job(rows, key)
    assert [(error["code"], error["source"]["pointer"]) for error in api.import_errors(job_id)] == [
        ("invalid", f"{ROWS}/0/attributes"),
        ("duplicate_profile", f"{ROWS}/1/attributes"),
        ("not_found", f"{ROWS}/2/id"),
        ("invalid", f"{ROWS}/3"),
    ]
    assert admin.emails("VIP") == ["eve@shop.io"]
    assert field(admin, "ana@shop.io", "external_id") is None


def test_repeats_of_a_person_in_a_job_are_dropped(api: Api, admin: EmulatorAdmin) -> None:
    job_id = api.run_job([row("ana@shop.io", title="first"), row("ANA@shop.io ", title="second")])
    assert field(admin, "ana@shop.io", "title") == "first"
    assert (api.job(job_id)["completed_count"], api.job(job_id)["failed_count"]) == (2, 0)


def test_a_row_may_name_the_profile_by_id(api: Api, admin: EmulatorAdmin) -> None:
    admin.seed(profiles=[{"email": "ana@shop.io"}])
    key = field(admin, "ana@shop.io", "id")
    api.run_job([{"type": "profile", "id": key, "attributes": {"email": "ana@new.io"}}])
    assert field(admin, "ana@new.io", "id") == key
    assert admin.profile("ana@shop.io") is None


def test_size_caps_of_a_job(api: Api) -> None:
    rows = [row(f"p{number}@shop.io") for number in range(10_001)]
    answer = api.submit(rows)
    assert (answer.status_code, problem(answer)["source"]) == (400, {"pointer": ROWS})
    assert api.submit(rows[:10_000]).status_code == 202
    assert api.submit([]).status_code == 400
    assert api.submit([row("a@b.io", properties={"x": "y" * 5_000_000})]).status_code == 413


def test_an_unknown_list_refuses_the_job(api: Api) -> None:
    answer = api.submit([row("ana@shop.io")], "absent")
    assert (answer.status_code, problem(answer)["source"]) == (400, {"pointer": "/data/relationships/lists/data/0/id"})


def test_a_wrong_unset_refuses_the_job(api: Api) -> None:
    answer = api.submit([row("ana@shop.io", {"patch_properties": {"unset": {"a": 1}}})])
    assert problem(answer)["source"] == {"pointer": f"{ROWS}/0/meta/patch_properties/unset"}


def test_import_errors_and_profiles_come_in_pages(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(row_errors="row", limit_scale=0)
    rows = [row(f"p{number}@shop.io" if number % 2 else "nobody") for number in range(250)]
    job_id = api.run_job(rows)
    path = f"/profile-bulk-import-jobs/{job_id}"
    assert len(api.get(f"{path}/import-errors").json()["data"]) == 20
    errors = api.pages(f"{path}/import-errors", **{"page[size]": 100})
    assert [error["attributes"]["source"]["pointer"] for error in errors] == [
        f"{ROWS}/{number}/attributes/email" for number in range(0, 250, 2)
    ]
    assert len({error["id"] for error in errors}) == 125
    people = api.pages(f"{path}/profiles", **{"page[size]": 100, "fields[profile]": "email"})
    assert [one["attributes"] for one in people] == [{"email": f"p{number}@shop.io"} for number in range(1, 250, 2)]
    assert len(api.pages(f"{path}/relationships/profiles", **{"page[size]": 100})) == 125
    assert api.get(f"{path}/import-errors", **{"page[size]": 101}).status_code == 400


def test_jobs_are_forgotten_after_seven_days(api: Api, admin: EmulatorAdmin) -> None:
    job_id = api.run_job([row("ana@shop.io")])
    admin.advance(WEEK - 1)
    assert api.job(job_id)["status"] == "complete"
    admin.advance(1)
    assert api.get(f"/profile-bulk-import-jobs/{job_id}").status_code == 404
    assert api.get(f"/profile-bulk-import-jobs/{job_id}/import-errors").status_code == 404
    assert api.pages("/profile-bulk-import-jobs") == []


def test_a_list_deleted_before_the_job_runs_is_left_out(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(job_delay=10)
    key = api.create_list("VIP")
    job_id = api.submit([row("ana@shop.io")], key).json()["data"]["id"]
    api.send("DELETE", f"/lists/{key}")
    admin.advance(10)
    assert api.job(job_id)["status"] == "complete"
    assert api.get(f"/profile-bulk-import-jobs/{job_id}/lists").json()["data"] == []


def test_importing_does_not_subscribe(api: Api, admin: EmulatorAdmin) -> None:
    api.run_job([row("ana@shop.io")], api.create_list("VIP"))
    consent = field(admin, "ana@shop.io", "subscriptions")["email"]["marketing"]
    assert (consent["consent"], consent["suppression"]) == ("NEVER_SUBSCRIBED", [])


def test_a_job_can_be_cancelled_while_it_waits(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(job_delay=10)
    job_id = api.submit([row("ana@shop.io")]).json()["data"]["id"]
    assert admin.cancel_job(job_id) == "cancelled"
    admin.advance(10)
    assert api.job(job_id)["status"] == "cancelled"
    assert admin.profile("ana@shop.io") is None
