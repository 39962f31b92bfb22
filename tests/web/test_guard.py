"""What browsers and other sites may do with the pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from segue.web.guard import PageGuard


def test_scripts_of_a_page_carry_a_mark_that_is_new_each_time(site):
    first, second = (httpx.get(site.url + "/", cookies=site.cookies) for _ in range(2))
    policy = first.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert first.headers["x-frame-options"] == "DENY"
    assert first.headers["cache-control"] == "no-store"
    assert policy != second.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert set(re.findall(r"<script([^>]*)>", first.text)) - {""}
    assert all(f'nonce="{nonce[1]}"' in tag for tag in re.findall(r"<script([^>]*)>", first.text))


def test_another_site_cannot_speak_for_a_person(site):
    headers = {"Origin": "https://evil.example"}
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert httpx.get(site.url + path, headers=headers).status_code == 403
    assert httpx.post(site.url + path, headers=headers, content=b"40").status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_websocket_of_another_site_is_refused(site, origin):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **({"Origin": origin} if origin else {}),
    }
    answer = httpx.get(f"{site.url}/_nicegui_ws/socket.io/?EIO=4&transport=websocket", headers=headers)
    assert answer.status_code == 403


def test_a_form_that_does_not_say_where_it_comes_from_is_refused(site):
    assert httpx.post(f"{site.url}/login", data={"name": "ana"}).status_code == 403


def test_large_bodies_are_refused(site):
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert httpx.post(site.url + path, headers={"Origin": site.url}, content=b"x" * 6_000_000).status_code == 403


def test_a_message_of_a_page_that_is_too_large_ends_the_connection(site):
    address = site.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    cookies = "; ".join(f"{name}={value}" for name, value in site.cookies.items())

    def answer(size: int) -> str | None:
        """To a message of this size that asks for what is not there; None once the server has gone."""
        with connect(address, origin=site.url, additional_headers={"Cookie": cookies}, max_size=None) as socket:
            assert str(socket.recv(timeout=30)).startswith("0{")
            socket.send(f'40/nowhere,{{"a":"{"x" * size}"}}')
            try:
                return str(socket.recv(timeout=30))
            except ConnectionClosed:
                return None

    assert str(answer(500_000)).startswith("44/nowhere")
    assert answer(2_000_000) is None


def in_chunks(count: int, size: int = 100_000) -> Iterator[bytes]:
    """A body that does not say before how long it is."""
    yield from (b"x" * size for _ in range(count))


@pytest.mark.parametrize("path", ["/login", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"])
def test_a_large_body_in_chunks_is_not_taken(site, path):
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, cookies=site.cookies, timeout=60) as client:
        assert client.post(path, content=in_chunks(100)).status_code in {400, 403}


def test_an_application_reads_no_more_of_a_body_than_is_allowed():
    """Whatever it does then: it is told that the browser has gone, and its answer is not the one that is sent."""
    read, sent = [], []

    async def app(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            read.append(len(message["body"]))
        assert await receive() == {"type": "http.disconnect"}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def receive():
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"here"), (b"origin", b"http://here")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    # In a thread of its own: in this one the browser's driver has an event loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(PageGuard(app)(scope, receive, send))).result()
    assert sum(read) == 5_000_000
    assert [message.get("status") for message in sent if message["type"] == "http.response.start"] == [403]
