"""Do the names that entries use exist, and do they fit together?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

from segue.destinations.registry import find_plugin
from segue.errors import ConfigError
from segue.services.configuration.documents import Documents, Item
from segue.services.configuration.entries import (
    NOUNS,
    SECRETS,
    CredentialEntry,
    DataTemplateEntry,
    Entry,
    OrchestrationEntry,
    QueryEntry,
)
from segue.services.configuration.groups import group_problems
from segue.services.configuration.problems import Problem
from segue.services.configuration.state import State
from segue.services.names import suggestion

_REFERENCES = {
    "queries": {"database": "databases"},
    "destinations": {"credential": "credentials"},
    "data_templates": {"destination": "destinations"},
    "orchestrations": {"query": "queries", "destination": "destinations", "data_template": "data_templates"},
}


def reference_problems(documents: Documents, current: State, future: State) -> Iterator[Problem]:
    """Names that will not exist, templates of another destination, credentials without a key of their own."""
    for kind, references in _REFERENCES.items():
        for item in documents.items[kind]:
            for field, target in references.items():
                # A broken item counts as there: what is wrong is the item, not the reference to it.
                known = {*future[target], *_names(documents.items[target])}
                yield from _missing(item, field, target, known)
    for orchestration in future["orchestrations"].values():
        yield from _foreign_template(documents, orchestration, future)
    yield from group_problems(documents, future)
    for kind, key in SECRETS.items():
        for item in documents.named[kind].values():
            yield from _keyless(item, kind, key, current)
    for item in documents.items["alerts"]:
        yield from _unknown_members(item, {*future["orchestrations"], *_names(documents.items["orchestrations"])})
    plugins = {point.name for point in entry_points(group="segue.destinations")}
    for item in documents.items["destinations"]:
        yield from _unknown_plugin(item, plugins)
        yield from _unknown_settings(item, plugins)


def draft_warnings(documents: Documents, future: State) -> Iterator[Problem]:
    """Orchestrations that cannot run because their query is a draft."""
    for item in documents.named["orchestrations"].values():
        entry = item.entry
        query = future["queries"].get(entry.query) if isinstance(entry, OrchestrationEntry) else None
        if isinstance(query, QueryEntry) and query.status == "draft":
            message = f'the query "{query.name}" is a draft: set `status: active` to be able to run this'
            yield Problem(item.place("query"), message)


def _names(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        name = item.data.get("name")
        if isinstance(name, str):
            yield name


def _missing(item: Item, field: str, target: str, known: Iterable[str]) -> Iterator[Problem]:
    name = item.data.get(field)
    if isinstance(name, str) and name not in known:
        message = f'there is no {NOUNS[target]} "{name}"{suggestion(name, known)}'
        yield Problem(item.place(field), message)


def _foreign_template(documents: Documents, entry: Entry, future: State) -> Iterator[Problem]:
    template = future["data_templates"].get(entry.data_template) if isinstance(entry, OrchestrationEntry) else None
    if (
        not isinstance(entry, OrchestrationEntry)
        or not isinstance(template, DataTemplateEntry)
        or template.destination == entry.destination
    ):
        return
    item = documents.named["orchestrations"].get(entry.name)
    if item is not None:
        message = (
            f'the data template "{template.name}" belongs to the destination "{template.destination}", '
            f'not to "{entry.destination}"'
        )
        yield Problem(item.place("data_template"), message)
    elif (moved := documents.named["data_templates"].get(template.name)) is not None:
        message = f'the orchestration "{entry.name}" needs this data template at "{entry.destination}"'
        yield Problem(moved.place("destination"), message)


def _keyless(item: Item, kind: str, key: str, current: State) -> Iterator[Problem]:
    entry = item.entry
    if entry is None or getattr(entry, key) is not None:
        return
    variable = item.unset(key)
    lacks = f"the environment variable {variable} is not set" if variable else f'"{key}" is missing'
    stored = current[kind].get(entry.name)
    if stored is None:
        yield Problem(item.place(key), lacks)
    elif isinstance(entry, CredentialEntry) and _elsewhere(entry, stored):
        # Whoever edits a file may not know the stored key: a new address alone would hand it to them.
        message = f'the credential "{entry.name}" goes to another address, so its key must be given again: {lacks}'
        yield Problem(item.place("base_url" if entry.base_url else key), message)


def _elsewhere(entry: CredentialEntry, stored: object) -> bool:
    return not isinstance(stored, CredentialEntry) or (stored.type, stored.base_url) != (entry.type, entry.base_url)


def _unknown_members(item: Item, known: Iterable[str]) -> Iterator[Problem]:
    names = item.data.get("orchestrations")
    for position, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name not in known:
            message = f'there is no orchestration "{name}"{suggestion(name, known)}'
            yield Problem(item.place("orchestrations", position), message)


def _unknown_plugin(item: Item, plugins: Iterable[str]) -> Iterator[Problem]:
    plugin = item.data.get("plugin")
    if isinstance(plugin, str) and plugin not in plugins:
        message = f'there is no plug-in "{plugin}"{suggestion(plugin, plugins)}'
        yield Problem(item.place("plugin"), message)


def _unknown_settings(item: Item, plugins: Iterable[str]) -> Iterator[Problem]:
    """Settings that the plug-in does not declare: it would never look at them."""
    plugin, settings = item.data.get("plugin"), item.data.get("settings")
    if item.entry is None or not isinstance(settings, dict) or not isinstance(plugin, str) or plugin not in plugins:
        return
    try:
        known = find_plugin(plugin).settings
    except ConfigError as error:
        yield Problem(item.place("plugin"), error.message)
        return
    for name in settings:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            message = f'the plug-in "{plugin}" has no setting "{name}"{suggestion(str(name), known)}; {takes}'
            yield Problem(item.key_place("settings", name), message)
