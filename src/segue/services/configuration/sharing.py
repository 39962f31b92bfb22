"""Which orchestrations send to one list?"""

from __future__ import annotations

from collections.abc import Iterator

from segue.services.configuration.documents import Documents
from segue.services.configuration.entries import DataTemplateEntry, DestinationEntry, OrchestrationEntry
from segue.services.configuration.problems import Place, Problem
from segue.services.configuration.state import State


def shared_list_warnings(documents: Documents, future: State) -> Iterator[Problem]:
    """Lists that several orchestrations send to, at the last of them in the files.

    It works, and the list has the people of all; but who meant to rename an orchestration now has two.
    """
    lists: dict[tuple[str, str], list[str]] = {}
    for entry in future["orchestrations"].values():
        if isinstance(entry, OrchestrationEntry) and (target := _target(entry, future)):
            lists.setdefault(target, []).append(entry.name)
    for (_, list_name), names in lists.items():
        places = list(_places(documents, names))
        if len(names) > 1 and places:
            who = ", ".join(f'"{name}"' for name in names)
            message = (
                f'the orchestrations {who} send to one list, "{list_name}": it has the people of all of them; '
                "to rename one, apply it under its old name with --prune, then under the new name with --prune"
            )
            yield Problem(max(places), message)


def _target(entry: OrchestrationEntry, future: State) -> tuple[str, str] | None:
    """The credential and the name of the list; None where the files are wrong."""
    destination = future["destinations"].get(entry.destination)
    template = future["data_templates"].get(entry.data_template)
    if not isinstance(destination, DestinationEntry) or not isinstance(template, DataTemplateEntry):
        return None
    list_name = entry.overrides().get("list_name", template.list_name)
    return destination.credential, str(list_name)


def _places(documents: Documents, names: list[str]) -> Iterator[Place]:
    for name in names:
        if item := documents.named["orchestrations"].get(name):
            yield item.place("name")
