"""One profile at a time: find, read, create, update."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.paging import position_cursor, position_page, sorted_page
from klaviyo_emulator.documents import (
    Resource,
    document,
    identifier,
    list_resource,
    page,
    profile_resource,
    segment_resource,
)
from klaviyo_emulator.errors import duplicate_profile, invalid, not_found, too_large
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.query import Condition
from klaviyo_emulator.validation import MAX_PROFILE_BYTES, profile_fault
from klaviyo_emulator.writing import (
    DuplicateProfileError,
    NoIdentifierError,
    WriteMode,
    identifiers_of,
    match,
    normal_identifier,
    write,
)

DEFAULT_PAGE, MAX_PAGE = 20, 100
_SAME = frozenset(("any", "equals"))
_RANGE = frozenset(("greater-than", "less-than"))
FILTERS = {
    "id": _SAME,
    "email": _SAME,
    "phone_number": _SAME,
    "external_id": _SAME,
    "_kx": frozenset(("equals",)),
    "created": _RANGE,
    "updated": _RANGE,
}
SORTS = {"id": "id", "created": "id", "updated": "updated", "email": "email"}


def get_profiles(call: Call) -> Reply:
    """A page of profiles, found by identifiers or times."""
    query, book = call.query, call.account.profiles
    conditions = query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    size = query.page_size(default=DEFAULT_PAGE, maximum=MAX_PAGE)
    field, descending = query.sort(SORTS) or ("id", False)
    if any(one.field not in ("created", "updated") for one in conditions) or field != "id":
        found = [profile for profile in _candidates(call, conditions) if _in_time(profile, conditions)]
        shown, more = sorted_page(
            call, found, lambda one: (getattr(one, field) or "", one.id), size=size, descending=descending
        )
    else:
        positions, more = position_page(call, _positions(call, conditions, descending), size=size)
        shown = [book.by_id[book.ids[at]] for at in positions]
    return Reply(document=page([_resource(call, profile) for profile in shown], call.url, more))


def _positions(call: Call, conditions: list[Condition], descending: bool) -> Iterator[int]:
    book, after = call.account.profiles, position_cursor(call)
    if descending:
        span = range((len(book.ids) if after is None else after) - 1, -1, -1)
    else:
        span = range(0 if after is None else after + 1, len(book.ids))
    for at in span:
        profile = book.by_id.get(book.ids[at])
        if profile is not None and _in_time(profile, conditions):
            yield at


def _candidates(call: Call, conditions: list[Condition]) -> list[Profile]:
    """Whom the identifiers of the filter name; everybody when it names none."""
    book, named = call.account.profiles, [one for one in conditions if one.field not in ("created", "updated")]
    if not named:
        return list(book)
    groups = []
    for condition in named:
        values = condition.value if isinstance(condition.value, list) else [str(condition.value)]
        if condition.field == "id":
            owners = [book.by_id.get(value) for value in values]
        elif condition.field == "_kx":
            owners = []
        else:
            owners = [book.owner(condition.field, normal_identifier(condition.field, value)) for value in values]
        groups.append({profile.id for profile in owners if profile is not None})
    return [book.by_id[key] for key in set.intersection(*groups)]


def _in_time(profile: Profile, conditions: list[Condition]) -> bool:
    for condition in conditions:
        if condition.field in ("created", "updated") and isinstance(condition.value, float):
            have = getattr(profile, condition.field)
            if not (have > condition.value if condition.operator == "greater-than" else have < condition.value):
                return False
    return True


def _resource(call: Call, profile: Profile) -> Resource:
    return profile_resource(
        profile,
        call.base,
        fields=call.query.names("fields[profile]"),
        with_subscriptions="subscriptions" in (call.query.names("additional-fields[profile]") or ()),
    )


def profile_of(call: Call, key: str) -> Profile:
    """A profile of the account; raises 404."""
    profile = call.account.profiles.by_id.get(key)
    if profile is None:
        raise not_found("profile", key)
    return profile


def get_profile(call: Call) -> Reply:
    """One profile, with its lists and segments when ``include`` asks for them."""
    profile = profile_of(call, call.key)
    wanted = call.query.names("include") or frozenset()
    included = None
    if wanted & {"lists", "segments"}:
        if "lists" in wanted:
            call.require("lists:read")
        if "segments" in wanted:
            call.require("segments:read")
        account = call.account
        included = [
            *(list_resource(one, call.base) for one in account.lists.values() if _has(one, profile, wanted, "lists")),
            *(
                segment_resource(one, call.base)
                for one in account.segments.values()
                if _has(one, profile, wanted, "segments")
            ),
        ]
    return Reply(document=document(_resource(call, profile), call.url, included=included))


def _has(group: Any, profile: Profile, wanted: frozenset[str], kind: str) -> bool:
    return kind in wanted and profile.id in group.members


def create_profile(call: Call) -> Reply:
    """A new profile; 409 when an identifier is taken."""
    data = _checked(call, creating=True)
    identifiers = identifiers_of(data["attributes"])
    for field, value in identifiers.items():
        owner = call.account.profiles.owner(field, value) if value else None
        if owner is not None:
            raise duplicate_profile(owner.id)
    profile = _write(call, None, data)
    return Reply(status=201, document=document(_resource(call, profile), f"{call.base}/api/profiles/{profile.id}"))


def update_profile(call: Call) -> Reply:
    """Change one profile: absent leaves alone, null clears."""
    profile = profile_of(call, call.key)
    data = _checked(call)
    if data.get("id") != profile.id:
        raise invalid("The id must be that of the path.", pointer="/data/id")
    _write(call, profile, data)
    return Reply(document=document(_resource(call, profile), call.url))


def import_profile(call: Call) -> Reply:
    """Create or update by whatever identifier the body holds: 201 or 200."""
    data = _checked(call)
    known = profile_of(call, data["id"]) if data.get("id") else None
    try:
        found = match(call.account.profiles, identifiers_of(data["attributes"]), known)
    except DuplicateProfileError as conflict:
        raise duplicate_profile(conflict.profile_id) from None
    profile = _write(call, found, data)
    status = 201 if found is None else 200
    return Reply(status=status, document=document(_resource(call, profile), f"{call.base}/api/profiles/{profile.id}"))


def _checked(call: Call, *, creating: bool = False) -> dict[str, Any]:
    if len(call.raw) > MAX_PROFILE_BYTES:
        raise too_large(MAX_PROFILE_BYTES)
    data = call.data("profile")
    data.setdefault("attributes", {})
    if fault := profile_fault(data):
        where, detail = fault
        if where == "/meta/patch_properties/unset":
            where = "/attributes/meta/patch_properties/unset"
        raise invalid(detail, pointer=f"/data{where}")
    if creating:
        for name, place in (("id", data), ("meta", data), ("_kx", data["attributes"])):
            if place.get(name) is not None:
                raise invalid(f"'{name}' is not valid when a profile is created.", pointer=f"/data/{name}")
    return data


def _write(call: Call, profile: Profile | None, data: dict[str, Any]) -> Profile:
    attributes = data["attributes"]
    identifiers = identifiers_of(attributes)
    mode = WriteMode(nulls="clear", unset=call.world.settings.unset)
    try:
        match(call.account.profiles, identifiers, profile)
        return write(
            call.account.profiles,
            profile,
            attributes,
            data.get("meta"),
            identifiers=identifiers,
            mode=mode,
            now=call.now,
        )
    except DuplicateProfileError as conflict:
        raise duplicate_profile(conflict.profile_id) from None
    except NoIdentifierError:
        detail = "One of these identifiers is required: id, email, phone_number, external_id."
        raise invalid(detail, pointer="/data/attributes") from None


def get_profile_lists(call: Call) -> Reply:
    """The lists of a profile."""
    profile = profile_of(call, call.key)
    fields = call.query.names("fields[list]")
    found = [one for one in call.account.lists.values() if profile.id in one.members]
    return Reply(document=page([list_resource(one, call.base, fields=fields) for one in found], call.url, None))


def get_profile_list_ids(call: Call) -> Reply:
    """The ids of the lists of a profile."""
    profile = profile_of(call, call.key)
    found = [identifier("list", one.id) for one in call.account.lists.values() if profile.id in one.members]
    return Reply(document=page(found, call.url, None))


HANDLERS: dict[str, Handler] = {
    "GET /api/profiles": get_profiles,
    "POST /api/profiles": create_profile,
    "GET /api/profiles/{id}": get_profile,
    "PATCH /api/profiles/{id}": update_profile,
    "GET /api/profiles/{id}/lists": get_profile_lists,
    "GET /api/profiles/{id}/relationships/lists": get_profile_list_ids,
    "POST /api/profile-import": import_profile,
}
