from __future__ import annotations

import time

import httpx
import pytest
from emulator_kit import HEADERS, Api, row

from klaviyo_emulator import AdminError, EmulatorAdmin, serve
from klaviyo_emulator.settings import setting_names


def test_settings_are_read_changed_and_reset(admin: EmulatorAdmin) -> None:
    assert tuple(admin.settings()) == setting_names()
    assert admin.settings(row_errors="row", job_delay=2)["job_delay"] == 2.0
    admin.reset()
    assert admin.settings()["row_errors"] == "job"


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"row_errors": "some"},
        {"job_delay": -1},
        {"job_delay": "1"},
        {"max_groups": 1.5},
        {"gzip_requests": 1},
        {"oldest_revision": 2026},
    ],
)
def test_a_wrong_setting_changes_nothing(admin: EmulatorAdmin, change: dict[str, object]) -> None:
    with pytest.raises(AdminError) as refused:
        admin.settings(latency=9.0, **change)
    assert refused.value.status == 400
    assert admin.settings()["latency"] == 0.0


def test_seed_and_look(admin: EmulatorAdmin) -> None:
    admin.seed(
        profiles=[{"email": "ana@shop.io", "first_name": "Ana", "external_id": "A1"}],
        lists={"VIP / gold": ["ANA@shop.io", "bo@shop.io"]},
    )
    assert admin.emails("VIP / gold") == ["ana@shop.io", "bo@shop.io"]
    (made,) = admin.lists()
    assert made["count"] == 2
    assert admin.emails(made["id"]) == ["ana@shop.io", "bo@shop.io"]
    found = admin.profile("ANA@shop.io")
    assert found is not None
    assert (found["first_name"], found["lists"]) == ("Ana", [{"id": made["id"], "name": "VIP / gold"}])
    assert admin.profile(found["id"]) == found
    assert [one["email"] for one in admin.search("a1")] == ["ana@shop.io"]
    assert len(admin.search(limit=1)) == 1
    assert admin.profile("no@shop.io") is None
    with pytest.raises(AdminError):
        admin.emails("absent")


def test_somebody_else_changes_things(admin: EmulatorAdmin) -> None:
    admin.seed(profiles=[{"email": "ana@shop.io", "title": "Dr", "properties": {"a": 1, "b": 2}}])
    changed = admin.change_profile("ana@shop.io", {"title": None, "properties": {"a": None, "c": 3}})
    assert (changed["title"], changed["properties"]) == (None, {"b": 2, "c": 3})
    assert admin.change_profile("ana@shop.io", {"email": "ana@new.io"})["id"] == changed["id"]
    assert admin.add_members("VIP", ["ana@new.io", "bo@shop.io"]) == 2
    assert admin.add_members("VIP", ["bo@shop.io"]) == 0
    assert admin.remove_members("VIP", ["bo@shop.io", "no@shop.io"]) == 1
    assert admin.emails("VIP") == ["ana@new.io"]
    admin.delete_profile("ana@new.io")
    assert admin.emails("VIP") == []
    with pytest.raises(AdminError):
        admin.change_profile("ana@new.io", {"title": "Dr"})
    with pytest.raises(AdminError):
        admin.change_profile("bo@shop.io", {"email": "nobody"})


def test_requests_are_counted_by_endpoint_and_status(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    api.get(f"/lists/{key}")
    api.get("/lists/absent")
    api.get("/accounts")
    api.get("/accounts")
    report = admin.requests(limit=2)
    assert report["total"] == 5
    assert report["endpoints"]["GET /api/lists/{id}"]["statuses"] == {"200": 1, "404": 1}
    assert report["endpoints"]["GET /api/accounts"] == {
        "requests": 2,
        "statuses": {"200": 1, "429": 1},
        "peak_per_second": 2,
        "peak_per_minute": 2,
    }
    assert [one["status"] for one in report["recent"]] == [429, 200]
    assert report["peak_in_flight"] == 1


def test_peaks_outlast_their_window(api: Api, admin: EmulatorAdmin) -> None:
    for wait in (0, 0, 1, 61):
        admin.advance(wait)
        api.get("/lists")
    counted = admin.requests()["endpoints"]["GET /api/lists"]
    assert (counted["peak_per_second"], counted["peak_per_minute"]) == (2, 3)


def test_nothing_personal_or_secret_is_remembered(api: Api, admin: EmulatorAdmin) -> None:
    api.get("/profiles", filter='equals(email,"ana@shop.io")')
    api.submit([row("ana@shop.io")])
    text = str(admin.requests())
    assert "ana@shop.io" not in text
    assert "pk_test" not in text


def test_state(api: Api, admin: EmulatorAdmin) -> None:
    api.run_job([row("ana@shop.io")], api.create_list("VIP"))
    (account,) = admin.state()["accounts"]
    assert (account["profiles"], account["jobs"], account["open_jobs"]) == (1, 1, 0)
    assert [one["count"] for one in account["lists"]] == [1]


def test_the_clock(admin: EmulatorAdmin) -> None:
    began = admin.now()
    assert admin.advance(90) == began + 90
    with pytest.raises(AdminError):
        admin.advance(-1)
    admin.reset()
    assert admin.now() == began


def test_wrong_calls_are_explained(admin: EmulatorAdmin) -> None:
    for call in (
        lambda: admin.for_account("ABSENT").lists(),
        lambda: admin.add_account("EMULAT"),
        lambda: admin.add_key("pk", scopes=["everything"]),
        lambda: admin.add_key("pk", kind="basic"),
        lambda: admin.merge("a@shop.io", "b@shop.io"),
        lambda: admin.cancel_job("absent"),
        lambda: admin.add_members("VIP", "ana@shop.io"),  # type: ignore[arg-type]
        lambda: admin.seed(profiles=[{"title": "Dr"}]),
    ):
        with pytest.raises(AdminError) as refused:
            call()
        assert refused.value.detail
        assert refused.value.status in (400, 404, 409)


def test_the_page_shows_everything_and_escapes_it(api: Api, admin: EmulatorAdmin) -> None:
    sly = "<script>alert('x')</script>"
    admin.seed(lists={sly: ["ana@shop.io"]}, profiles=[{"email": "bo@shop.io", "external_id": sly}])
    api.run_job([row("cy@shop.io")])
    admin.fault("slow", "GET /api/lists", seconds=0.0)
    answer = api.client.get("/", params={"search": sly})
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text
    assert answer.text.count("&lt;script&gt;") == 3
    assert "ana@shop.io" not in answer.text
    assert "prefers-color-scheme" in answer.text
    assert "width=device-width" in answer.text
    assert "http" not in answer.text.replace("http-equiv", "")
    page = api.client.get("/").text
    for text in ("ana@shop.io", "POST /api/profile-bulk-import-jobs", "complete", "slow", "Emulated Shop"):
        assert text in page


def test_the_page_of_an_account(api: Api, admin: EmulatorAdmin) -> None:
    admin.add_account("SECOND", name="Second Shop").seed(lists={"Other": []})
    assert "Other" not in api.client.get("/").text
    assert "Other" in api.client.get("/?account=SECOND").text
    assert api.client.get("/?account=absent").status_code == 200


def test_with_a_running_clock_jobs_complete_by_themselves() -> None:
    with serve(job_delay=0.05, keys=["pk_mine"]) as running:
        headers = {**HEADERS, "authorization": f"Klaviyo-API-Key {running.key}"}
        with httpx.Client(base_url=running.url, headers=headers, verify=False, trust_env=False) as client:
            api = Api(client, running.admin)
            job_id = api.submit([row("ana@shop.io")]).json()["data"]["id"]
            deadline = time.monotonic() + 10
            while running.admin.jobs()[0]["status"] != "complete":
                assert time.monotonic() < deadline
            assert api.job(job_id)["completed_count"] == 1
        assert running.key == "pk_mine"


def test_serve_refuses_unknown_settings() -> None:
    with pytest.raises(ValueError, match="there is no setting 'speed'"), serve(speed=1):
        pass
