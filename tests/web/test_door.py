"""Who gets in, and what a browser that did not is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from segue.security import Secret
from segue.services.audit import audit_page
from segue.services.links import first_administrator_link, path_of, redeem_link
from segue.services.login import log_in, log_out_everywhere
from segue.services.workspace import Workspace, init_workspace, open_workspace
from segue.settings import OidcSettings, PolicyRule, Settings
from segue.web.door import Door
from segue.web.guard import PageGuard
from tests.users.provider import CLIENT, SECRET, provider

PASSWORD = "four words of a sentence"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    init_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()


@contextmanager
def serving(workspace: Workspace, oidc: OidcSettings | None = None) -> Iterator[str]:
    """A server with the door in front of an application that says "inside"; it believes a proxy at this machine."""
    door = Door(PlainTextResponse("inside"), workspace=workspace, assets="/_segue/1", oidc=oidc)
    app = PageGuard(door)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="critical", proxy_headers=True, forwarded_allow_ips="127.0.0.1")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(workspace: Workspace) -> Iterator[str]:
    with serving(workspace) as found:
        yield found


@pytest.fixture
def browser(url: str) -> Iterator[Callable[[], httpx.Client]]:
    """Makes browsers that have no cookies yet."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(httpx.Client(base_url=url, headers={"Origin": url}, timeout=60))


@pytest.fixture
def people(workspace: Workspace) -> Workspace:
    link = first_administrator_link(workspace)
    assert link is not None
    redeem_link(workspace, link.token, Secret(PASSWORD), name="ana")
    return workspace


def enter_encrypted(client: httpx.Client):
    """As behind a proxy that encrypts."""
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    return client.post("/login", data={"name": "ana", "password": PASSWORD}, headers=forwarded)


def enter(client: httpx.Client, **fields: str):
    return client.post("/login", data={"name": "ana", "password": PASSWORD, **fields})


@pytest.mark.parametrize("path", ["/", "/queries/a?b=c&d=e", "/_nicegui_ws/socket.io/?transport=polling"])
def test_nobody_sees_a_page_without_a_session(people, browser, path):
    answer = browser().get(path)
    assert answer.status_code == 303
    assert urlsplit(answer.headers["location"]).path == "/login"
    assert "inside" not in answer.text
    assert browser().post(path).status_code == 401


def test_a_websocket_without_a_session_is_closed(people, browser):
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    assert browser().get(path, headers=UPGRADE).status_code == 403


def test_a_log_in_leads_to_the_page_that_was_asked_for(people, browser):
    client = browser()
    asked = client.get("/queries/a?b=c&d=e").headers["location"]
    assert 'value="/queries/a?b=c&amp;d=e"' in client.get(asked).text
    answer = enter(client, next="/queries/a?b=c&d=e")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queries/a?b=c&d=e")
    assert client.get("/").text == "inside"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_a_log_in_leads_nowhere_else(people, browser, target):
    assert enter(browser(), next=target).headers["location"] == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(people, browser):
    plain = enter(browser()).headers["set-cookie"]
    assert plain.startswith("segue=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(plain.split("; "))
    secure = enter_encrypted(browser()).headers["set-cookie"]
    assert secure.startswith("__Host-segue=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(secure.split("; "))
    assert [line.address for line in audit_page(people, action="login")] == ["203.0.113.9", "127.0.0.1"]


def test_a_session_that_was_planted_before_is_not_used(people, browser):
    client = browser()
    client.headers["Cookie"] = "segue=planted"
    enter(client)
    del client.headers["Cookie"]
    held = client.cookies["segue"]
    assert held != "planted"
    enter(client)  # and a second log-in ends the first session
    again = browser()
    again.cookies.set("segue", held)
    assert again.get("/").status_code == 303


def test_another_site_cannot_log_anybody_in_or_out(people, browser):
    client = browser()
    evil = {"Origin": "https://evil.example"}
    assert client.post("/login", data={"name": "ana", "password": PASSWORD}, headers=evil).status_code == 403
    enter(client)
    assert client.post("/logout", data={"csrf": "guessed"}).status_code == 403
    assert client.get("/").text == "inside"


def test_a_log_out_needs_the_token_of_the_session_and_ends_it(people, browser):
    client = browser()
    made = log_in(people, "ana", Secret(PASSWORD), address=None)
    client.cookies.set("segue", made.token.reveal())
    assert client.post("/logout", data={"csrf": made.csrf}).headers["location"] == "/login"
    client.cookies.set("segue", made.token.reveal())
    assert client.get("/").status_code == 303


def test_a_log_out_everywhere_ends_other_browsers(people, browser):
    one, other = browser(), browser()
    enter(one)
    enter(other)
    log_out_everywhere(people, "ana")
    assert [client.get("/").status_code for client in (one, other)] == [303, 303]


def test_a_wrong_password_is_told_without_repeating_it(people, browser):
    answer = browser().post("/login", data={"name": '"><script>x</script>', "password": "wrong-password"})
    assert answer.status_code == 401
    assert "is not right" in answer.text
    assert "wrong-password" not in answer.text
    assert "<script>x" not in answer.text


def test_the_first_administrator_is_made_with_the_link_once(workspace, browser):
    link = first_administrator_link(workspace)
    assert link is not None
    client = browser()
    assert 'name="name"' in client.get(path_of(link)).text
    token = link.token.reveal()
    weak = client.post("/welcome", data={"link": token, "name": "ana", "password": "short"})
    assert (weak.status_code, "12 to 512" in weak.text) == (422, True)
    made = client.post("/welcome", data={"link": token, "name": "ana", "password": PASSWORD})
    assert (made.status_code, made.headers["location"]) == (303, "/login")
    assert client.get(path_of(link)).status_code == 404
    assert client.post("/welcome", data={"link": token, "name": "eve", "password": PASSWORD}).status_code == 404
    assert enter(client).headers["location"] == "/"
    assert audit_page(workspace, action="user.create")[0].address == "127.0.0.1"


def test_a_large_form_is_not_read(people, browser):
    answer = browser().post("/login", data={"name": "a" * 30_000})
    assert answer.status_code == 403


def test_the_forms_may_not_be_framed_and_run_no_foreign_script(people, browser):
    answer = browser().get("/login")
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


def test_a_header_cannot_be_written_through_the_address(people, browser):
    answer = enter(browser(), next="/a\r\nSet-Cookie: x=y")
    assert answer.headers["location"] == "/"
    assert "x=y" not in answer.headers["set-cookie"]


def test_a_log_in_at_the_identity_provider_leads_back_to_the_page(workspace):
    rules = (PolicyRule(claim="groups", value="data", policy="operator"),)
    with provider() as idp:
        oidc = OidcSettings(issuer=idp.url, client_id=CLIENT, client_secret=Secret(SECRET), rules=rules)
        with serving(workspace, oidc) as url, httpx.Client(base_url=url, timeout=60) as client:
            assert "/login/oidc?next=%2Fqueries" in client.get("/login?next=/queries").text
            away = client.get("/login/oidc?next=/queries")
            assert "HttpOnly" in away.headers["set-cookie"]
            back = httpx.get(away.headers["location"]).headers["location"]
            assert back.startswith(f"{url}/login/oidc/callback?")
            assert httpx.get(back).status_code == 403  # in a browser that did not set out
            answer = client.get(away.headers["location"]).headers["location"]
            inside = client.get(answer)
            assert (inside.status_code, inside.headers["location"]) == (303, "/queries")
            assert client.get("/queries").text == "inside"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_a_log_in_at_the_identity_provider_leads_nowhere_else(workspace, target):
    rules = (PolicyRule(claim="groups", value="data", policy="operator"),)
    with provider() as idp:
        oidc = OidcSettings(issuer=idp.url, client_id=CLIENT, client_secret=Secret(SECRET), rules=rules)
        with serving(workspace, oidc) as url, httpx.Client(base_url=url, timeout=60) as client:
            away = client.get("/login/oidc", params={"next": target})
            back = httpx.get(away.headers["location"]).headers["location"]
            inside = client.get(back)
            assert (inside.status_code, inside.headers["location"]) == (303, "/")
