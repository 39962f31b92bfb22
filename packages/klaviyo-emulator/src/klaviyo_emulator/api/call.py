"""What a handler gets and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from klaviyo_emulator.errors import forbidden, invalid
from klaviyo_emulator.faults import Fault
from klaviyo_emulator.query import Query
from klaviyo_emulator.world import Account, Key, World


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request that passed authentication and the rate windows."""

    world: World
    account: Account
    access: Key
    """The key that the client showed."""
    key: str
    """Value of the path's one parameter; empty without one."""
    query: Query
    raw: bytes
    body: Any
    """The parsed body; None when there was none."""
    base: str
    """``http://host:port`` as the client named it."""
    path: str
    now: float
    fault: Fault | None = None

    @property
    def url(self) -> str:
        """The address of this call without its query."""
        return f"{self.base}{self.path}"

    @property
    def read_time(self) -> float:
        """The time as of which members are read: now, less the lag of eventual consistency."""
        return self.now - self.world.settings.list_lag

    def require(self, scope: str) -> None:
        """Refuse with 403 when the key lacks a scope that only some calls of an operation need."""
        if scope not in self.access.scopes:
            raise forbidden(scope)

    def next_url(self, cursor: Any) -> str:
        """The absolute address of the page that begins after a cursor."""
        return f"{self.url}?{self.query.with_cursor(cursor)}"

    def data(self, kind: str) -> dict[str, Any]:
        """The body's ``data`` of the given type with an ``attributes`` object; raises ApiError 400."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        if not isinstance(data, dict):
            raise invalid("The payload must hold a data object.", pointer="/data")
        if data.get("type") != kind:
            raise invalid(f"The type must be '{kind}'.", pointer="/data/type")
        if not isinstance(data.get("attributes", {}), dict):
            raise invalid("attributes must be an object.", pointer="/data/attributes")
        return data


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer; document None: no body."""

    status: int = 200
    document: dict[str, Any] | None = None


Handler = Callable[[Call], Reply]
