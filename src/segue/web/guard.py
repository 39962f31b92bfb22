"""What stands in front of the pages: whose requests are heard, and what a browser may do with the answers."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
"""Scripts need a mark that is new with every page, so text that becomes a part of one is not run. NiceGUI compiles its
templates in the browser (unsafe-eval) and places things by styles (unsafe-inline)."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_SCRIPT = re.compile(rb"<script(?=[\s>])")
MOST_BYTES = 5_000_000
"""Of a request's body."""
_TOO_LARGE = "The request is too large."


class PageGuard:
    """An ASGI application around the pages. Who somebody is, the door asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "http" and refusal is None:
            bounded = _Bounded(scope, receive, _Answer(send))
            try:
                await self._app(scope, bounded.receive, bounded.send)
            except ClientDisconnect:
                if not bounded.over:
                    raise
        elif scope["type"] == "http":
            await PlainTextResponse(refusal, status_code=403)(scope, receive, _Answer(send))
        elif refusal is None:
            await self._app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})

    def _refusal(self, scope: Scope) -> str | None:
        """Why nobody answers: None when somebody does."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "Another site may not speak for you."
        if origin is None and (scope["type"] == "websocket" or scope["method"] not in _HARMLESS):
            return "The request does not say where it comes from."
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            return _TOO_LARGE
        return None


class _Bounded:
    """A request whose body is counted as it comes, since one that is sent in chunks does not say before how long it is.

    Once there is too much of it, the application is told that the browser has gone, and the refusal is sent in its place.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._begun = False
        self.over = False

    async def receive(self) -> Message:
        """The next part of the request."""
        if self.over:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
        if self._bytes <= MOST_BYTES:
            return message
        self.over = True
        if not self._begun:
            await PlainTextResponse(_TOO_LARGE, status_code=403)(self._scope, self._receive, self._send)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A part of the application's answer; nothing more once the request was refused."""
        if not self.over:
            self._begun = True
            await self._send(message)


class _Answer:
    """The answer on its way; scripts of a page get the mark without which the browser does not run them."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Send a part of it; a page is sent whole."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers["Content-Security-Policy"] = _POLICY.format(nonce=self._nonce)
            if headers.get("content-type", "").startswith("text/html"):
                headers["Cache-Control"] = "no-store"
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._page(self._start)
            return
        await self._send(message)

    async def _page(self, start: Message) -> None:
        body = _SCRIPT.sub(f'<script nonce="{self._nonce}"'.encode(), self._body)
        MutableHeaders(scope=start)["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
