"""Users, tokens and the activity log over HTTP; every route against every policy."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from segue.api import create_app
from segue.api.access import ROUTES
from segue.security import Secret
from segue.services import editing
from segue.services.attempts import LockedError
from segue.services.audit import audit_page
from segue.services.links import password_link, redeem_link
from segue.services.login import LoginError, log_in
from segue.services.permissions import Policy, Scope
from segue.services.tokens import create_token
from segue.services.users import create_user
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.requests import request_run
from tests.api.conftest import serving

from .test_limits import add_run
from .test_permissions import OF

PASSWORD = Secret("four words of a sentence")


@dataclass(frozen=True)
class Api:
    http: httpx.Client
    tokens: dict[Policy, str]

    def ask(self, policy: Policy, method: str, path: str, **options):
        headers = {"Authorization": f"Bearer {self.tokens[policy]}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)


@pytest.fixture
def api(workspace: Workspace) -> Iterator[Api]:
    tokens = {}
    for policy in Policy:
        create_user(workspace, f"{policy}@brand.shop", policy)
        made = create_token(workspace, f"{policy}'s", [Scope.ADMIN], days=1, user=f"{policy}@brand.shop")
        tokens[policy] = made[1].reveal()
    app = create_app(workspace, Settings.from_env({"SEGUE_HOME": str(workspace.layout.home)}))
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Api(http=http, tokens=tokens)


def test_every_route_opens_to_the_policies_that_hold_its_permission(api):
    for (method, path), permission in ROUTES.items():
        filled = path.replace("{ref}", "x").replace("{run_id}", "x").replace("{name}", "nobody")
        for policy in Policy:
            body = {"email": "a@b.c", "sql": "SELECT 1", "name": "ana bo"}
            sent = {
                k: v for k, v in body.items() if {"email": "history", "sql": "previews", "name": "users"}[k] in path
            }
            sent = {} if "{name}" in path else sent
            answer = api.ask(policy, method, filled, json=sent if method in {"POST", "PUT", "PATCH"} else None)
            refused = answer.status_code == 403
            assert refused == (permission not in OF[policy]), (method, path, policy, answer.text)
            if refused:
                assert answer.json()["code"] == "not_permitted"


def test_users_are_made_and_changed(api):
    made = api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/users", json={"name": "Cy@brand.shop", "policy": "viewer"})
    assert (made.status_code, made.json()["name"], made.json()["policy"]) == (201, "cy@brand.shop", "viewer")
    again = api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/users", json={"name": "cy@brand.shop"})
    assert (again.status_code, again.json()["code"]) == (409, "user_exists")
    changed = api.ask(Policy.ADMINISTRATOR, "PATCH", "/api/v1/users/cy@brand.shop", json={"options": ["restrict_pii"]})
    assert changed.json()["options"] == ["restrict_pii"]
    last = api.ask(Policy.ADMINISTRATOR, "PATCH", "/api/v1/users/administrator@brand.shop", json={"disabled": True})
    assert (last.status_code, last.json()["code"]) == (409, "last_administrator")
    assert api.ask(Policy.ADMINISTRATOR, "GET", "/api/v1/users/nobody").status_code == 404


def test_tokens_of_others_are_neither_seen_nor_revoked(api):
    mine = api.ask(Policy.VIEWER, "GET", "/api/v1/tokens").json()["items"]
    assert [token["name"] for token in mine] == ["viewer's"]
    assert api.ask(Policy.VIEWER, "POST", "/api/v1/tokens/operator's/revoke").status_code == 404
    assert api.ask(Policy.OPERATOR, "GET", "/api/v1/runs").status_code == 200
    assert api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/tokens/operator's/revoke").status_code == 200
    assert api.ask(Policy.OPERATOR, "GET", "/api/v1/runs").status_code == 401


def test_the_activity_log_is_exported(api):
    query = {"name": "q", "database": "x", "sql": "SELECT 1"}
    assert api.ask(Policy.OPERATOR, "POST", "/api/v1/queries", json=query).status_code == 422
    alert = {"name": "a", "url": "json://localhost/hidden", "when": ["failed"]}
    assert api.ask(Policy.OPERATOR, "POST", "/api/v1/alerts", json=alert).status_code == 201
    rows = list(csv.DictReader(io.StringIO(api.ask(Policy.ADMINISTRATOR, "GET", "/api/v1/audit").text)))
    line = rows[-2]
    assert rows[-1]["action"] == "audit.export"
    assert (line["actor"], line["token"], line["action"], line["subject"]) == (
        "operator@brand.shop",
        "operator's",
        "alert.create",
        "a",
    )
    assert line["address"] == "127.0.0.1"
    text = api.ask(Policy.ADMINISTRATOR, "GET", "/api/v1/audit", params={"format": "ndjson"}).text
    told = [json.loads(each) for each in text.splitlines()]
    assert [each["after"]["when"] for each in told if each["action"] == "alert.create"] == [["failed"]]
    assert "hidden" not in text


def test_a_user_who_has_to_wait_is_let_in_again(api, workspace):
    redeem_link(workspace, password_link(workspace, "viewer@brand.shop").token, PASSWORD)

    def come_in(password: Secret) -> None:
        log_in(workspace, "viewer@brand.shop", password, address=None)

    while True:
        try:
            come_in(Secret("not the right words"))
        except LockedError:
            break
        except LoginError:
            continue
    with pytest.raises(LockedError):
        come_in(PASSWORD)
    assert api.ask(Policy.OPERATOR, "POST", "/api/v1/users/viewer@brand.shop/unlock").status_code == 403
    answer = api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/users/viewer@brand.shop/unlock")
    assert (answer.status_code, answer.json()["name"]) == (200, "viewer@brand.shop")
    come_in(PASSWORD)
    assert api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/users/nobody/unlock").status_code == 404


def test_how_long_things_are_kept_is_read_looked_at_and_set(api):
    assert api.ask(Policy.VIEWER, "GET", "/api/v1/retention").json()["effective"]["keep_payloads"] == 90 * 86400
    entry = {"keep_payloads": "30d", "most_runs": 40}
    looked = api.ask(Policy.ADMINISTRATOR, "POST", "/api/v1/retention/preview", json=entry)
    assert (looked.status_code, looked.json()) == (200, {"removed": {}, "bytes": 0, "merged": [], "kept": []})
    assert api.ask(Policy.VIEWER, "GET", "/api/v1/retention").json()["set"]["keep_payloads"] is None
    seen = api.ask(Policy.VIEWER, "GET", "/api/v1/retention")
    assert seen.headers["etag"] == seen.json()["etag"]
    assert api.ask(Policy.ADMINISTRATOR, "PUT", "/api/v1/retention", json=entry).status_code == 428
    match = {"If-Match": seen.headers["etag"]}
    answer = api.ask(Policy.ADMINISTRATOR, "PUT", "/api/v1/retention", json=entry, headers=match)
    assert answer.json()["effective"]["keep_payloads"] == 30 * 86400
    assert api.ask(Policy.VIEWER, "GET", "/api/v1/retention").json() == answer.json()
    late = api.ask(Policy.ADMINISTRATOR, "PUT", "/api/v1/retention", json={"keep_runs": "9d"}, headers=match)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    match = {"If-Match": answer.headers["etag"]}
    nonsense = {"keep_runs": "1d", "keep_payloads": "2d"}
    wrong = api.ask(Policy.ADMINISTRATOR, "PUT", "/api/v1/retention", json=nonsense, headers=match)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_retention")


def test_a_name_with_a_line_break_writes_no_header(api):
    answer = api.ask(Policy.ADMINISTRATOR, "GET", "/api/v1/users/x%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/api/v1/runs/..%2f..%2fsecret.key/rejects.csv", "/api/v1/queries/..%2f..%2fsegue.db"]
)
def test_a_path_leads_to_no_file(api, path):
    answer = api.ask(Policy.ADMINISTRATOR, "GET", path)
    assert answer.status_code == 404


def test_an_admin_only_destination_is_used_by_its_id_no_more_than_by_its_name(api, workspace, tmp_path):
    (tmp_path / "people.csv").write_text("email\nana@mail.shop\n", encoding="utf-8")
    made = {}
    for kind, entry in (
        ("databases", {"engine": "duckdb", "tables": {"People": str(tmp_path / "people.csv")}}),
        ("credentials", {"type": "klaviyo", "api_key": "pk_x", "base_url": "http://127.0.0.1:9"}),
        ("queries", {"database": "closed", "status": "active", "sql": "SELECT email FROM People"}),
        ("destinations", {"plugin": "klaviyo", "credential": "closed", "admin_only": True}),
        ("data_templates", {"destination": "closed", "list_name": "L"}),
        ("orchestrations", {"query": "closed", "destination": "closed", "data_template": "closed"}),
    ):
        made[kind] = editing.create(workspace, kind, {"name": "closed", **entry})
    run = request_run(workspace, "closed").run
    one = f"/api/v1/orchestrations/{made['orchestrations'].id}"
    entry = {**made["orchestrations"].entry, "name": "mine"}
    for method, path, body in (
        ("POST", f"{one}/plan", None),
        ("POST", f"{one}/runs", {}),
        ("PUT", one, {**made["orchestrations"].entry, "workflow": "automatic"}),
        ("DELETE", one, None),
        ("POST", "/api/v1/orchestrations", entry),
        ("POST", f"/api/v1/runs/{run.id}/stop", None),
        ("PUT", f"/api/v1/destinations/{made['destinations'].id}", {**made["destinations"].entry, "admin_only": False}),
    ):
        answer = api.ask(Policy.ACTIVATOR, method, path, json=body, headers={"If-Match": "*"})
        assert answer.status_code == 403, (method, path, answer.text)
    assert api.ask(Policy.OPERATOR, "POST", f"/api/v1/runs/{run.id}/stop").status_code < 300


def test_the_budget_of_an_account_is_read_and_changed_by_what_was_seen(api, workspace):
    ask, at = api.ask, "/api/v1/accounts/ACC1/budget"
    missing = ask(Policy.ADMINISTRATOR, "PUT", at, json={"share": 50}, headers={"If-Match": "*"})
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_account")
    add_run(workspace, "ACC1", made=True, days_ago=0.5)
    seen = ask(Policy.VIEWER, "GET", at)
    assert seen.json()["budget"] == {"share": 100, "lists_a_day": None}
    assert seen.headers["ETag"] == seen.json()["etag"]
    blind = ask(Policy.ADMINISTRATOR, "PUT", at, json={"share": 50})
    assert (blind.status_code, blind.json()["code"]) == (428, "tag_needed")
    tag = {"If-Match": seen.headers["ETag"]}
    for wrong in ({"share": 0}, {"share": 101}, {"lists_a_day": 0}, {"lists_a_day": 151}, {"shares": 5}):
        refused = ask(Policy.ADMINISTRATOR, "PUT", at, json=wrong, headers=tag)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_budget"), wrong
    made = ask(Policy.ADMINISTRATOR, "PUT", at, json={"share": 50, "lists_a_day": 20}, headers=tag)
    assert made.json()["budget"] == {"share": 50, "lists_a_day": 20}
    late = ask(Policy.ADMINISTRATOR, "PUT", at, json={"share": 60}, headers=tag)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    [listed] = [a for a in ask(Policy.VIEWER, "GET", "/api/v1/accounts").json()["items"] if a["account"] == "ACC1"]
    assert listed == {
        "account": "ACC1",
        "etag": made.headers["ETag"],
        "budget": {"share": 50, "lists_a_day": 20},
        "orchestrations": ["Loyalty"],
        "lists_made": 1,
        "lists_a_day": 20,
    }
    again = ask(Policy.ADMINISTRATOR, "PUT", at, json={"share": 50}, headers={"If-Match": made.headers["ETag"]})
    assert again.json()["budget"] == {"share": 50, "lists_a_day": None}
    lines = audit_page(workspace, action="account_budget.")
    assert [(line.actor, line.subject, line.before, line.after) for line in lines] == [
        ("administrator@brand.shop", "ACC1", {"lists_a_day": 20}, {"lists_a_day": None}),
        ("administrator@brand.shop", "ACC1", {"share": 100, "lists_a_day": None}, {"share": 50, "lists_a_day": 20}),
    ]
