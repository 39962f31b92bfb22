"""Every page and file of the web app against every policy, and what belongs to others."""

from __future__ import annotations

from contextlib import closing

import duckdb
import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from segue.services import editing
from segue.services.audit import audit_page
from segue.services.links import password_link, redeem_link
from segue.services.login import log_in
from segue.services.permissions import Option, Policy, Scope
from segue.services.tokens import create_token, list_tokens
from segue.services.users import create_user
from segue.services.workspace import open_workspace
from segue.settings import Settings
from segue.web.access import FILES, check_files
from segue.web.pages import PAGES
from tests.users.test_permissions import OF
from tests.web.browser import PASSWORD

REFUSED = "Not for you"


@pytest.fixture(scope="module")
def opened(site):
    with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def entering(site, opened):
    """Makes a user and gives a browser that is logged in as them, without a screen."""

    def enter(name, policy, *options):
        create_user(opened, name, policy, options)
        redeem_link(opened, password_link(opened, name).token, PASSWORD)
        made = log_in(opened, name, PASSWORD, address=None)
        return httpx.Client(base_url=site.url, cookies={"segue": made.token.reveal()}, timeout=60)

    return enter


@pytest.mark.parametrize("policy", Policy)
def test_every_page_and_file_opens_to_the_policies_that_hold_its_permission(entering, policy):
    with entering(f"pages-{policy}@brand.shop", policy) as client:
        for page in PAGES:
            answer = client.get(page.address)
            assert answer.status_code == 200, page.path
            assert (REFUSED in answer.text) == (page.permission not in OF[policy]), page.path
        for path, permission in FILES.items():
            answer = client.get(
                path.replace("{ref}", "Customers").replace("{form}", "csv").replace("{run_id}", "latest")
            )
            assert (answer.status_code == 403) == (permission not in OF[policy]), path


def test_who_only_runs_sees_no_page_that_configures_users_and_downloads_nothing(entering):
    with entering("runs-only@brand.shop", Policy.ADMINISTRATOR, Option.RUN_ONLY) as client:
        assert REFUSED in client.get("/settings/users").text
        assert REFUSED in client.get("/settings/activity").text
        assert client.get("/queries/Customers/rows.csv").status_code == 403


def test_without_a_session_every_page_and_file_leads_to_the_log_in(site):
    for path in (
        *(page.address for page in PAGES),
        *(path.format(ref="Customers", form="csv", run_id="latest") for path in FILES),
    ):
        answer = httpx.get(site.url + path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_a_route_that_the_table_does_not_name_does_not_start():
    app = FastAPI()
    for path in (*FILES, "/_segue/1/segue.css", "/page"):
        app.get(path)(lambda: None)
    check_files(app, ["/page"])
    app.get("/queries/{ref}/secrets.csv")(lambda: None)
    with pytest.raises(RuntimeError, match=r"secrets\.csv"):
        check_files(app, ["/page"])


def test_a_download_without_personal_data_is_masked_and_written_down(entering, opened):
    with entering("masked@brand.shop", Policy.OPERATOR, Option.RESTRICT_PII) as client:
        text = client.get("/queries/Customers/rows.csv").text
    assert "@" not in text
    assert "****" in text
    [line] = audit_page(opened, actor="masked@brand.shop", action="query.")
    assert (line.action, line.subject) == ("query.download", "Customers")


def test_a_restricted_user_meets_nobody_on_any_page(entering, site):
    with duckdb.connect(str(site.place.database), read_only=True) as connection:
        known = connection.execute("SELECT lower(trim(email)), phone FROM Customer360").fetchall()
    values = {value for row in known for value in row if value and len(value) > 6}
    assert len(values) > 300
    with entering("meets-nobody@brand.shop", Policy.OPERATOR, Option.RESTRICT_PII) as client:
        for page in PAGES:
            text = client.get(page.address).text.lower()
            assert not [value for value in values if value in text], page.path


HEADERS = 'x"; filename="evil.exe'


def test_the_name_of_a_query_writes_no_header(entering, opened, site):
    name = f"{HEADERS} ä/../..\\é"
    query = editing.get_configured(opened, "queries", "Customers")
    made = editing.create(opened, "queries", {**query.entry, "name": name})
    try:
        with entering("headers@brand.shop", Policy.OPERATOR) as client:
            answer = client.get(f"/queries/{made.id}/rows.csv")
    finally:
        editing.delete(opened, "queries", made.id, tag=None)
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''")
    assert not set('"\\/ ;') & set(disposition.removeprefix("attachment; "))
    assert disposition.isascii()


@pytest.mark.parametrize(
    "path",
    [
        "/_segue/../../../etc/passwd",
        "/_segue/%2e%2e/%2e%2e/etc/passwd",
        "/_segue/1/..%2f..%2fapp.py",
        "/_nicegui/..%2f..%2f..%2fetc%2fpasswd",
        "/queries/..%2f..%2f..%2fetc%2fpasswd/rows.csv",
        "/settings/activity...%2f..%2fsecret.key",
    ],
)
def test_a_path_leads_to_no_file(site, path):
    with httpx.Client(base_url=site.url, cookies=site.cookies, timeout=60) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code in {404, 422}
    assert "root:" not in answer.text
    assert "with_pages" not in answer.text


def test_a_line_break_in_an_address_writes_no_header(site):
    answer = httpx.get(f"{site.url}/nowhere%0d%0aSet-Cookie:%20planted=1?a=%0d%0aX: y")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert "\n" not in answer.headers["location"]


def forge(visitor, row, action):
    """Send what the table does not offer, as somebody does who writes to the websocket by hand."""
    emit = "(frame, what) => getElement(Number(frame.id.slice(1))).$emit('action', what)"
    visitor.page.locator(".table-frame").evaluate(emit, {"row": row, "action": action})


def test_a_forged_action_does_no_more_than_its_user_may(visitor, entering, opened):
    query = editing.get_configured(opened, "queries", "Customers")
    theirs, _ = create_token(opened, "not the viewer's", [Scope.READ], days=1)
    with entering("forger@brand.shop", Policy.VIEWER) as client:
        visitor.page.context.add_cookies(
            [{"name": "segue", "value": client.cookies["segue"], "url": visitor.site.url}],
        )
        create_token(opened, "the viewer's", [Scope.READ], days=1, user="forger@brand.shop")
    page = visitor.go("/settings/tokens")
    forge(visitor, theirs.id, "revoke")
    expect(page.get_by_text("The token is gone.")).to_be_visible()
    assert {token.name: token.revoked_at for token in list_tokens(opened)}["not the viewer's"] is None
    visitor.go("/queries")
    forge(visitor, query.id, "delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("may not make, change, activate and delete queries")
    assert editing.get_configured(opened, "queries", query.id).tag == query.tag
