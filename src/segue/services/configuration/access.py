"""What an actor may change, and with which destinations."""

from __future__ import annotations

from collections.abc import Sequence

from segue.services.configuration.changes import Change
from segue.services.configuration.entries import (
    DataTemplateEntry,
    DestinationEntry,
    Entry,
    GroupEntry,
    OrchestrationEntry,
)
from segue.services.configuration.retention import KEY
from segue.services.configuration.state import State
from segue.services.permissions import EDITS, Actor, require_destination


def require_changes(actor: Actor, changes: Sequence[Change], before: State, after: State) -> None:
    """Raise NotPermittedError for the first change that the actor may not make, now or with what it refers to."""
    for change in changes:
        if change.action == "unchanged":
            continue
        if change.kind == KEY:
            actor.require("settings.edit")
            continue
        actor.require(EDITS[change.kind])
        for state, name in ((before, change.renamed_from or change.name), (after, change.name)):
            entry = state[change.kind].get(name)
            if entry is not None:
                _require_its_destination(actor, entry, state)


def _require_its_destination(actor: Actor, entry: Entry, state: State) -> None:
    for name in _destinations(entry, state):
        destination = state["destinations"].get(name)
        if isinstance(destination, DestinationEntry):
            # Configuring shows nobody's data: what keeps users with restricted data away is about sending.
            require_destination(actor, name, admin_only=destination.admin_only, allow_restricted_pii=True)


def _destinations(entry: Entry, state: State) -> tuple[str, ...]:
    match entry:
        case DestinationEntry():
            return (entry.name,)
        case DataTemplateEntry() | OrchestrationEntry():
            return (entry.destination,)
        case GroupEntry():
            members = (state["orchestrations"].get(member.orchestration) for member in entry.members)
            return tuple(member.destination for member in members if isinstance(member, OrchestrationEntry))
    return ()
