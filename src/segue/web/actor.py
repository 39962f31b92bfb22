"""Who looks at a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person. policy: what the person is, in words."""

    name: str
    policy: str

    def may(self, permission: str) -> bool:
        """Whether the person may do this."""
        return bool(permission)


def current_actor() -> Actor:
    """The person behind the page or the event that is being handled."""
    return Actor(name="Administrator", policy="administrator")
