"""Lists: find, create, rename, delete."""

from __future__ import annotations

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.paging import sorted_page
from klaviyo_emulator.documents import document, list_resource, page
from klaviyo_emulator.errors import ApiError, Problem, invalid, not_found, throttled
from klaviyo_emulator.groups import Group
from klaviyo_emulator.limits import DAY_SECONDS
from klaviyo_emulator.query import Condition

PAGE_SIZE = 10
FILTERS = {
    "name": frozenset(("any", "equals")),
    "id": frozenset(("any", "equals")),
    "created": frozenset(("greater-than",)),
    "updated": frozenset(("greater-than",)),
}
SORTS = {"id": "id", "name": "name", "created": "created", "updated": "updated"}
OPT_INS = ("single_opt_in", "double_opt_in")


def get_list_of(call: Call, key: str) -> Group:
    """A list of the account; raises 404."""
    group = call.account.lists.get(key)
    if group is None:
        raise not_found("list", key)
    return group


def group_matches(group: Group, conditions: list[Condition]) -> bool:
    """Whether a list or segment meets every comparison."""
    for condition in conditions:
        have, want = getattr(group, condition.field), condition.value
        if condition.operator == "any":
            holds = isinstance(want, list) and have in want
        elif condition.operator == "equals":
            holds = have == want
        else:
            holds = have > want
        if not holds:
            return False
    return True


def get_lists(call: Call) -> Reply:
    """A page of lists."""
    query = call.query
    conditions = query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    size = query.page_size(default=PAGE_SIZE, maximum=PAGE_SIZE)
    field, descending = query.sort(SORTS) or ("created", False)
    found = [group for group in call.account.lists.values() if group_matches(group, conditions)]
    shown, more = sorted_page(
        call, found, lambda group: (getattr(group, field), group.id), size=size, descending=descending
    )
    fields = query.names("fields[list]")
    return Reply(document=page([list_resource(group, call.base, fields=fields) for group in shown], call.url, more))


def create_list(call: Call) -> Reply:
    """A new list, within the account's daily and total caps."""
    attributes = call.data("list").get("attributes", {})
    name = attributes.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid("'name' is a required field for the resource 'list'.", pointer="/data/attributes/name")
    opt_in = _opt_in(attributes.get("opt_in_process"))
    account, settings = call.account, call.world.settings
    if settings.unique_list_names and any(group.name == name for group in account.lists.values()):
        problem = Problem(
            code="duplicate_list",
            title="Conflict.",
            detail="A list with this name already exists.",
            pointer="/data/attributes/name",
        )
        raise ApiError(409, [problem])
    check_group_cap(call)
    if settings.daily_lists:
        wait = call.world.windows.room(
            call.access.owner, "lists a day", limit=settings.daily_lists, seconds=DAY_SECONDS, now=call.now
        )
        if wait is not None:
            raise throttled(wait)
    group = Group(account.new_group_id(), name, call.now, opt_in_process=opt_in)
    account.lists[group.id] = group
    made = list_resource(group, call.base, fields=call.query.names("fields[list]"))
    return Reply(status=201, document=document(made, f"{call.base}/api/lists/{group.id}"))


def check_group_cap(call: Call) -> None:
    """Refuse another list or segment when the account is full."""
    cap = call.world.settings.max_groups
    if cap and len(call.account.lists) + len(call.account.segments) >= cap:
        raise invalid(f"You have reached the maximum of {cap} lists and segments for this account.", pointer="/data")


def _opt_in(value: object) -> str:
    if value is None:
        return OPT_INS[0]
    if value not in OPT_INS:
        detail = f"opt_in_process must be one of {', '.join(OPT_INS)}."
        raise invalid(detail, pointer="/data/attributes/opt_in_process")
    return str(value)


def get_list(call: Call) -> Reply:
    """One list, with its count when asked for."""
    group = get_list_of(call, call.key)
    wants_count = "profile_count" in (call.query.names("additional-fields[list]") or ())
    count = group.members.count(call.read_time) if wants_count else None
    made = list_resource(group, call.base, fields=call.query.names("fields[list]"), count=count)
    return Reply(document=document(made, call.url))


def update_list(call: Call) -> Reply:
    """Rename a list."""
    group = get_list_of(call, call.key)
    data = call.data("list")
    if data.get("id") != group.id:
        raise invalid("The id must be that of the path.", pointer="/data/id")
    attributes = data.get("attributes", {})
    name = attributes.get("name")
    if name is not None:
        if not isinstance(name, str) or not name.strip():
            raise invalid("'name' must be a string.", pointer="/data/attributes/name")
        group.name = name
    if attributes.get("opt_in_process") is not None:
        group.opt_in_process = _opt_in(attributes["opt_in_process"])
    group.updated = call.now
    return Reply(document=document(list_resource(group, call.base), call.url))


def delete_list(call: Call) -> Reply:
    """Delete a list; its profiles stay."""
    get_list_of(call, call.key)
    del call.account.lists[call.key]
    return Reply(status=204)


HANDLERS: dict[str, Handler] = {
    "GET /api/lists": get_lists,
    "POST /api/lists": create_list,
    "GET /api/lists/{id}": get_list,
    "PATCH /api/lists/{id}": update_list,
    "DELETE /api/lists/{id}": delete_list,
}
