"""Everything that a run needs to know of an orchestration, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.database.engine import DatabaseConfig
from segue.errors import UsageError
from segue.security import Secret, SecretBox
from segue.services.names import unknown
from segue.services.permissions import Actor, require_destination
from segue.template import TemplateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The SELECT of a run, in Trino SQL."""

    id: str
    name: str
    sql: str
    status: Literal["active"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a run sends to."""

    id: str
    name: str
    plugin: str
    description: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """How a run gets in. base_url: None for the destination's own address."""

    id: str
    name: str
    type: str
    secret: Secret
    base_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestration:
    """One orchestration with all it refers to. settings: the data template's, with the overrides applied."""

    id: str
    name: str
    workflow: str
    query: Query
    database: DatabaseConfig
    destination: Destination
    credential: Credential
    data_template: str
    settings: TemplateSettings


def load_orchestration(session: Session, box: SecretBox, name: str) -> Orchestration:
    """The orchestration of this name.

    Raises UsageError when there is none (with the nearest names) or when its query is a draft; StateError
    when the workspace's key does not open the credential.
    """
    row = session.scalars(select(models.Orchestration).where(models.Orchestration.name == name)).one_or_none()
    if row is None:
        raise unknown("orchestration", name, session.scalars(select(models.Orchestration.name)))
    if row.query.status != "active":
        raise UsageError(
            f'the query "{row.query.name}" of the orchestration "{name}" is a draft',
            code="draft_query",
            steps=(f'Set `status: active` for the query "{row.query.name}" and `segue apply` it.',),
        )
    destination, credential = row.destination, row.destination.credential
    return Orchestration(
        id=row.id,
        name=row.name,
        workflow=row.workflow,
        query=Query(id=row.query.id, name=row.query.name, sql=row.query.sql, status="active"),
        database=database_config(row.query.database),
        destination=Destination(
            id=destination.id,
            name=destination.name,
            plugin=destination.plugin,
            description=destination.description,
            settings=dict(destination.settings),
        ),
        credential=_credential(credential, box),
        data_template=row.data_template.name,
        settings=TemplateSettings.model_validate({**row.data_template.settings, **row.settings}),
    )


def require_use(session: Session, actor: Actor, name: str) -> None:
    """Raise NotPermittedError when the destination of an orchestration is closed to the actor; UsageError for no such."""
    row = session.scalars(select(models.Orchestration).where(models.Orchestration.name == name)).one_or_none()
    if row is None:
        raise unknown("orchestration", name, session.scalars(select(models.Orchestration.name)))
    place = row.destination
    require_destination(actor, place.name, admin_only=place.admin_only, allow_restricted_pii=place.allow_restricted_pii)


def load_credential(session: Session, box: SecretBox, name: str) -> Credential:
    """The credential of this name. Raises UsageError when there is none, StateError when the key is wrong."""
    row = session.scalars(select(models.Credential).where(models.Credential.name == name)).one_or_none()
    if row is None:
        raise unknown("credential", name, session.scalars(select(models.Credential.name)))
    return _credential(row, box)


def database_config(row: models.Database) -> DatabaseConfig:
    """Where the tables of a database are; every path is absolute."""
    return DatabaseConfig(
        name=row.name,
        engine=row.engine,
        path=Path(row.path) if row.path else None,
        tables=dict(row.tables),
        personal=frozenset(row.personal),
    )


def _credential(row: models.Credential, box: SecretBox) -> Credential:
    secret = box.open(row.sealed, owner=f'credential "{row.name}"')
    return Credential(id=row.id, name=row.name, type=row.type, secret=secret, base_url=row.base_url)
