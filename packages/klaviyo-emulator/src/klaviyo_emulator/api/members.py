"""Who is in a list: read, add and remove."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.lists import get_list_of
from klaviyo_emulator.api.paging import position_cursor, position_page
from klaviyo_emulator.clock import iso
from klaviyo_emulator.documents import Resource, identifier, page, profile_resource
from klaviyo_emulator.errors import invalid, not_found
from klaviyo_emulator.groups import Group
from klaviyo_emulator.query import Condition
from klaviyo_emulator.writing import normal_identifier

MAX_IDS = 1000
DEFAULT_PAGE, MAX_PAGE = 20, 100
_SAME = frozenset(("any", "equals"))
FILTERS = {
    "email": _SAME,
    "phone_number": _SAME,
    "push_token": _SAME,
    "_kx": frozenset(("equals",)),
    "joined_group_at": frozenset(("greater-or-equal", "greater-than", "less-or-equal", "less-than")),
}
SORTS = {"joined_group_at": "joined_group_at"}


def get_members(call: Call) -> Reply:
    """A page of profiles with the time at which they joined."""
    group = get_list_of(call, call.key)
    return Reply(document=member_page(call, group, full=True))


def get_member_ids(call: Call) -> Reply:
    """A page of profile ids."""
    group = get_list_of(call, call.key)
    return Reply(document=member_page(call, group, full=False))


def member_page(call: Call, group: Group, *, full: bool) -> Resource:
    """A page of the members of a list or segment, as profiles or as ids."""
    query = call.query
    size = query.page_size(default=DEFAULT_PAGE, maximum=MAX_PAGE)
    conditions = query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    _, backwards = query.sort(SORTS) or ("", False)
    positions = _matching(call, group, conditions, after=position_cursor(call), backwards=backwards)
    shown, more = position_page(call, positions, size=size)
    if not full:
        return page([identifier("profile", group.members.entry(at)[0]) for at in shown], call.url, more)
    fields = query.names("fields[profile]")
    consent = "subscriptions" in (query.names("additional-fields[profile]") or ())
    found = []
    for at in shown:
        profile_id, joined = group.members.entry(at)
        extra = {"joined_group_at": iso(joined)}
        profile = call.account.profiles.by_id[profile_id]
        found.append(profile_resource(profile, call.base, fields=fields, extra=extra, with_subscriptions=consent))
    return page(found, call.url, more)


def _matching(
    call: Call, group: Group, conditions: list[Condition], *, after: int | None, backwards: bool
) -> Iterator[int]:
    members, people = group.members, call.account.profiles
    named = [one for one in conditions if one.field != "joined_group_at"]
    span = _span(group, [one for one in conditions if one.field == "joined_group_at"])
    positions: Iterable[int]
    if named:
        ids = set.intersection(*(_ids(call, condition) for condition in named))
        found = (members.find(profile_id, call.read_time) for profile_id in ids)
        positions = sorted((at for at in found if at is not None and at in span), reverse=backwards)
        if after is not None:
            positions = [at for at in positions if (at < after if backwards else at > after)]
    else:
        positions = members.walk(call.read_time, span=span, after=after, backwards=backwards)
    # A merged or deleted profile stays in the history of the list but is nobody any more.
    return (at for at in positions if members.entry(at)[0] in people.by_id)


def _span(group: Group, conditions: list[Condition]) -> range:
    spans = [group.members.joined(one.operator, one.value) for one in conditions if isinstance(one.value, float)]
    first = max((span.start for span in spans), default=0)
    return range(first, min((span.stop for span in spans), default=sys.maxsize))


def _ids(call: Call, condition: Condition) -> set[str]:
    if condition.field in ("push_token", "_kx"):
        return set()
    values = condition.value if isinstance(condition.value, list) else [str(condition.value)]
    owners = (
        call.account.profiles.owner(condition.field, normal_identifier(condition.field, value)) for value in values
    )
    return {profile.id for profile in owners if profile is not None}


def _profile_ids(call: Call) -> list[str]:
    """The ids of the body that exist; how an unknown one is met is a setting."""
    data = call.body.get("data") if isinstance(call.body, dict) else None
    if not isinstance(data, list) or not data:
        raise invalid("The payload must hold an array of profiles.", pointer="/data")
    if len(data) > MAX_IDS:
        raise invalid(f"A call takes at most {MAX_IDS} profiles.", pointer="/data")
    for at, item in enumerate(data):
        if not isinstance(item, dict) or item.get("type") != "profile" or not isinstance(item.get("id"), str):
            raise invalid("Each entry must be a profile with an id.", pointer=f"/data/{at}")
    known = call.account.profiles.by_id
    unknown = next((item["id"] for item in data if item["id"] not in known), None)
    if unknown is not None and call.world.settings.unknown_ids == "refuse":
        raise not_found("profile", unknown)
    return [item["id"] for item in data if item["id"] in known]


def add_members(call: Call) -> Reply:
    """Let up to 1,000 profiles join."""
    group = get_list_of(call, call.key)
    for profile_id in _profile_ids(call):
        group.members.add(profile_id, call.now)
    return Reply(status=204)


def remove_members(call: Call) -> Reply:
    """Let up to 1,000 profiles leave; consent and suppression stay as they are."""
    group = get_list_of(call, call.key)
    for profile_id in _profile_ids(call):
        group.members.discard(profile_id, call.now)
    return Reply(status=204)


HANDLERS: dict[str, Handler] = {
    "GET /api/lists/{id}/profiles": get_members,
    "GET /api/lists/{id}/relationships/profiles": get_member_ids,
    "POST /api/lists/{id}/relationships/profiles": add_members,
    "DELETE /api/lists/{id}/relationships/profiles": remove_members,
}
