"""What stands in front of every route: who asks, how much they send, and what every answer carries."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segue.api.access import PUBLIC
from segue.api.problems import problem_of, respond
from segue.errors import SegueError, UsageError
from segue.services.permissions import Actor
from segue.services.tokens import TokenError, recognise
from segue.services.workspace import Workspace
from segue.workflow.failures import explain

MOST_BYTES = 1_000_000
"""Of a request's body: a large query has some thousand."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_log = logging.getLogger("segue.api")

Observe = Callable[[str, str, int, float], None]
"""Told of every answer: method, path as the route has it, status, seconds until it began."""


class Guard:
    """An ASGI application around another. Whatever goes wrong inside becomes a problem that holds nobody's data."""

    def __init__(self, app: ASGIApp, *, workspace: Workspace, observe: Observe, debug: bool) -> None:
        self._app = app
        self._workspace = workspace
        self._observe = observe
        self._debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send, self._observe)
        try:
            self._measure(scope)
            if (scope["method"], scope["path"]) not in PUBLIC:
                scope.setdefault("state", {})["actor"] = await run_in_threadpool(self._actor, scope)
            await self._app(scope, receive, answer)
        except SegueError as error:
            await self._tell(error, scope, receive, answer)
        except Exception as error:  # noqa: BLE001 -- the outermost handler
            # A traceback may show a person's data: without debug only the type is told.
            _log.error("%s failed: %s", answer.path, type(error).__name__, exc_info=self._debug)
            await self._tell(error, scope, receive, answer)

    async def _tell(self, error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Answer with the problem; where the answer has begun, breaking it off is all that is left."""
        if answer.begun:
            raise error
        await respond(problem_of(explain(error)))(scope, receive, answer)

    def _actor(self, scope: Scope) -> Actor:
        kind, _, text = Headers(scope=scope).get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not text.strip():
            raise TokenError(
                "The request carries no token.",
                code="token_missing",
                steps=("Send the header `Authorization: Bearer TOKEN`.", "Make one: segue token create NAME"),
            )
        client = scope.get("client")
        return recognise(self._workspace, text.strip(), address=client[0] if client else None)

    def _measure(self, scope: Scope) -> None:
        """The server holds a body to its announced length, so that the announcement is enough to look at."""
        headers = Headers(scope=scope)
        length = headers.get("content-length")
        if length is None and "transfer-encoding" in headers:
            raise UsageError(
                "The body has no Content-Length.", code="length_needed", steps=("Send it with its length.",)
            )
        if length is not None and (not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES):
            raise UsageError(f"The body is larger than {MOST_BYTES:,} bytes.", code="too_large")


class _Answer:
    """The answer on its way: with the headers that all have, and counted."""

    def __init__(self, scope: Scope, send: Send, observe: Observe) -> None:
        self._scope = scope
        self._send = send
        self._observe = observe
        self._started = time.monotonic()
        self.begun = False

    @property
    def path(self) -> str:
        """The path as the route has it: names of things are not for counters and logs."""
        return str(getattr(self._scope.get("route"), "path", "none"))

    async def __call__(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            status = int(message.get("status", HTTPStatus.OK))
            self._observe(self._scope["method"], self.path, status, time.monotonic() - self._started)
        await self._send(message)
