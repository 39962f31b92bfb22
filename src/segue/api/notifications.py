"""Routes of what people are told: the recent activity, alerts, and how queries stand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from segue.alerts import Alerts, mark_seen, recent_activity
from segue.api.access import V1, path_of
from segue.api.problems import documented
from segue.api.tools import Cursor, PageSize, Ref, ToolsHere
from segue.client import state_values
from segue.services.cursors import bad_cursor, cut, read_cursor
from segue.services.editing import get_configured
from segue.services.query_status import query_status, query_statuses
from segue.wire import notification_of

_MOST = 2**63 - 1


class Seen(BaseModel):
    """The notifications that were looked at."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[int, Field(ge=1, le=_MOST)]] = Field(max_length=100)


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()
    notifications = f"{V1}/notifications"
    told: list[str] = ["notifications"]
    routes.get(
        notifications,
        summary="List notifications",
        operation_id="list_notifications",
        tags=[*told],
        responses=documented(),
    )(_list)
    routes.post(
        f"{notifications}/seen",
        summary="Mark notifications as seen",
        operation_id="mark_seen",
        status_code=204,
        tags=[*told],
        responses=documented(),
    )(_seen)
    routes.post(
        f"{path_of('alerts')}/{{ref}}/test",
        summary="Test an alert",
        operation_id="test_alert",
        tags=["alerts"],
        responses=documented(404, 424),
    )(_test)
    routes.get(
        f"{path_of('queries')}/{{ref}}/status",
        summary="How a query stands",
        operation_id="query_status",
        tags=["queries"],
        responses=documented(404),
    )(_status)
    routes.get(
        f"{V1}/query-statuses",
        summary="How the queries stand",
        operation_id="list_query_statuses",
        tags=["queries"],
        responses=documented(),
    )(_statuses)
    return routes


def _list(
    tools: ToolsHere,
    unseen: Annotated[bool, Query(description="Only what you have not looked at.")] = False,
    cursor: Cursor = None,
    limit: PageSize = 20,
) -> state_values.NotificationList:
    """The recent activity, newest first, page by page. Reading it marks nothing as seen."""
    before = _place(cursor) if cursor is not None else None
    who = tools.workspace.actor.person
    found = recent_activity(tools.workspace.catalog, reader=who, unseen=unseen, limit=limit + 1, before=before)
    shown, following = cut(found, limit, lambda line: (line.at, str(line.id)))
    return state_values.NotificationList(items=tuple(map(notification_of, shown)), next=following)


def _seen(tools: ToolsHere, seen: Seen) -> Response:
    """Say that these were looked at. One of a run that goes on stays unseen: it will say something else."""
    mark_seen(tools.workspace.catalog, seen.ids, reader=tools.workspace.actor.person)
    return Response(status_code=204)


def _test(tools: ToolsHere, ref: Ref) -> state_values.Sent:
    """Send a message that says it is a test. 424 says that it could not be sent."""
    name = get_configured(tools.workspace, "alerts", ref).name
    Alerts(tools.workspace.catalog, tools.workspace.box).test(name)
    return state_values.Sent(alert=name)


def _status(tools: ToolsHere, ref: Ref) -> state_values.QueryStatus:
    """How a query stands, with the time and the row count of its last run."""
    name = get_configured(tools.workspace, "queries", ref).name
    return state_values.QueryStatus.model_validate(asdict(query_status(tools.workspace, name)))


def _statuses(tools: ToolsHere) -> state_values.QueryStatusList:
    """How every query stands, by name."""
    found = query_statuses(tools.workspace)
    return state_values.QueryStatusList(
        items=tuple(state_values.QueryStatus.model_validate(asdict(status)) for status in found)
    )


def _place(cursor: str) -> tuple[datetime, int]:
    at, text = read_cursor(cursor)
    if not text.isascii() or not text.isdigit() or int(text) > _MOST:
        raise bad_cursor()
    return at, int(text)
