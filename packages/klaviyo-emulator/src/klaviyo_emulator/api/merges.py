"""Merging two profiles into one."""

from __future__ import annotations

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.profiles import profile_of
from klaviyo_emulator.documents import document
from klaviyo_emulator.errors import invalid
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.world import Account
from klaviyo_emulator.writing import merge


def merge_people(account: Account, source: Profile, into: Profile, now: float) -> None:
    """Move everything of ``source`` to ``into``, memberships included; the id of ``source`` becomes unknown."""
    for group in (*account.lists.values(), *account.segments.values()):
        if group.members.discard(source.id, now):
            group.members.add(into.id, now)
    merge(account.profiles, source, into)
    into.updated = now


def merge_profiles(call: Call) -> Reply:
    """POST /api/profile-merge with one source; applied at once."""
    data = call.data("profile-merge")
    into = profile_of(call, str(data.get("id")))
    relationships = data.get("relationships")
    profiles = relationships.get("profiles") if isinstance(relationships, dict) else None
    sources = profiles.get("data") if isinstance(profiles, dict) else None
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        raise invalid("Name one source profile.", pointer="/data/relationships/profiles/data")
    source = profile_of(call, str(sources[0].get("id")))
    if source is into:
        raise invalid("A profile cannot be merged into itself.", pointer="/data/relationships/profiles/data/0/id")
    merge_people(call.account, source, into, call.now)
    url = f"{call.base}/api/profiles/{into.id}"
    return Reply(status=201, document=document({"type": "profile", "id": into.id, "links": {"self": url}}, url))


HANDLERS: dict[str, Handler] = {"POST /api/profile-merge": merge_profiles}
