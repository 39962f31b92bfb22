"""A new API key for a credential, tried before it is kept."""

from __future__ import annotations

from sqlalchemy import select

from segue.catalog import models
from segue.errors import CredentialError
from segue.security import Secret
from segue.services.audit import record
from segue.services.connections import TestedConnection, check_connection, keep_check
from segue.services.names import unknown
from segue.services.workspace import Workspace
from segue.settings import Settings


def replace_key(
    workspace: Workspace, settings: Settings, name: str, key: Secret, *, account_id: str | None = None
) -> TestedConnection:
    """Keep a key that opens the account and has every right that a run needs.

    account_id: the account that it has to open, None for any. Raises UsageError for an unknown credential, CredentialError
    for a key that is refused, lacks a right (``scope_missing``) or opens another account (``other_account``).
    """
    workspace.actor.require("credentials.edit")
    tested = check_connection(workspace, settings, name, key=key)
    if account_id is not None and tested.account.id != account_id:
        raise CredentialError(
            f"The key opens another Klaviyo account ({tested.account.id}) than the run began with ({account_id}).",
            code="other_account",
            steps=("Take a key of the same account.", "To move to another account, apply the key and begin a new run."),
        )
    if not tested.sound:
        raise CredentialError(
            "The key lacks rights that a run needs.", code="scope_missing", steps=tuple(tested.missing)
        )
    with workspace.catalog.session() as session:
        row = session.scalars(select(models.Credential).where(models.Credential.name == name)).one_or_none()
        if row is None:
            raise unknown("credential", name, session.scalars(select(models.Credential.name)))
        row.sealed = workspace.box.seal(key)
        record(session, workspace.actor, "credential.replace_key", name)
    keep_check(workspace, tested)
    return tested
