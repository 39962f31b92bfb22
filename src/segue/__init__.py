"""Segue sends the results of SQL queries to Klaviyo and keeps them true there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.client import Client as Client

__all__ = ["Client"]


def __getattr__(name: str) -> object:
    """``segue.Client``, loaded when it is asked for: commands do not need it."""
    if name == "Client":
        from segue.client import Client  # noqa: PLC0415

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
