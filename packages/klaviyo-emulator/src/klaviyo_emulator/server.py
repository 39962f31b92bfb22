"""The HTTP server, in the foreground for the command and in a thread for tests."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from klaviyo_emulator.admin_client import EmulatorAdmin
from klaviyo_emulator.app import build_app
from klaviyo_emulator.clock import Clock
from klaviyo_emulator.gateway import TRANSPORT
from klaviyo_emulator.settings import Settings
from klaviyo_emulator.world import World

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048


class DroppableProtocol(HttpToolsProtocol):
    """The server's protocol, with the connection in reach of the application: faults close it without an answer."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {
            TRANSPORT: self.transport,  # type: ignore[dict-item]
            TRANSPORT + ".lost": lambda: self.parser is None,  # type: ignore[dict-item]
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """An emulator that is listening. url has no slash at its end; key is a private key with all scopes."""

    url: str
    key: str
    admin: EmulatorAdmin


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio switches Nagle's delay (40 ms an answer) off only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def server_for(world: World) -> uvicorn.Server:
    """A server that is ready to run on a listening socket."""
    config = uvicorn.Config(
        build_app(world),
        http=DroppableProtocol,
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@contextmanager
def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    keys: Iterable[str] = (),
    frozen_at: float | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """Run an emulator in a thread for the length of the block.

    frozen_at: seconds since 1970 at which its clock stands still until ``admin.advance``; None: the real clock.
    settings: any field of Settings, such as ``limit_scale=0``; raises BadSettingError.
    """
    switches = Settings()
    switches.change(settings)
    world = World(clock=Clock(frozen_at=frozen_at), settings=switches, keys=keys)
    listener = listen(host, port)
    bound_port = listener.getsockname()[1]
    server = server_for(world)
    # The socket listens already, so a client may connect before the thread has begun to serve.
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="klaviyo-emulator", daemon=True
    )
    thread.start()
    url = f"http://{'[' + host + ']' if ':' in host else host}:{bound_port}"
    try:
        yield Running(url=url, key=next(iter(world.keys)), admin=EmulatorAdmin(url))
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
