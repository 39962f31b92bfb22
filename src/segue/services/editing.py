"""One configured thing at a time: read, made, changed, deleted, by the rules of ``segue apply``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from segue.errors import BusyError, ConfigError, UsageError
from segue.security import Secret
from segue.services.configuration.apply import apply_documents
from segue.services.configuration.documents import VERSION, Documents, documents_of
from segue.services.configuration.entries import KINDS, NOUNS, Entry
from segue.services.configuration.problems import ConfigurationError, Place
from segue.services.configuration.source import Location, Source
from segue.services.configuration.state import State, read_entry, read_rows, read_state, table_of
from segue.services.names import unknown
from segue.services.workspace import Workspace

_DEEPEST = 8


class ChangedError(UsageError):
    """The thing is not as the caller saw it last."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A configured thing. tag: another one after every change; entry: as in a file, without its secret."""

    id: str
    name: str
    tag: str
    created_at: datetime
    updated_at: datetime
    entry: Mapping[str, Any]


def list_configured(workspace: Workspace, kind: str) -> tuple[Configured, ...]:
    """Every thing of a kind (a key of ``KINDS``), by name."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        return tuple(_configured(row, read_entry(row, kind, workspace.box)) for row in read_rows(session, kind))


def configured_names(workspace: Workspace, kind: str) -> tuple[str, ...]:
    """The names of every thing of a kind, sorted. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    table = table_of(kind)
    with workspace.catalog.session(read_only=True) as session:
        return tuple(session.scalars(select(table.name).order_by(table.name)))


def get_configured(workspace: Workspace, kind: str, ref: str) -> Configured:
    """The thing of this name or id. Raises UsageError with the nearest names when there is none."""
    workspace.actor.require("configuration.read")
    table = table_of(kind)
    with workspace.catalog.session(read_only=True) as session:
        found = session.scalars(select(table).where(or_(table.name == ref, table.id == ref))).all()
        row = next((row for row in found if row.name == ref), None) or next(iter(found), None)
        if row is None:
            raise unknown(NOUNS[kind], ref, session.scalars(select(table.name)))
        return _configured(row, read_entry(row, kind, workspace.box))


def create(workspace: Workspace, kind: str, entry: Mapping[str, Any]) -> Configured:
    """Save a new thing. Raises ConfigurationError with every mistake, UsageError ``exists`` for a name that is taken."""
    name = str(entry.get("name"))
    _save(workspace, [(kind, entry)], expected=())
    return get_configured(workspace, kind, name)


def save_together(
    workspace: Workspace,
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    seen: Sequence[tuple[str, Configured]] = (),
    dry_run: bool = False,
) -> None:
    """Save several things, each with its kind, or none of them. seen: those that are there, as the caller saw them last; all
    others are new.

    dry_run: look for mistakes alone. Raises what ``create`` and ``replace`` raise.
    """
    expected = [_Expected(kind=kind, name=thing.name, tag=thing.tag) for kind, thing in seen]
    _save(workspace, entries, expected=expected, dry_run=dry_run)


def replace(workspace: Workspace, kind: str, ref: str, entry: Mapping[str, Any], *, tag: str | None) -> Configured:
    """Make a thing say what entry says; a secret that entry leaves out stays.

    tag: as the caller saw the thing last; None takes any. Raises ConfigurationError, and ChangedError for another tag.
    """
    thing = get_configured(workspace, kind, ref)
    if entry.get("name", thing.name) != thing.name:
        raise ConfigError("A thing keeps its name: others refer to it.", code="renamed", steps=("Make a new one.",))
    if kind == "credentials":
        _keep_key_at_home(thing, entry)
    expected = _Expected(kind=kind, name=thing.name, tag=tag)
    _save(workspace, [(kind, {**entry, "name": thing.name})], expected=(expected,))
    return get_configured(workspace, kind, thing.name)


def delete(workspace: Workspace, kind: str, ref: str, *, tag: str | None) -> None:
    """Delete a thing. Raises UsageError ``in_use`` while others refer to it, ChangedError for another tag."""
    thing = get_configured(workspace, kind, ref)
    expected = _Expected(kind=kind, name=thing.name, tag=tag)

    def check(session: Session) -> None:
        expected.check(session)
        # What somebody else adds now is in none of our documents: it would be deleted too.
        if read_state(session, workspace.box) != state:
            raise BusyError(
                "somebody else changes the configuration", code="configuration_changed", steps=("Try again.",)
            )

    with workspace.catalog.session(read_only=True) as session:
        expected.check(session)
        state = read_state(session, workspace.box)
    try:
        # What is left is applied as if a file held all of it: every rule about references is that of files.
        apply_documents(workspace, _without(state, kind, thing.name), prune=True, guard=check)
    except ConfigurationError as error:
        raise UsageError(
            f'The {NOUNS[kind]} "{thing.name}" is in use.',
            code="in_use",
            cause="; ".join(str(problem) for problem in error.problems),
            steps=("Change or delete first what refers to it.",),
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """How the caller saw a thing last."""

    kind: str
    name: str
    tag: str | None

    def check(self, session: Session) -> None:
        row = _row(session, self.kind, self.name)
        if row is None or (self.tag is not None and _tag(row) != self.tag):
            raise ChangedError(
                f'The {NOUNS[self.kind]} "{self.name}" was changed by somebody else.',
                steps=("Read it again, then decide whether your change still fits.",),
            )


def _save(
    workspace: Workspace,
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    expected: Sequence[_Expected],
    dry_run: bool = False,
) -> None:
    """expected: how those of the entries were seen that are not new."""
    known = [(each.kind, each.name) for each in expected]  # no set: what came for a name may be anything yet

    def check(session: Session) -> None:
        for each in expected:
            each.check(session)
        for kind, entry in entries:
            name = entry.get("name")
            if (kind, name) not in known and isinstance(name, str) and _row(session, kind, name) is not None:
                raise UsageError(
                    f'there is a {NOUNS[kind]} "{name}" already',
                    code="exists",
                    steps=("Take another name, or change the one that is there.",),
                )

    with workspace.catalog.session(read_only=True) as session:
        check(session)
    data: dict[str, Any] = {"version": VERSION}
    places: dict[Location, Place] = {}
    for kind, entry in entries:
        of_kind = data.setdefault(kind, [])
        places |= _places((kind, len(of_kind)), entry, "/")
        of_kind.append(dict(entry))
    documents = documents_of([_source(workspace, data, places)])
    apply_documents(workspace, documents, dry_run=dry_run, guard=check)


def _without(state: State, kind: str, name: str) -> Documents:
    data: dict[str, Any] = {"version": VERSION}
    places: dict[Location, Place] = {}
    for each in KINDS:
        entries = [entry for entry in state[each].values() if (each, entry.name) != (kind, name)]
        data[each] = [_open_document(entry.document()) for entry in entries]
        for index, entry in enumerate(entries):
            places[each, index] = Place(f'{NOUNS[each]} "{entry.name}"')
    # Texts are as they were saved: nothing in them is taken for a variable again.
    return documents_of([_source(None, data, places)])


def _open_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the secret: the one that is saved stays."""
    return {key: value for key, value in document.items() if not isinstance(value, Secret)}


def _source(workspace: Workspace | None, data: object, places: Mapping[Location, Place]) -> Source:
    """What would be a file. Relative paths in it start at the workspace folder."""
    return Source(
        file="/",
        folder=workspace.layout.home if workspace else Path("/"),
        data=data,
        places=places,
        key_places={},
        nodes={},
        unset={},
        typed=frozenset(),
        problems=(),
        lines=(),
    )


def _places(location: Location, value: object, pointer: str) -> list[tuple[Location, Place]]:
    """A JSON pointer for each part of an entry."""
    found = [(location, Place(pointer))]
    if len(location) > _DEEPEST:
        return found  # a mistake further down is told of the nearest place around it
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        found += _places((*location, key), part, f"{pointer.rstrip('/')}/{key}")
    return found


def _keep_key_at_home(thing: Configured, entry: Mapping[str, Any]) -> None:
    """Whoever may change a credential could otherwise have its saved key sent to a machine of theirs."""
    if entry.get("api_key") is None and entry.get("base_url") != thing.entry.get("base_url"):
        raise ConfigError(
            "A new base_url needs the key again: a saved key is not sent to another address.",
            code="key_needed",
            steps=("Give api_key together with base_url.",),
        )


def _row(session: Session, kind: str, name: str) -> Any:
    table = table_of(kind)
    return session.scalars(select(table).where(table.name == name)).one_or_none()


def _configured(row: Any, entry: Entry) -> Configured:
    return Configured(
        id=row.id,
        name=row.name,
        tag=_tag(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        entry=_open_document(entry.document()),
    )


def _tag(row: Any) -> str:
    return hashlib.sha256(f"{row.id} {row.updated_at.isoformat()}".encode()).hexdigest()[:16]
