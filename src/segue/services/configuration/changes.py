"""What an apply would change, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from segue.security import Secret
from segue.services.configuration.entries import KINDS, Entry, OrchestrationEntry
from segue.services.configuration.state import State

Action = Literal["create", "update", "rename", "delete", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of an entry, before and after; None where it is not set. A secret is a ``Secret``."""

    name: str
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one entry. fields: the fields that differ, all of them for create and delete; renamed_from: the name
    that an entry had until now."""

    kind: str
    name: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    renamed_from: str | None = None


def compare(current: State, desired: State, *, prune: bool) -> tuple[Change, ...]:
    """The changes that lead from current to desired; with prune, entries that desired lacks are deleted.

    An orchestration that only has another name is renamed: a new one would know nothing of the people it sent, and those
    who leave the query would stay on the list for ever. Saves come in the order of the kinds, then deletes in the opposite
    order, so that references always hold.
    """
    before = current["orchestrations"]
    renamed = _renames(before, desired["orchestrations"]) if prune else {}
    saves = [
        _rename(kind, name, renamed[name], before[renamed[name]], entry)
        if kind == "orchestrations" and name in renamed
        else _change(kind, name, current[kind].get(name), entry)
        for kind in KINDS
        for name, entry in sorted(desired[kind].items())
    ]
    deletes = [
        _change(kind, name, entry, None)
        for kind in reversed(tuple(KINDS))
        for name, entry in sorted(current[kind].items())
        if prune and name not in desired[kind] and not (kind == "orchestrations" and name in renamed.values())
    ]
    return (*saves, *deletes)


def _renames(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> dict[str, str]:
    """New name -> old name, where one that goes and one that comes are alone in what they send where and how."""
    gone = _by_work({name: entry for name, entry in before.items() if name not in after})
    come = _by_work({name: entry for name, entry in after.items() if name not in before})
    return {names[0]: gone[work][0] for work, names in come.items() if len(names) == 1 and len(gone.get(work, ())) == 1}


def _by_work(entries: Mapping[str, Entry]) -> dict[tuple[str, str, str], list[str]]:
    names: dict[tuple[str, str, str], list[str]] = {}
    for name, entry in entries.items():
        if isinstance(entry, OrchestrationEntry):
            names.setdefault((entry.query, entry.destination, entry.data_template), []).append(name)
    return names


def _rename(kind: str, name: str, former: str, old: Entry, new: Entry) -> Change:
    return replace(_change(kind, name, old, new), action="rename", renamed_from=former)


def _change(kind: str, name: str, old: Entry | None, new: Entry | None) -> Change:
    before, after = _facts(old), _facts(new)
    fields = tuple(
        FieldChange(name=key, old=before.get(key), new=after.get(key))
        for key in dict.fromkeys((*before, *after))
        # A setting that is explicitly null differs from one that is not set.
        if (key in before, before.get(key)) != (key in after, after.get(key))
    )
    if old is None:
        action: Action = "create"
    elif new is None:
        action = "delete"
    else:
        action = "update" if fields else "unchanged"
    return Change(kind=kind, name=name, action=action, fields=fields)


def _facts(entry: Entry | None) -> dict[str, object]:
    """The fields of an entry by name; a nested one is ``settings.max_rows``."""
    if entry is None:
        return {}
    return dict(_flat({key: value for key, value in entry.document().items() if key != "name"}))


def _flat(document: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs


def shown(value: object) -> object:
    """A value of a FieldChange as it may be shown: a secret says only that it is one."""
    return "(secret)" if isinstance(value, Secret) else value
