"""Pages that look again and again whether something changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui


def look_every(seconds: float, look: Callable[[], Awaitable[None]], *, at_once: bool = False) -> None:
    """Look every so many seconds while somebody is at the page: one that was left goes on for a while before it is gone.

    at_once: look first when the page stands, and not only so many seconds later.
    """
    client = ui.context.client

    async def turn() -> None:
        if client.has_socket_connection:
            await look()

    ui.timer(seconds, turn, immediate=at_once)
