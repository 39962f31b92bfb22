from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import select, update

from segue.api.access import PUBLIC, ROUTES
from segue.api.guard import MOST_BYTES
from segue.catalog.base import now
from segue.catalog.tokens import ApiToken
from segue.errors import UsageError
from segue.services.permissions import PERMISSIONS, Scope
from segue.services.tokens import create_token, list_tokens, recognise, revoke_token


def routes(app: Any) -> list[tuple[str, str]]:
    found = [(method, str(route.path)) for route in iter_route_contexts(app.routes) for method in route.methods or ()]
    assert len(found) > 30
    return found


def filled(path: str) -> str:
    return path.replace("{ref}", "x").replace("{run_id}", "x").replace("{name}", "x")


def test_every_route_has_a_scope_and_the_table_names_no_other(office):
    assert set(routes(office.app)) == set(ROUTES) | PUBLIC


def test_no_route_is_reached_without_a_token(office):
    for method, path in routes(office.app):
        answer = office.http.request(method, filled(path))
        if (method, path) in PUBLIC:
            assert answer.status_code == 200, path
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_what_is_no_route_tells_nothing_without_a_token(office):
    assert office.http.get("/api/v1/secret").status_code == 401
    assert office.call("GET", "/api/v1/secret").status_code == 404
    assert office.call("PATCH", "/api/v1/runs").status_code == 405


def test_a_route_opens_only_to_its_scope(office):
    for (method, path), permission in ROUTES.items():
        needed = PERMISSIONS[permission].scope
        for scope in Scope:
            may = scope in (needed, Scope.ADMIN) or needed is Scope.READ
            answer = office.call(
                method, filled(path), scope=scope, json={} if method in ("POST", "PUT", "PATCH") else None
            )
            refused = answer.status_code == 403
            if "json" in answer.headers["content-type"] and answer.status_code == 422 and "problems" in answer.json():
                continue  # the body is looked at first
            assert refused != may, (method, path, scope, answer.text)


def test_a_token_is_refused_when_it_is_unknown_expired_or_revoked(office):
    def code(text: str) -> tuple[int, str]:
        answer = office.http.get("/api/v1/runs", headers={"Authorization": f"Bearer {text}"})
        return answer.status_code, answer.json().get("code")

    assert code("sk_segue_guessed") == (401, "token_unknown")
    good = office.token(Scope.READ)
    assert code(good)[0] == 200
    with office.workspace.catalog.session() as session:
        session.execute(update(ApiToken).values(expires_at=now() - timedelta(seconds=1)))
    assert code(good) == (401, "token_expired")
    revoke_token(office.workspace, "of read")
    assert code(good) == (401, "token_revoked")


def test_a_token_is_kept_as_a_digest_alone(office):
    token, text = create_token(office.workspace, "ci", [Scope.RUN], days=7)
    with office.workspace.catalog.session(read_only=True) as session:
        row = session.execute(select(ApiToken.__table__)).one()
    assert text.reveal() not in str(row)
    assert row.digest == hashlib.sha256(text.reveal().encode()).hexdigest()
    assert token.expires_at - token.created_at == timedelta(days=7)
    actor = recognise(office.workspace, text.reveal(), address="10.0.0.7")
    assert (actor.token_id, actor.token, actor.address, actor.id) == (token.id, "ci", "10.0.0.7", None)
    assert actor.may("runs.start")
    assert not actor.may("queries.edit")


def test_a_name_is_not_used_twice_even_after_it_was_revoked(office):
    create_token(office.workspace, "ci", [Scope.READ], days=1)
    revoke_token(office.workspace, "ci")
    with pytest.raises(UsageError, match="already"):
        create_token(office.workspace, "ci", [Scope.READ], days=1)
    assert [token.name for token in list_tokens(office.workspace)] == ["ci"]


def test_every_answer_has_the_security_headers(office):
    for answer in (
        office.http.get("/healthz"),
        office.http.get("/api/v1/runs"),
        office.call("GET", "/api/v1/runs"),
        office.call("GET", "/nowhere"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_body_that_is_too_large_is_not_read(office):
    answer = office.call("POST", "/api/v1/queries", content=b" " * (MOST_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_without_its_length_is_not_read(office):
    answer = office.call("POST", "/api/v1/queries", content=iter([b"{}"]))
    assert (answer.status_code, answer.json()["code"]) == (411, "length_needed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_json"),
        (b"[]", "bad_json"),
        (b'{"name": "\\ud800"}', "bad_json"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "too_deep"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(office, body, code):
    answer = office.call("POST", "/api/v1/queries", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_unforeseen_error_tells_its_type_alone(office, caplog):
    def broken() -> None:
        raise RuntimeError("ana@mail.shop")

    office.app.get("/api/v1/broken")(broken)
    answer = office.call("GET", "/api/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert "ana" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
