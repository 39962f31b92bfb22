"""One module a noun of the API; each offers HANDLERS, operation name to function."""

from __future__ import annotations

from klaviyo_emulator.api import accounts, consent, events, imports, lists, members, merges, profiles, segments
from klaviyo_emulator.api.call import Call, Handler, Reply

HANDLERS: dict[str, Handler] = {
    **accounts.HANDLERS,
    **lists.HANDLERS,
    **members.HANDLERS,
    **profiles.HANDLERS,
    **merges.HANDLERS,
    **imports.HANDLERS,
    **segments.HANDLERS,
    **consent.HANDLERS,
    **events.HANDLERS,
}

__all__ = ["HANDLERS", "Call", "Handler", "Reply"]
