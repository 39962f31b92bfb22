"""Do the members of groups exist, and does nothing wait for itself?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from segue.services.configuration.documents import Documents, Item
from segue.services.configuration.entries import GroupEntry
from segue.services.configuration.problems import Problem
from segue.services.configuration.state import State
from segue.services.names import suggestion


def group_problems(documents: Documents, future: State) -> Iterator[Problem]:
    """Unknown, repeated and circular members; other groups that are not there or wait for each other."""
    # A broken orchestration or group counts as there: what is wrong is it, not the reference to it.
    orchestrations = {*future["orchestrations"], *_names(documents, "orchestrations")}
    groups = {*future["orchestration_groups"], *_names(documents, "orchestration_groups")}
    for item in documents.named["orchestration_groups"].values():
        if isinstance(item.entry, GroupEntry):
            yield from _members(item, item.entry, orchestrations)
            yield from _after(item, item.entry)
            yield from _other_group(item, item.entry, groups)
    yield from _circle(documents, future)


def _names(documents: Documents, kind: str) -> Iterator[str]:
    for item in documents.items[kind]:
        name = item.data.get("name")
        if isinstance(name, str):
            yield name


def _members(item: Item, entry: GroupEntry, known: set[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, member in enumerate(entry.members):
        name = member.orchestration
        if name not in known:
            message = f'there is no orchestration "{name}"{suggestion(name, known)}'
            yield Problem(item.place("members", index, "orchestration"), message)
        if name in seen:
            message = f'"{name}" is a member twice'
            yield Problem(item.place("members", index, "orchestration"), message)
        seen.add(name)


def _after(item: Item, entry: GroupEntry) -> Iterator[Problem]:
    names = [member.orchestration for member in entry.members]
    for index, member in enumerate(entry.members):
        for position, other in enumerate(member.after):
            if other not in names:
                message = f'"{other}" is no member of this group{suggestion(other, names)}'
                yield Problem(item.place("members", index, "after", position), message)
    circle = circle_of({member.orchestration: member.after for member in entry.members})
    if circle:
        message = f"these members wait for each other: {' > '.join(circle)}"
        yield Problem(item.place("members", names.index(circle[-1]), "after"), message)


def _other_group(item: Item, entry: GroupEntry, known: set[str]) -> Iterator[Problem]:
    if entry.after_group is not None and entry.after_group not in known:
        message = f'there is no orchestration group "{entry.after_group}"{suggestion(entry.after_group, known)}'
        yield Problem(item.place("after_group"), message)


def _circle(documents: Documents, future: State) -> Iterator[Problem]:
    groups = [entry for entry in future["orchestration_groups"].values() if isinstance(entry, GroupEntry)]
    circle = circle_of({group.name: [group.after_group] if group.after_group else [] for group in groups})
    # A circle closes in one of the files: what the workspace holds has none.
    named = documents.named["orchestration_groups"]
    if item := next((named[name] for name in circle if name in named), None):
        message = f"these groups wait for each other: {' > '.join(circle)}"
        yield Problem(item.place("after_group"), message)


def circle_of(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names that wait for each other, each before the one that waits for it; empty when there are none."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()
