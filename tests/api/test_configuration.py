from __future__ import annotations

import pytest

from segue.services.orchestrations import load_credential
from segue.services.permissions import Scope

from .conftest import KEY, NAME


@pytest.fixture
def ready(office):
    office.configure()
    return office


def test_a_thing_is_made_read_changed_and_deleted(ready):
    entry = {"name": "Old", "database": "shop", "sql": "SELECT 1"}
    made = ready.call("POST", "/api/v1/queries", json=entry, scope=Scope.CONFIGURE)
    assert made.status_code == 201
    etag = made.headers["etag"]
    assert made.json()["entry"] == {**entry, "status": "draft"}
    url = "/api/v1/queries/Old"
    assert ready.call("GET", url).headers["etag"] == etag == ready.call("GET", url).json()["etag"]
    assert ready.call("GET", f"/api/v1/queries/{made.json()['id']}").json() == made.json()

    changed = ready.call("PUT", url, json={**entry, "sql": "SELECT 2"}, headers={"If-Match": etag})
    assert changed.json()["entry"]["sql"] == "SELECT 2"
    assert changed.json()["id"] == made.json()["id"]
    assert changed.headers["etag"] != etag

    assert ready.call("DELETE", url, headers={"If-Match": etag}).status_code == 412
    assert ready.call("DELETE", url, headers={"If-Match": changed.headers["etag"]}).status_code == 204
    assert ready.call("GET", url).json()["code"] == "unknown_query"


def test_a_change_of_what_was_changed_meanwhile_is_refused(ready):
    url, entry = "/api/v1/queries/People", {"database": "shop", "sql": "SELECT email FROM People"}
    etag = ready.call("GET", url).headers["etag"]
    assert ready.call("PUT", url, json=entry).json()["code"] == "tag_needed"
    assert ready.call("PUT", url, json=entry, headers={"If-Match": etag}).status_code == 200
    answer = ready.call("PUT", url, json=entry, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert ready.call("PUT", url, json=entry, headers={"If-Match": "*"}).status_code == 200


def test_a_name_is_taken_once(ready):
    answer = ready.call("POST", "/api/v1/queries", json={"name": "People", "database": "shop", "sql": "SELECT 1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "exists")


def test_every_mistake_is_told_with_its_place(ready):
    entry = {"name": "Q", "database": "shp", "status": "done", "sql": "SELECT 1", "folder": 5, "colour": "red"}
    answer = ready.call("POST", "/api/v1/queries", json=entry)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = {mistake["at"]: mistake["message"] for mistake in answer.json()["problems"]}
    assert set(told) == {"/database", "/status", "/folder", "/colour"} or set(told) >= {
        "/database",
        "/status",
        "/folder",
    }
    assert 'did you mean "shop"?' in told["/database"]


def test_sql_is_checked_as_in_a_file(ready):
    entry = {"name": "Q", "database": "shop", "status": "active", "sql": "SELECT emial FROM People"}
    answer = ready.call("POST", "/api/v1/queries", json=entry)
    assert answer.status_code == 422
    assert "emial" in answer.json()["problems"][0]["message"]


def test_what_is_referred_to_is_not_deleted(ready):
    for path in (
        "databases/shop",
        "credentials/klaviyo",
        "queries/People",
        "destinations/Klaviyo",
        "data-templates/Full",
    ):
        answer = ready.call("DELETE", f"/api/v1/{path}", headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use"), path
    assert NAME in ready.call("DELETE", "/api/v1/queries/People", headers={"If-Match": "*"}).json()["cause"]
    assert ready.call("DELETE", f"/api/v1/orchestrations/{NAME}", headers={"If-Match": "*"}).status_code == 204
    assert ready.call("DELETE", "/api/v1/queries/People", headers={"If-Match": "*"}).status_code == 204
    assert [thing["name"] for thing in ready.call("GET", "/api/v1/databases").json()["items"]] == ["shop"]


def test_a_thing_keeps_its_name(ready):
    answer = ready.call(
        "PUT",
        "/api/v1/queries/People",
        json={"name": "Folk", "database": "shop", "sql": "SELECT 1"},
        headers={"If-Match": "*"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "renamed")


def key_of(office):
    with office.workspace.catalog.session(read_only=True) as session:
        return load_credential(session, office.workspace.box, "klaviyo").secret.reveal()


def test_a_secret_is_written_and_never_read(ready):
    url = "/api/v1/credentials/klaviyo"
    answers = [ready.call("GET", url), ready.call("GET", "/api/v1/credentials")]
    answers.append(
        ready.call("PUT", url, json={"type": "klaviyo", "base_url": "http://127.0.0.1:9"}, headers={"If-Match": "*"})
    )
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    for answer in answers:
        assert KEY not in answer.text
        assert "api_key" not in answer.text
    assert key_of(ready) == KEY
    new = {"type": "klaviyo", "api_key": "pk_new", "base_url": "http://127.0.0.1:9"}
    assert "pk_new" not in ready.call("PUT", url, json=new, headers={"If-Match": "*"}).text
    assert key_of(ready) == "pk_new"


def test_a_saved_key_is_not_sent_to_another_address(ready):
    entry = {"type": "klaviyo", "base_url": "https://thief.test"}
    answer = ready.call("PUT", "/api/v1/credentials/klaviyo", json=entry, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (422, "key_needed")
    answer = ready.call("PUT", "/api/v1/credentials/klaviyo", json={"type": "klaviyo"}, headers={"If-Match": "*"})
    assert answer.json()["code"] == "key_needed"


def test_a_mistake_in_a_secret_does_not_repeat_it(ready):
    entry = {"name": "other", "type": "klaviyo", "api_key": "pk two words"}
    answer = ready.call("POST", "/api/v1/credentials", json=entry)
    assert answer.status_code == 422
    assert "two words" not in answer.text


def test_a_variable_is_no_variable_here(ready, monkeypatch):
    monkeypatch.setenv("HOME_OF", "secret-value")
    made = ready.make("queries", name="Q", database="shop", sql="SELECT '${HOME_OF}'")
    assert made["entry"]["sql"] == "SELECT '${HOME_OF}'"
    # A deletion goes through all that is left: it must come out as it was.
    ready.make("queries", name="R", database="shop", sql="SELECT 1")
    ready.call("DELETE", "/api/v1/queries/R", headers={"If-Match": "*"})
    assert ready.call("GET", "/api/v1/queries/Q").json() == made


def test_a_group_is_a_thing_too(ready):
    made = ready.make("orchestration-groups", name="Night", members=[{"orchestration": NAME}])
    assert made["entry"]["members"] == [{"orchestration": NAME}]
    answer = ready.call("DELETE", f"/api/v1/orchestrations/{NAME}", headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


def test_a_credential_is_tried(shop, emulator):
    answer = shop.call("POST", "/api/v1/credentials/klaviyo/test")
    assert answer.status_code == 200
    assert answer.json()["sound"] is True
    wrong = {"type": "klaviyo", "api_key": "pk_wrong", "base_url": emulator.url}
    shop.call("PUT", "/api/v1/credentials/klaviyo", json=wrong, headers={"If-Match": "*"})
    answer = shop.call("POST", "/api/v1/credentials/klaviyo/test")
    assert answer.status_code == 424
    assert "pk_wrong" not in answer.text
