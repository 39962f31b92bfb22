"""The configuration in the metadata database, as the same entries that a file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from segue.catalog import models
from segue.catalog.activity import Alert
from segue.catalog.base import now
from segue.catalog.groups import GroupMember, OrchestrationGroup
from segue.catalog.runs import Run
from segue.security import Secret, SecretBox
from segue.services.configuration.entries import (
    KINDS,
    AlertEntry,
    CredentialEntry,
    DatabaseEntry,
    DataTemplateEntry,
    DestinationEntry,
    Entry,
    GroupEntry,
    OrchestrationEntry,
    QueryEntry,
)
from segue.services.configuration.values import duration_text

State = Mapping[str, Mapping[str, Entry]]
"""kind -> name -> entry, sorted by name; the kinds are those of ``entries.KINDS``, in their order."""

Mark = Mapping[str, tuple[tuple[Any, ...], ...]]
"""kind -> id, name and time of the last change of each."""

_TABLES: Mapping[str, Any] = {
    "databases": models.Database,
    "credentials": models.Credential,
    "queries": models.Query,
    "destinations": models.Destination,
    "data_templates": models.DataTemplate,
    "orchestrations": models.Orchestration,
    "orchestration_groups": OrchestrationGroup,
    "alerts": Alert,
}


def read_state(session: Session, box: SecretBox) -> State:
    """Everything that is configured, secrets included. Raises StateError when the key does not open them."""
    # All rows first, and kept until the end: what one refers to is then here, and is not read once more for each.
    rows = {kind: session.scalars(select(table).order_by(table.name)).all() for kind, table in _TABLES.items()}
    return {kind: {row.name: read_entry(row, kind, box) for row in found} for kind, found in rows.items()}


def read_rows(session: Session, kind: str) -> list[Any]:
    """Every row of a kind, by name, with those that it refers to: a fixed number of reads."""
    table = _TABLES[kind]
    return list(session.scalars(select(table).options(selectinload("*")).order_by(table.name)))


def read_entry(row: object, kind: str, box: SecretBox) -> Entry:
    """One row of a kind as an entry, secrets included."""
    return KINDS[kind].model_validate(_fields(row, box))


def read_mark(session: Session) -> Mark:
    """What changes whenever something that is configured does: much less to read than all of it."""
    return {
        kind: tuple(
            tuple(row) for row in session.execute(select(table.id, table.name, table.updated_at).order_by(table.id))
        )
        for kind, table in _TABLES.items()
    }


def _fields(row: object, box: SecretBox) -> dict[str, Any]:
    match row:
        case models.Database():
            return {
                "name": row.name,
                "engine": row.engine,
                "path": row.path,
                "tables": row.tables,
                "personal": row.personal,
            }
        case models.Credential():
            api_key = box.open(row.sealed, owner=f'credential "{row.name}"')
            return {"name": row.name, "type": row.type, "api_key": api_key, "base_url": row.base_url}
        case models.Query():
            query = {"name": row.name, "folder": row.folder, "status": row.status, "sql": row.sql}
            return {**query, "database": row.database.name}
        case models.Destination():
            place = {"name": row.name, "plugin": row.plugin, "description": row.description}
            access = {"admin_only": row.admin_only, "allow_restricted_pii": row.allow_restricted_pii}
            return {**place, **access, "credential": row.credential.name, "settings": row.settings}
        case models.DataTemplate():
            return {"name": row.name, "destination": row.destination.name, **row.settings}
        case models.Orchestration():
            return {
                "name": row.name,
                "query": row.query.name,
                "destination": row.destination.name,
                "data_template": row.data_template.name,
                "workflow": row.workflow,
                "settings": row.settings,
            }
        case OrchestrationGroup():
            return _group_fields(row)
        case Alert():
            url = box.open(row.sealed, owner=f'alert "{row.name}"')
            return {"name": row.name, "url": url, "when": row.when, "orchestrations": row.orchestrations}
    raise TypeError(f"no entry is made of {type(row).__name__}")


def _group_fields(row: OrchestrationGroup) -> dict[str, Any]:
    names = {member.orchestration_id: member.orchestration.name for member in row.members}
    return {
        "name": row.name,
        "enabled": row.enabled,
        "schedule": {"cron": row.cron, "timezone": row.timezone, "missed": row.missed} if row.cron else None,
        "after_signal": row.after_signal,
        "after_group": row.after_group,
        "offset": duration_text(int(row.offset)) or None,
        "only_if_changed": row.only_if_changed,
        "members": [
            {"orchestration": names[member.orchestration_id], "after": [names[other] for other in member.after]}
            for member in row.members
        ],
    }


def table_of(kind: str) -> Any:
    """The model of the rows of a kind."""
    return _TABLES[kind]


def save_entry(session: Session, box: SecretBox, kind: str, entry: Entry) -> str:
    """Insert or update one entry, and give its id, which survives an update; what it refers to must be saved before."""
    table = _TABLES[kind]
    row = session.scalars(select(table).where(table.name == entry.name)).one_or_none()
    if row is None:
        row = table(name=entry.name)
        session.add(row)
    with session.no_autoflush:
        for column, value in _columns(entry, box, lambda model, name: _id(session, model, name)).items():
            setattr(row, column, value)
    row.updated_at = now()
    session.flush()
    return str(row.id)


def rename_orchestration(session: Session, old: str, new: str) -> None:
    """Give an orchestration another name; its id, and with it what it sent, stays. Its runs are found by the new name."""
    row = session.scalars(select(models.Orchestration).where(models.Orchestration.name == old)).one()
    row.name = new
    session.execute(update(Run).where(Run.orchestration_id == row.id).values(orchestration=new))
    session.flush()


def delete_entry(session: Session, kind: str, name: str) -> None:
    """Delete one entry; nothing may refer to it any more."""
    table = _TABLES[kind]
    session.delete(session.scalars(select(table).where(table.name == name)).one())
    session.flush()


def _id(session: Session, model: Any, name: str) -> str:
    return str(session.scalars(select(model.id).where(model.name == name)).one())


def _columns(entry: Entry, box: SecretBox, row_id: Callable[[Any, str], str]) -> dict[str, Any]:  # noqa: C901 -- one case a kind
    match entry:
        case DatabaseEntry():
            return {
                "engine": entry.engine,
                "path": entry.path,
                "tables": dict(entry.tables),
                "personal": list(entry.personal),
            }
        case CredentialEntry():
            if not isinstance(entry.api_key, Secret):
                raise TypeError("a credential is saved with its key")
            return {"type": entry.type, "base_url": entry.base_url, "sealed": box.seal(entry.api_key)}
        case QueryEntry():
            query = {"folder": entry.folder, "sql": entry.sql, "status": entry.status}
            return {**query, "database_id": row_id(models.Database, entry.database)}
        case DestinationEntry():
            place = {"plugin": entry.plugin, "description": entry.description}
            return {
                **place,
                "admin_only": entry.admin_only,
                "allow_restricted_pii": entry.allow_restricted_pii,
                "settings": dict(entry.settings),
                "credential_id": row_id(models.Credential, entry.credential),
            }
        case DataTemplateEntry():
            return {
                "settings": entry.settings(),
                "destination_id": row_id(models.Destination, entry.destination),
            }
        case OrchestrationEntry():
            return {
                "workflow": entry.workflow,
                "settings": entry.overrides(),
                "query_id": row_id(models.Query, entry.query),
                "destination_id": row_id(models.Destination, entry.destination),
                "data_template_id": row_id(models.DataTemplate, entry.data_template),
            }
        case GroupEntry():
            return _group_columns(entry, row_id)
        case AlertEntry():
            if not isinstance(entry.url, Secret):
                raise TypeError("an alert is saved with its address")
            told = {"when": entry.when, "orchestrations": entry.orchestrations}
            return {**told, "sealed": box.seal(entry.url)}
    raise TypeError(f"{type(entry).__name__} has no table")


def _group_columns(entry: GroupEntry, row_id: Callable[[Any, str], str]) -> dict[str, Any]:
    ids = {member.orchestration: row_id(models.Orchestration, member.orchestration) for member in entry.members}
    schedule = entry.schedule
    return {
        "enabled": entry.enabled,
        "cron": schedule.cron if schedule else None,
        "timezone": schedule.timezone if schedule else None,
        "missed": schedule.missed if schedule else None,
        "after_signal": entry.after_signal,
        "after_group": entry.after_group,
        "offset": entry.seconds,
        "only_if_changed": entry.only_if_changed,
        "members": [
            GroupMember(
                orchestration_id=ids[member.orchestration],
                position=position,
                after=[ids[other] for other in member.after],
            )
            for position, member in enumerate(entry.members)
        ],
    }
