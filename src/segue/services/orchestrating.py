"""An orchestration as people set it up: what is sent, and the group that runs it, saved together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.errors import UsageError
from segue.services.editing import Configured, list_configured, save_together
from segue.services.workspace import Workspace

_GROUPS = "orchestration_groups"


def save_orchestration(
    workspace: Workspace,
    entry: Mapping[str, Any],
    *,
    groups: Sequence[str | Mapping[str, Any]] = (),
    query: Mapping[str, Any] | None = None,
    seen: Configured | None = None,
) -> None:
    """Save an orchestration, and with it who runs it.

    groups: those that run it: names, or what a new group says besides its members; none: somebody runs it, and it leaves every
    group. query: a new one that it sends. seen: the orchestration that is changed. Raises ConfigurationError, UsageError
    ``exists`` and ``last_member``, ChangedError.
    """
    name = str(entry["name"])
    entries: list[tuple[str, Mapping[str, Any]]] = [("queries", query)] if query is not None else []
    entries.append(("orchestrations", {**entry, "workflow": "automatic" if groups else "manual"}))
    known = [("orchestrations", seen)] if seen is not None else []
    new = [group for group in groups if not isinstance(group, str)]
    for thing in list_configured(workspace, _GROUPS):
        if thing.name in [group["name"] for group in new]:
            continue  # that the name is taken is told when it is saved
        changed = _with(thing, name) if thing.name in groups else _without(thing, name)
        if changed is not None:
            entries.append((_GROUPS, changed))
            known.append((_GROUPS, thing))
    entries += [(_GROUPS, {**group, "members": [{"orchestration": name}]}) for group in new]
    save_together(workspace, entries, seen=known)


def table_query(workspace: Workspace, database: str, table: str) -> tuple[str, Mapping[str, Any] | None]:
    """The query that sends a whole table: its name, and what it says where it is not there yet."""
    quoted = table.replace('"', '""')
    entry = {
        "name": f"All of {table}",
        "database": database,
        "status": "active",
        "sql": f'SELECT * FROM "{quoted}"',
    }
    for thing in list_configured(workspace, "queries"):
        if all(thing.entry.get(key) == entry[key] for key in ("database", "status", "sql")):
            return thing.name, None
    return str(entry["name"]), entry


def groups_of(workspace: Workspace, orchestration: str) -> tuple[str, ...]:
    """Names of the groups that run an orchestration."""
    return tuple(thing.name for thing in list_configured(workspace, _GROUPS) if orchestration in _members(thing))


def _members(group: Configured) -> list[str]:
    return [member["orchestration"] for member in group.entry["members"]]


def _with(group: Configured, name: str) -> Mapping[str, Any] | None:
    if name in _members(group):
        return None
    return {**group.entry, "members": [*group.entry["members"], {"orchestration": name}]}


def _without(group: Configured, name: str) -> Mapping[str, Any] | None:
    if name not in _members(group):
        return None
    left = [_freed(member, name) for member in group.entry["members"] if member["orchestration"] != name]
    if not left:
        raise UsageError(
            f'"{name}" is the last member of the group "{group.name}", and a group has one at least.',
            code="last_member",
            steps=("Delete the group first, or give it another member.",),
        )
    return {**group.entry, "members": left}


def _freed(member: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member that no longer waits for one that leaves."""
    after = [other for other in member.get("after", ()) if other != name]
    rest = {key: value for key, value in member.items() if key != "after"}
    return {**rest, "after": after} if after else rest
