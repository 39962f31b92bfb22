"""What users with restricted personal data see."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

import duckdb
import httpx
import pytest

from klaviyo_emulator import serve
from segue.api import create_app
from segue.api.access import ROUTES
from segue.delivery.progress import Quiet
from segue.query.personal import personal_columns
from segue.services import editing
from segue.services.permissions import Option, Policy, Scope
from segue.services.privacy import mask_json
from segue.services.tokens import create_token
from segue.services.users import create_user
from segue.settings import Settings
from segue.workflow.run import Runner
from tests.api.conftest import serving

from .conftest import somebody


def hidden(sql: str, *result: str) -> set[int]:
    return set(personal_columns(sql, result, lambda name: name.casefold() in {"email", "phone", "badge"}))


@pytest.mark.parametrize(
    ("sql", "result", "places"),
    [
        ("SELECT email, spend FROM p", ("email", "spend"), {0}),
        ("SELECT Email AS contact, spend FROM p", ("contact", "spend"), {0}),
        ("SELECT lower(email), spend FROM p", ("lower(email)", "spend"), {0}),
        ("SELECT concat('x', cast(badge AS varchar)) AS x, 1 AS y FROM p", ("x", "y"), {0}),
        ("SELECT count(email) AS n, count(*) AS m, max(email) AS e FROM p", ("n", "m", "e"), {2}),
        ("WITH a AS (SELECT email AS x, spend AS y FROM p) SELECT x AS z, y FROM a", ("z", "y"), {0}),
        ("WITH a(x, y) AS (SELECT email, spend FROM p) SELECT x AS z FROM a", ("z",), {0}),
        ("SELECT x FROM (SELECT email FROM p) AS t(x)", ("x",), {0}),
        ("SELECT x FROM (SELECT * FROM p) AS t(x, y)", ("x",), {0}),
        ("SELECT part FROM p CROSS JOIN UNNEST(split(email, '@')) AS u(part)", ("part",), {0}),
        ("SELECT spend AS x FROM p UNION ALL SELECT email FROM p", ("x",), {0}),
        ("SELECT z FROM (SELECT spend AS z FROM p UNION SELECT email FROM p)", ("z",), {0}),
        ("SELECT (SELECT max(email) FROM p) AS m, 1 AS one", ("m", "one"), {0}),
        ("SELECT CASE WHEN email = 'a@b.c' THEN 1 ELSE 0 END AS guess", ("guess",), {0}),
        ("SELECT element_at(facts, 'email') AS f FROM p", ("f",), {0}),
        ("SELECT facts.email AS f FROM p", ("f",), {0}),
        ("SELECT json_extract_scalar(doc, '$.email') AS f FROM p", ("f",), {0}),
        ("SELECT * FROM p", ("id", "email", "spend"), {1}),
        ("SELECT * FROM (SELECT id, email AS x FROM p)", ("id", "x"), {1}),
        ("SELECT *, upper(email) FROM p", ("id", "spend", "upper(email)"), {0, 1, 2}),
        ("SELECT y FROM (SELECT upper(email), spend AS y FROM p)", ("y",), {0}),
        ("SELECT transform(array_agg(email), v -> v) AS l FROM p", ("l",), {0}),
        ("SELECT max_by(email, spend) OVER (ORDER BY id) AS w, id FROM p", ("w", "id"), {0}),
        ("SELECT spend, id FROM p ORDER BY email", ("spend", "id"), set()),
        ("this is no SQL", ("a", "b"), {0, 1}),
    ],
)
def test_what_is_made_of_a_personal_column_is_personal_under_any_name(sql, result, places):
    assert hidden(sql, *result) == places


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"email":"a@b.c","n":1.5e3,"ok":true,"x":null}', '{"email":"****","n":"****","ok":"****","x":null}'),
        (r'[{"e" : "a\"b\\"}, "c", 7]', '[{"e" : "****"}, "****", "****"]'),
        ('{"data":[{"email":"a@b.c","first_na', '{"data":[{"email":"****","****"'),
        ('{"email":"a@b', '{"email":"****"'),
        ('{"email":"a\\', '{"email":"****"'),
        ('{"a":"b:c","d":"e"}', '{"a":"****","d":"****"}'),
        ("{a@mail.shop: 1", '{"****": "****"'),
        ("<html>a@b.c</html>", "****"),
        ("", "****"),
    ],
)
def test_of_json_that_may_be_cut_anywhere_names_alone_are_shown(text, shown):
    assert mask_json(somebody(Policy.VIEWER, Option.RESTRICT_PII), text) == shown
    assert mask_json(somebody(Policy.VIEWER), text) == text


MARKED = "ana@mail.shop"
BADGE = "B-4711"


@pytest.fixture
def office(workspace, tmp_path):
    """Everything configured; a run that rejected a row; a restricted operator's token at the API."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            f"CREATE TABLE People AS SELECT '{MARKED}' AS email, 'Ana' AS first_name, '+4366412' AS phone_number, "
            f"'{BADGE}' AS badge, 12.5 AS spend UNION ALL SELECT 'nobody{BADGE}', 'Bo', NULL, '{BADGE}', 1"
        )
    with serve(limit_scale=0) as emulator:
        for kind, entry in (
            ("databases", {"engine": "duckdb", "path": str(tmp_path / "shop.duckdb"), "personal": ["badge"]}),
            ("credentials", {"type": "klaviyo", "api_key": "pk_test", "base_url": emulator.url}),
            ("queries", {"database": "x", "status": "active", "sql": "SELECT *, badge AS loyalty FROM People"}),
            ("destinations", {"plugin": "klaviyo", "credential": "x", "allow_restricted_pii": True}),
            ("data_templates", {"destination": "x", "list_name": "L", "use_full_profile": True}),
            ("orchestrations", {"query": "x", "destination": "x", "data_template": "x"}),
        ):
            editing.create(workspace, kind, {"name": "x", **entry})
        settings = Settings.from_env({"SEGUE_HOME": str(workspace.layout.home), "SEGUE_RATE_SCALE": "0"})
        runner = Runner(workspace=workspace, settings=settings, progress=Quiet(), stop=threading.Event())
        ended = runner.run("x", allowed=("max_reject_share",))
        assert (ended.run.counts["added"], ended.run.counts["rejected"]) == (1, 1)
        create_user(workspace, "bo", Policy.OPERATOR, [Option.RESTRICT_PII])
        _, token = create_token(workspace, "bo's", [Scope.ADMIN], days=1, user="bo")
        _, open_token = create_token(workspace, "all", [Scope.ADMIN], days=1)
        app = create_app(workspace, settings)
        with serving(app) as url:
            yield Office(url=url, run=ended.run.id, token=token.reveal(), open_token=open_token.reveal())


@dataclass(frozen=True)
class Office:
    url: str
    run: str
    token: str
    open_token: str

    def ask(self, method: str, path: str, token: str) -> str:
        bodies: dict[str, Any] = {
            "/api/v1/history": {"email": MARKED},
            "/api/v1/previews": {"sql": "SELECT upper(email) AS u, badge AS y, spend, first_name || '' FROM People"},
        }
        path = path.replace("{run_id}", self.run).replace("{ref}", "x").replace("{name}", "bo")
        answer = httpx.request(
            method,
            self.url + path,
            json=bodies.get(path, {} if method == "POST" else None),
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        return answer.text


def test_a_restricted_user_meets_no_personal_value_at_any_route(office):
    seen = {}
    for method, path in ROUTES:
        if method not in {"GET", "POST"} or (method == "POST" and path.endswith(("/runs", "/logout", "/revoke"))):
            continue
        text = office.ask(method, path, office.token)
        for value in (MARKED, MARKED.upper(), BADGE, "Ana", "+4366412"):
            if path != "/api/v1/queries/{ref}":
                assert value not in text, (method, path)
        seen[path] = text
    assert "12.5" in seen["/api/v1/previews"]
    assert "****" in seen["/api/v1/queries/{ref}/rows.csv"]
    assert "email_malformed" in seen["/api/v1/runs/{run_id}/rejects.csv"]
    assert "added" in seen["/api/v1/history"]
    assert r"\"email\":\"****\"" in seen["/api/v1/runs/{run_id}/exchanges"]


def test_the_same_routes_show_them_to_others(office):
    """So that the test above looks at places where there is something to see."""
    for path, method in (
        ("/api/v1/previews", "POST"),
        ("/api/v1/queries/{ref}/rows.csv", "GET"),
        ("/api/v1/history", "POST"),
    ):
        assert BADGE in office.ask(method, path, office.open_token)
    for path in ("/api/v1/runs/{run_id}/rejects.csv", "/api/v1/runs/{run_id}/exchanges"):
        assert BADGE in office.ask("GET", path, office.open_token)


def test_samples_of_a_plan_are_masked_for_who_may_not_see_people(office):
    plan = "/api/v1/orchestrations/{ref}/plan?samples=true"
    [shown] = json.loads(office.ask("POST", plan, office.open_token))["samples"]["rejected"]
    [masked] = json.loads(office.ask("POST", plan, office.token))["samples"]["rejected"]
    assert BADGE in str(shown)
    assert masked["reason"] == shown["reason"] == "email_malformed"
    assert (masked["value"], BADGE in str(masked)) == ("****", False)
