"""The ASGI application: the API, the administration and the page, over one world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from klaviyo_emulator.admin import Admin
from klaviyo_emulator.gateway import Gateway
from klaviyo_emulator.page import Page
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import World


class Switch:
    """Sends API requests straight to the gateway: routing them by pattern would cost more than most answers."""

    def __init__(self, gateway: ASGIApp, rest: ASGIApp) -> None:
        self._gateway = gateway
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._gateway if api else self._rest)(scope, receive, send)


def build_app(world: World) -> ASGIApp:
    """Everything over one world; its lifespan runs the worker."""
    worker = Worker(world)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    rest = Starlette(
        routes=[Route("/", Page(world).show), Mount("/admin", routes=Admin(world, worker).routes())],
        lifespan=lifespan,
    )
    return Switch(Gateway(world, worker), rest)
