"""Routes of what a run asked its destination."""

from __future__ import annotations

from fastapi import APIRouter

from segue.api.access import V1
from segue.api.problems import documented
from segue.api.tools import RunRef, ToolsHere
from segue.client import request_values
from segue.services.exchanges import exchanges, run_requests
from segue.wire import exchange_of, run_requests_of
from segue.workflow.records import RunRecords


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["runs"])
    run = f"{V1}/runs/{{run_id}}"
    routes.get(
        f"{run}/requests", summary="Requests of a run over time", operation_id="run_requests", responses=documented(404)
    )(_requests)
    routes.get(
        f"{run}/exchanges",
        summary="Sampled requests and answers of a run",
        operation_id="run_exchanges",
        responses=documented(404),
    )(_exchanges)
    return routes


def _requests(tools: ToolsHere, run_id: RunRef) -> request_values.RunRequests:
    """When a run called its destination: attempts by endpoint and answer, in at most 400 lines, also while it goes on."""
    run = RunRecords(tools.workspace.catalog).get(run_id)
    return run_requests_of(run.id, run_requests(tools.workspace, run.id))


def _exchanges(tools: ToolsHere, run_id: RunRef) -> request_values.ExchangeList:
    """The first requests of each endpoint and answer, with chosen headers and the beginning of their bodies. None once the
    people's data of the run are removed."""
    run = RunRecords(tools.workspace.catalog).get(run_id)
    return request_values.ExchangeList(items=tuple(map(exchange_of, exchanges(tools.workspace, run.id))))
