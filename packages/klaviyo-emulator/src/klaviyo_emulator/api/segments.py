"""Segments, in the little that a list sync meets: they exist, count towards the cap, and can be read."""

from __future__ import annotations

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.lists import FILTERS, SORTS, check_group_cap, group_matches
from klaviyo_emulator.api.members import member_page
from klaviyo_emulator.api.paging import sorted_page
from klaviyo_emulator.documents import document, page, segment_resource
from klaviyo_emulator.errors import invalid, not_found
from klaviyo_emulator.groups import Group

PAGE_SIZE = 10


def _segment(call: Call) -> Group:
    group = call.account.segments.get(call.key)
    if group is None:
        raise not_found("segment", call.key)
    return group


def get_segments(call: Call) -> Reply:
    """A page of segments."""
    query = call.query
    conditions = query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    size = query.page_size(default=PAGE_SIZE, maximum=PAGE_SIZE)
    field, descending = query.sort(SORTS) or ("created", False)
    found = [group for group in call.account.segments.values() if group_matches(group, conditions)]
    shown, more = sorted_page(
        call, found, lambda group: (getattr(group, field), group.id), size=size, descending=descending
    )
    fields = query.names("fields[segment]")
    return Reply(document=page([segment_resource(one, call.base, fields=fields) for one in shown], call.url, more))


def create_segment(call: Call) -> Reply:
    """A new segment; it stays empty, because no definition is evaluated here."""
    name = call.data("segment").get("attributes", {}).get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid("'name' is a required field for the resource 'segment'.", pointer="/data/attributes/name")
    check_group_cap(call)
    group = Group(call.account.new_group_id(), name, call.now)
    call.account.segments[group.id] = group
    url = f"{call.base}/api/segments/{group.id}"
    return Reply(status=201, document=document(segment_resource(group, call.base), url))


def get_segment(call: Call) -> Reply:
    """One segment, with its count when asked for."""
    group = _segment(call)
    wants_count = "profile_count" in (call.query.names("additional-fields[segment]") or ())
    count = group.members.count(call.read_time) if wants_count else None
    made = segment_resource(group, call.base, fields=call.query.names("fields[segment]"), count=count)
    return Reply(document=document(made, call.url))


def delete_segment(call: Call) -> Reply:
    """Delete a segment."""
    _segment(call)
    del call.account.segments[call.key]
    return Reply(status=204)


def get_segment_members(call: Call) -> Reply:
    """A page of profiles."""
    return Reply(document=member_page(call, _segment(call), full=True))


def get_segment_member_ids(call: Call) -> Reply:
    """A page of profile ids."""
    return Reply(document=member_page(call, _segment(call), full=False))


HANDLERS: dict[str, Handler] = {
    "GET /api/segments": get_segments,
    "POST /api/segments": create_segment,
    "GET /api/segments/{id}": get_segment,
    "DELETE /api/segments/{id}": delete_segment,
    "GET /api/segments/{id}/profiles": get_segment_members,
    "GET /api/segments/{id}/relationships/profiles": get_segment_member_ids,
}
