"""Routes for those who look after the service: health, numbers, and what became of one person."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from segue.api.access import V1
from segue.api.metrics import Metrics
from segue.api.problems import documented
from segue.api.tools import ToolsHere
from segue.client import state_values, values
from segue.services.history import history
from segue.services.statistics import statistics
from segue.wire import history_entry_of

_METRICS = "text/plain; version=1.0.0; charset=utf-8"


class Person(BaseModel):
    """Who is asked about. In a body, since addresses of requests end up in logs."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=1, max_length=1000, description="The address, written as in the data.")


def public_router() -> APIRouter:
    """The routes that need no token."""
    routes = APIRouter(tags=["operations"])
    routes.get("/healthz", summary="Is the process up", operation_id="healthz")(_healthz)
    routes.get(
        "/readyz",
        summary="Does it answer",
        operation_id="readyz",
        responses={503: documented()[503]},
    )(_readyz)
    return routes


def router() -> APIRouter:
    """The others."""
    routes = APIRouter()
    answer: dict[int | str, dict[str, Any]] = {
        200: {"description": "In Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    routes.get(
        "/metrics",
        summary="Numbers for Prometheus",
        operation_id="metrics",
        tags=["operations"],
        response_class=Response,
        responses={**answer, **documented()},
    )(_numbers)
    routes.get(
        f"{V1}/requests",
        summary="Calls to destinations",
        operation_id="request_counts",
        tags=["operations"],
        responses=documented(),
    )(_requests)
    routes.post(
        f"{V1}/history", summary="History of a person", operation_id="history", tags=["people"], responses=documented()
    )(_history)
    return routes


def _healthz() -> state_values.Health:
    """Always `ok` while the process answers at all."""
    return state_values.Health(status="ok")


def _readyz(tools: ToolsHere) -> state_values.Health:
    """`ready` when the metadata database can be read."""
    tools.workspace.catalog.ping()
    return state_values.Health(status="ready")


def _numbers(request: Request) -> Response:
    """Runs by status, rows by outcome, calls by endpoint, seconds; what waits, and what is left of the rate limits; the
    answers of this API."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=_METRICS)


def _requests(tools: ToolsHere) -> state_values.RequestCounts:
    """Calls to the destinations, by endpoint, of all runs that are kept."""
    found = statistics(tools.workspace).requests
    return state_values.RequestCounts(
        items=tuple(
            state_values.RequestCount(endpoint=endpoint, calls=calls) for endpoint, calls in sorted(found.items())
        )
    )


def _history(tools: ToolsHere, person: Person) -> values.History:
    """Every run that added, changed, cleared, kept, removed or rejected a person, newest first."""
    with tools.place():
        found = history(tools.workspace, tools.settings, person.email)
    return values.History(items=tuple(map(history_entry_of, found)))
