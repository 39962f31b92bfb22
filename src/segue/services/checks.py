"""The last check of each connection: when it was, who made it, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.checks import ConnectionCheck
from segue.catalog.models import Credential
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """sound: whether runs can use the connection; said: a sentence for people; outdated: whether the credential was changed
    since."""

    at: datetime
    by: str
    sound: bool
    said: str
    outdated: bool


def record_check(workspace: Workspace, credential: str, *, sound: bool, said: str) -> None:
    """Keep what came of a check of a saved credential, in place of the one before."""
    with workspace.catalog.session() as session:
        found = session.scalars(select(Credential.id).where(Credential.name == credential)).one_or_none()
        if found is not None:
            session.merge(
                ConnectionCheck(credential_id=found, at=now(), by=workspace.actor.name, sound=sound, said=said)
            )


def last_checks(session: Session) -> Mapping[str, Check]:
    """Id of a credential -> its last check; without those that were never checked."""
    rows = select(ConnectionCheck, Credential.updated_at).join(
        Credential, Credential.id == ConnectionCheck.credential_id
    )
    return {
        row.credential_id: Check(at=row.at, by=row.by, sound=row.sound, said=row.said, outdated=row.at < changed)
        for row, changed in session.execute(rows)
    }
