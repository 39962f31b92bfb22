"""Credentials: what there is, and another key for one, taken when it opens the account."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from segue.catalog import models
from segue.security import Secret
from segue.services.connections import TestedConnection, check_connection, keep_check, require_sound
from segue.services.editing import get_configured, replace, save_together
from segue.services.names import names_by_reference
from segue.services.workspace import Workspace
from segue.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialLine:
    """A credential, without its key. base_url: None for the plug-in's own; used_by: names of destinations."""

    id: str
    name: str
    type: str
    base_url: str | None
    used_by: tuple[str, ...]


def credential_lines(workspace: Workspace) -> tuple[CredentialLine, ...]:
    """Every credential, by name. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        users = names_by_reference(session, models.Destination.credential_id, models.Destination.name)
        return tuple(
            CredentialLine(
                id=row.id,
                name=row.name,
                type=row.type,
                base_url=row.base_url,
                used_by=tuple(users.get(row.id, ())),
            )
            for row in session.scalars(select(models.Credential).order_by(models.Credential.name))
        )


def replace_key(workspace: Workspace, settings: Settings, name: str, key: Secret) -> TestedConnection:
    """Keep another key for a credential when it opens its account with every right that a run needs; else the old one stays.

    Raises NotPermittedError, ConfigurationError for what is no key, CredentialError ``rights_missing`` and what
    ``check_connection`` raises.
    """
    workspace.actor.require("credentials.edit")
    thing = get_configured(workspace, "credentials", name)
    entry = {**thing.entry, "api_key": key.reveal()}
    save_together(workspace, [("credentials", entry)], seen=[("credentials", thing)], dry_run=True)
    tested = check_connection(workspace, settings, thing.name, key=key)
    require_sound(tested)
    replace(workspace, "credentials", thing.id, entry, tag=thing.tag)
    keep_check(workspace, tested)
    return tested
