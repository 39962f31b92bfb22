"""Destinations: what there is, saved once its connection is good, and the lists that its account has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from segue.catalog import models
from segue.destinations.contract import Plugin
from segue.destinations.registry import find_plugin
from segue.errors import UsageError
from segue.security import Secret
from segue.services.checks import Check, last_checks
from segue.services.connections import TestedConnection, keep_check, opened, require_sound, try_credential
from segue.services.editing import Configured, get_configured, save_together
from segue.services.names import unknown
from segue.services.orchestrations import Credential, load_credential
from segue.services.overview import LastRun, OrchestrationLine, orchestration_lines
from segue.services.workspace import Workspace
from segue.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLine:
    """A data template. settings: those that it sets; used_by: names of orchestrations."""

    id: str
    name: str
    settings: Mapping[str, Any]
    used_by: tuple[str, ...]

    @property
    def list_name(self) -> str:
        """The list that its rows go to."""
        return str(self.settings.get("list_name", ""))

    @property
    def full_profile(self) -> bool:
        """Whether every column is sent."""
        return bool(self.settings.get("use_full_profile"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationLine:
    """A destination. last: the last run that sent there; check: the last one of its connection; used_by: names of
    orchestrations."""

    id: str
    name: str
    plugin: str
    credential: str
    description: str
    admin_only: bool
    allow_restricted_pii: bool
    templates: tuple[TemplateLine, ...]
    last: LastRun | None
    check: Check | None
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A credential that is saved together with the destination that needs it. base_url: None for the plug-in's own."""

    name: str
    secret: Secret
    base_url: str | None = None


def destination_lines(workspace: Workspace) -> tuple[DestinationLine, ...]:
    """Every destination with its data templates, by name. Raises NotPermittedError."""
    orchestrations = orchestration_lines(workspace)
    with workspace.catalog.session(read_only=True) as session:
        templates: dict[str, list[models.DataTemplate]] = {}
        for template in session.scalars(select(models.DataTemplate).order_by(models.DataTemplate.name)):
            templates.setdefault(template.destination_id, []).append(template)
        checks = last_checks(session)
        rows = session.scalars(select(models.Destination).order_by(models.Destination.name))
        return tuple(
            _line(row, templates.get(row.id, []), orchestrations, checks.get(row.credential_id)) for row in rows
        )


def save_destination(
    workspace: Workspace,
    settings: Settings,
    entry: Mapping[str, Any],
    *,
    credential: NewCredential | None = None,
    seen: Configured | None = None,
) -> TestedConnection:
    """Save a destination, and the new credential that it names, when its connection is good; else nothing.

    entry: as in a file; seen: the destination that is changed, as the caller saw it. Raises ConfigurationError, UsageError
    ``exists``, ChangedError; CredentialError ``rights_missing`` and what ``check_connection`` raises.
    """
    workspace.actor.require("connections.check")
    plugin = find_plugin(str(entry["plugin"]))
    if seen is not None:
        entry = {**entry, "name": seen.name}
    entries: list[tuple[str, Mapping[str, Any]]] = [("destinations", entry)]
    if credential is not None:
        entries.insert(0, ("credentials", _entry_of(credential, plugin)))
    known = [("destinations", seen)] if seen is not None else []
    # Mistakes first: who has to correct a name need not wait for an answer from far away.
    save_together(workspace, entries, seen=known, dry_run=True)
    tested = try_credential(
        workspace, plugin, _credential(workspace, entry, credential, plugin), settings, given=entry.get("settings")
    )
    require_sound(tested)
    save_together(workspace, entries, seen=known)
    keep_check(workspace, tested)
    return tested


def list_names(workspace: Workspace, settings: Settings, destination: str) -> tuple[str, ...]:
    """Names of lists that the account of a destination has, sorted. Raises what ``check_connection`` raises."""
    workspace.actor.require("connections.check")
    with workspace.catalog.session(read_only=True) as session:
        rows = {row.name: row for row in session.scalars(select(models.Destination))}
        row = rows.get(destination)
        if row is None:
            raise unknown("destination", destination, rows)
        plugin, given = find_plugin(row.plugin), dict(row.settings)
        credential = load_credential(session, workspace.box, row.credential.name)
    with opened(workspace, plugin, credential, settings, given=given) as place:
        return place.list_names()


def _line(
    row: models.Destination,
    templates: list[models.DataTemplate],
    orchestrations: tuple[OrchestrationLine, ...],
    check: Check | None,
) -> DestinationLine:
    here = [line for line in orchestrations if line.destination == row.name]
    return DestinationLine(
        id=row.id,
        name=row.name,
        plugin=row.plugin,
        credential=row.credential.name,
        description=row.description,
        admin_only=row.admin_only,
        allow_restricted_pii=row.allow_restricted_pii,
        templates=tuple(
            TemplateLine(
                id=template.id,
                name=template.name,
                settings=dict(template.settings),
                used_by=tuple(line.name for line in here if line.data_template == template.name),
            )
            for template in templates
        ),
        last=max((line.last for line in here if line.last), key=lambda run: run.started_at, default=None),
        check=check,
        used_by=tuple(line.name for line in here),
    )


def _entry_of(credential: NewCredential, plugin: Plugin) -> dict[str, Any]:
    entry = {"name": credential.name, "type": plugin.credential, "api_key": credential.secret.reveal()}
    return {**entry, "base_url": credential.base_url} if credential.base_url else entry


def _credential(
    workspace: Workspace, entry: Mapping[str, Any], new: NewCredential | None, plugin: Plugin
) -> Credential:
    if new is not None:
        base_url = new.base_url.rstrip("/") if new.base_url else None
        return Credential(id="", name=new.name, type=plugin.credential, secret=new.secret, base_url=base_url)
    name = get_configured(workspace, "credentials", str(entry["credential"])).name
    with workspace.catalog.session(read_only=True) as session:
        found = load_credential(session, workspace.box, name)
    if found.type != plugin.credential:
        raise UsageError(
            f'The plug-in "{plugin.name}" takes a credential of the type "{plugin.credential}", and "{name}" is none.',
            code="unfit_credential",
            steps=("Choose another credential, or add a new one.",),
        )
    return found
