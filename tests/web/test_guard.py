"""What browsers and other sites may do with the pages."""

from __future__ import annotations

import re

import httpx
import pytest


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
