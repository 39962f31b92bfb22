"""Do the names that entries use exist, and do they fit together?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

from segue.services.configuration.documents import Declared, Documents
from segue.services.configuration.entries import (
    NOUNS,
    CredentialEntry,
    DataTemplateEntry,
    DestinationEntry,
    OrchestrationEntry,
    QueryEntry,
)
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
    """Names that will not exist, templates of another destination, new credentials without a key."""
    for kind, references in _REFERENCES.items():
        for declared in documents.entries[kind].values():
            for field, target in references.items():
                known = {*future[target], *documents.broken[target]}
                yield from _missing(declared, field, target, known)
    for declared in documents.entries["orchestrations"].values():
        yield from _foreign_template(declared, future)
    for declared in documents.entries["credentials"].values():
        yield from _keyless(declared, current)
    plugins = {point.name for point in entry_points(group="segue.destinations")}
    for declared in documents.entries["destinations"].values():
        yield from _unknown_plugin(declared, plugins)


def draft_warnings(documents: Documents, future: State) -> Iterator[Problem]:
    """Orchestrations that cannot run because their query is a draft."""
    for declared in documents.entries["orchestrations"].values():
        entry = declared.entry
        query = future["queries"].get(entry.query) if isinstance(entry, OrchestrationEntry) else None
        if isinstance(query, QueryEntry) and query.status == "draft":
            message = f'the query "{query.name}" is a draft: set `status: active` to be able to run this'
            yield Problem(declared.place("query"), message)


def _missing(declared: Declared, field: str, target: str, known: Iterable[str]) -> Iterator[Problem]:
    name = getattr(declared.entry, field)
    if name not in known:
        message = f'there is no {NOUNS[target]} "{name}"{suggestion(name, known)}'
        yield Problem(declared.place(field), message)


def _foreign_template(declared: Declared, future: State) -> Iterator[Problem]:
    entry = declared.entry
    template = future["data_templates"].get(entry.data_template) if isinstance(entry, OrchestrationEntry) else None
    if (
        isinstance(entry, OrchestrationEntry)
        and isinstance(template, DataTemplateEntry)
        and template.destination != entry.destination
    ):
        message = (
            f'the data template "{template.name}" belongs to the destination "{template.destination}", '
            f'not to "{entry.destination}"'
        )
        yield Problem(declared.place("data_template"), message)


def _keyless(declared: Declared, current: State) -> Iterator[Problem]:
    entry = declared.entry
    if isinstance(entry, CredentialEntry) and entry.api_key is None and entry.name not in current["credentials"]:
        variable = declared.unset("api_key")
        message = f"the environment variable {variable} is not set" if variable else '"api_key" is missing'
        yield Problem(declared.place("api_key"), message)


def _unknown_plugin(declared: Declared, plugins: Iterable[str]) -> Iterator[Problem]:
    entry = declared.entry
    if isinstance(entry, DestinationEntry) and entry.plugin not in plugins:
        message = f'there is no plug-in "{entry.plugin}"{suggestion(entry.plugin, plugins)}'
        yield Problem(declared.place("plugin"), message)
