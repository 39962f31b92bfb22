"""Everything of a kind at a glance: queries and orchestrations with their last run, in a fixed number of reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.catalog.base import now as utc_now
from segue.catalog.drafts import QueryDraft
from segue.catalog.groups import GroupMember, OrchestrationGroup
from segue.catalog.runs import AudienceSnapshot, Run
from segue.services.query_status import QueryState, standing
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run of an orchestration. rows: of the query, None where it did not come so far."""

    run_id: str
    orchestration: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLine:
    """A query. status, last_run_at, last_run_id, rows: see ``QueryStatus``; draft: whether an active query has one; used_by:
    names of orchestrations."""

    id: str
    name: str
    folder: str | None
    database: str
    status: QueryState
    draft: bool
    updated_at: datetime
    last_run_at: datetime | None
    last_run_id: str | None
    rows: int | None
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestrationLine:
    """An orchestration. query_id: of its query; members: acknowledged ones, None before the first run; group:
    those that run it; ready: whether its query is active."""

    id: str
    name: str
    query: str
    query_id: str
    destination: str
    data_template: str
    list_name: str
    workflow: str
    group: str | None
    ready: bool
    members: int | None
    last: LastRun | None


def query_lines(workspace: Workspace) -> tuple[QueryLine, ...]:
    """Every query, by name. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        users: dict[str, list[str]] = {}
        rows = select(models.Orchestration.query_id, models.Orchestration.name).order_by(models.Orchestration.name)
        for query_id, name in session.execute(rows):
            users.setdefault(query_id, []).append(name)
        drafts = set(session.scalars(select(QueryDraft.query_id)))
        databases = {row.id: row.name for row in session.execute(select(models.Database.id, models.Database.name))}
        queries = session.scalars(select(models.Query).order_by(models.Query.name)).all()
        stands = standing(session, queries, now=utc_now())
        return tuple(
            QueryLine(
                id=query.id,
                name=query.name,
                folder=query.folder,
                database=databases[query.database_id],
                status=stands[query.id].status,
                draft=query.id in drafts,
                updated_at=query.updated_at,
                last_run_at=stands[query.id].last_run_at,
                last_run_id=stands[query.id].last_run_id,
                rows=stands[query.id].row_count,
                used_by=tuple(users.get(query.id, ())),
            )
            for query in queries
        )


def orchestration_lines(workspace: Workspace) -> tuple[OrchestrationLine, ...]:
    """Every orchestration, by name. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        last, groups = _last_runs(session), _groups(session)
        members = {
            row.orchestration_id: row.rows
            for row in session.execute(select(AudienceSnapshot.orchestration_id, AudienceSnapshot.rows))
        }
        orchestration, query, template = models.Orchestration, models.Query, models.DataTemplate
        found = (
            select(
                orchestration.id,
                orchestration.name,
                orchestration.workflow,
                orchestration.settings,
                query.id.label("query_id"),
                query.name.label("query"),
                query.status,
                models.Destination.name.label("destination"),
                template.name.label("data_template"),
                template.settings.label("defaults"),
            )
            .join(query, query.id == orchestration.query_id)
            .join(models.Destination, models.Destination.id == orchestration.destination_id)
            .join(template, template.id == orchestration.data_template_id)
            .order_by(orchestration.name)
        )
        return tuple(
            OrchestrationLine(
                id=row.id,
                name=row.name,
                query=row.query,
                query_id=row.query_id,
                destination=row.destination,
                data_template=row.data_template,
                list_name=str({**row.defaults, **row.settings}.get("list_name", "")),
                workflow=row.workflow,
                group=groups.get(row.id),
                ready=row.status == "active",
                members=members.get(row.id),
                last=last.get(row.id),
            )
            for row in session.execute(found)
        )


def last_runs(workspace: Workspace) -> tuple[LastRun, ...]:
    """The last run of every orchestration that ran, the newest first. Raises NotPermittedError."""
    workspace.actor.require("runs.read")
    with workspace.catalog.session(read_only=True) as session:
        return tuple(sorted(_last_runs(session).values(), key=lambda run: run.started_at, reverse=True))


def _groups(session: Session) -> Mapping[str, str]:
    """Id of an orchestration -> names of the groups that it is in."""
    rows = select(GroupMember.orchestration_id, OrchestrationGroup.name).join(
        OrchestrationGroup, OrchestrationGroup.id == GroupMember.group_id
    )
    found: dict[str, str] = {}
    for orchestration_id, name in session.execute(rows.order_by(OrchestrationGroup.name)):
        found[orchestration_id] = f"{found[orchestration_id]}, {name}" if orchestration_id in found else name
    return found


def _last_runs(session: Session) -> Mapping[str, LastRun]:
    """By id of the orchestration. The index over (orchestration, start) answers it, however many runs there are."""
    newest = (
        select(Run.orchestration_id, func.max(Run.started_at).label("at")).group_by(Run.orchestration_id).subquery()
    )
    rows = select(
        Run.id, Run.orchestration_id, Run.orchestration, Run.status, Run.started_at, Run.ended_at, Run.counts
    ).join(newest, (Run.orchestration_id == newest.c.orchestration_id) & (Run.started_at == newest.c.at))
    return {
        row.orchestration_id: LastRun(
            run_id=row.id,
            orchestration=row.orchestration,
            status=row.status,
            started_at=row.started_at,
            ended_at=row.ended_at,
            rows=row.counts.get("source"),
        )
        for row in session.execute(rows)
    }
