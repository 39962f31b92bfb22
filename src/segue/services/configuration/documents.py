"""Configuration files, validated and put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from segue.alerts import known_address
from segue.security import Secret
from segue.services.configuration.entries import (
    KINDS,
    NOUNS,
    SECRETS,
    AlertEntry,
    CredentialEntry,
    DatabaseEntry,
    Entry,
    OrchestrationEntry,
    Overrides,
)
from segue.services.configuration.messages import explain, wants_number
from segue.services.configuration.problems import Place, Problem
from segue.services.configuration.retention import KEY, RetentionEntry
from segue.services.configuration.source import Location, Source, read_source
from segue.services.names import suggestion

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a file and where it was written. entry: what it says; None when it is not valid."""

    source: Source
    location: Location
    data: Mapping[str, object]
    entry: Entry | None

    def place(self, *way: str | int) -> Place:
        """Where the item, or a part of it, stands."""
        return self.source.place((*self.location, *way))

    def key_place(self, *way: str | int) -> Place:
        """Where the key of a part of the item stands."""
        return self.source.key_place((*self.location, *way))

    def unset(self, *way: str | int) -> str | None:
        """The variable that a part of the item names and that is not set; None when there is none."""
        return self.source.unset.get((*self.location, *way))


@dataclass(slots=True, kw_only=True)
class Documents:
    """What the files say.

    items: kind -> every item, valid or not; named: kind -> name -> the valid items; retention: where a file sets it.
    """

    items: dict[str, list[Item]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    named: dict[str, dict[str, Item]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    retention: RetentionEntry | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_documents(files: Iterable[Path], environ: Mapping[str, str]) -> Documents:
    """Read and validate every file; all mistakes are collected in ``problems``."""
    return documents_of(read_source(file, environ) for file in files)


def documents_of(sources: Iterable[Source]) -> Documents:
    """Validate what sources say; all mistakes are collected in ``problems``."""
    documents = Documents()
    for source in sources:
        _add(documents, source)
    return documents


def _add(documents: Documents, source: Source) -> None:
    documents.problems += source.problems
    documents.problems += [
        Problem(source.place(at), f"the environment variable {variable} is not set")
        for at, variable in source.unset.items()
        if not _may_be_unset(at)
    ]
    data = source.data
    if not isinstance(data, dict):
        if not source.problems:
            documents.problems.append(Problem(source.place(()), "takes keys and values; it starts with `version: 1`"))
        return
    _check_top(documents, source, data)
    if KEY in data:
        _add_retention(documents, source, data[KEY])
    for kind in KINDS:
        items = data.get(kind)
        if isinstance(items, list):
            for index, item in enumerate(items):
                _add_item(documents, source, kind, (kind, index), item)
        elif items is not None:
            documents.problems.append(
                Problem(source.place((kind,)), f'"{kind}" takes a list of items, each after `- `')
            )


def _may_be_unset(at: Location) -> bool:
    """A secret that is already stored may be left out of the environment: it then stays as it is."""
    return len(at) == 3 and at[0] in SECRETS and at[2] == SECRETS[str(at[0])]  # noqa: PLR2004


def _check_top(documents: Documents, source: Source, data: dict[str, object]) -> None:
    known = ("version", *KINDS, KEY)
    for key in data:
        if key not in known:
            message = f'there is no key "{key}" here{suggestion(key, known)}'
            documents.problems.append(Problem(source.key_place((key,)), message))
    version = data.get("version")
    if "version" not in data:
        documents.problems.append(Problem(source.place(()), f'"version" is missing; add `version: {VERSION}`'))
    elif (version != VERSION or isinstance(version, bool)) and not source.told(("version",)):
        documents.problems.append(Problem(source.place(("version",)), f'"version" takes {VERSION}'))


def _add_retention(documents: Documents, source: Source, data: object) -> None:
    if not isinstance(data, dict):
        documents.problems.append(Problem(source.place((KEY,)), f'"{KEY}" takes keys and values'))
        return
    if documents.retention is not None:
        documents.problems.append(Problem(source.key_place((KEY,)), f'"{KEY}" is here twice; it belongs in one file'))
        return
    try:
        documents.retention = RetentionEntry.model_validate(_numbers_kept(RetentionEntry, data))
    except ValidationError as error:
        documents.problems += explain(error, model=RetentionEntry, source=source, at=(KEY,))


def _add_item(documents: Documents, source: Source, kind: str, at: Location, data: object) -> None:
    if not isinstance(data, dict):
        documents.problems.append(Problem(source.place(at), f"takes the keys and values of a {NOUNS[kind]}"))
        return
    entry = _entry(documents, source, kind, at, data)
    item = Item(source=source, location=at, data=data, entry=entry)
    documents.items[kind].append(item)
    if entry is None:
        return
    first = documents.named[kind].setdefault(entry.name, item)
    if first is not item:
        message = f'the {NOUNS[kind]} "{entry.name}" is here twice; the other one is at {first.place("name")}'
        documents.problems.append(Problem(item.place("name"), message))
    if isinstance(entry, CredentialEntry):
        _warn_credential(documents, item, entry)
    elif isinstance(entry, AlertEntry):
        _check_alert(documents, item, entry)


def _entry(documents: Documents, source: Source, kind: str, at: Location, data: dict[str, Any]) -> Entry | None:
    model = KINDS[kind]
    try:
        entry = model.model_validate(_numbers_kept(model, data))
    except ValidationError as error:
        documents.problems += explain(error, model=model, source=source, at=at)
        return None
    return entry.resolved(source.folder) if isinstance(entry, DatabaseEntry) else entry


def _numbers_kept(model: type[BaseModel], item: dict[str, Any]) -> dict[str, Any]:
    """The item with truth values turned into text where a number belongs, so that validation refuses them."""
    result = {
        key: str(value).lower() if isinstance(value, bool) and wants_number(model, key) else value
        for key, value in item.items()
    }
    if model is OrchestrationEntry and isinstance(item.get("settings"), dict):
        result["settings"] = _numbers_kept(Overrides, item["settings"])
    return result


def _warn_credential(documents: Documents, item: Item, entry: CredentialEntry) -> None:
    if isinstance(entry.api_key, Secret) and (*item.location, "api_key") in item.source.typed:
        message = 'an API key stands in the file; write "${VARIABLE}" and set the variable instead'
        documents.warnings.append(Problem(item.place("api_key"), message))
    if entry.base_url and entry.base_url.startswith("http://") and not _is_local(entry.base_url):
        message = "the API key will travel unencrypted: use https:// for another machine"
        documents.warnings.append(Problem(item.place("base_url"), message))


def _check_alert(documents: Documents, item: Item, entry: AlertEntry) -> None:
    if isinstance(entry.url, Secret) and not known_address(entry.url):
        message = '"url" takes an address such as mailto://..., slack://..., https://...: see docs/how-to/alerts.md'
        documents.problems.append(Problem(item.place("url"), message))
    if isinstance(entry.url, Secret) and (*item.location, "url") in item.source.typed:
        message = 'the address of an alert stands in the file; write "${VARIABLE}" and set the variable instead'
        documents.warnings.append(Problem(item.place("url"), message))


def _is_local(url: str) -> bool:
    host = url.removeprefix("http://").rpartition(":")[0] or url.removeprefix("http://")
    return host in ("localhost", "[::1]") or host.startswith("127.")
