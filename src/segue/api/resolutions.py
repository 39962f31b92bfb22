"""Routes to the ways out of a run that failed or was stopped."""

from __future__ import annotations

import threading

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from segue.api.access import V1
from segue.api.problems import documented
from segue.api.tools import RunRef, Tools, ToolsHere
from segue.client import values
from segue.delivery.progress import Quiet
from segue.resolutions import Action
from segue.security import Secret
from segue.wire import resolutions_of, started_of
from segue.workflow.records import RunRecords
from segue.workflow.resolve import offer, resolve
from segue.workflow.run import Runner


class Chosen(BaseModel):
    """The way out that is taken."""

    model_config = ConfigDict(extra="forbid")

    action: Action = Field(description="One of those that are offered.")
    list_id: str | None = Field(default=None, max_length=64, description="The list, for `choose_list`.")
    api_key: SecretStr | None = Field(
        default=None,
        max_length=500,
        description="The new key, for `update_credential`; needs the permission `credentials.edit`.",
    )


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["runs"])
    path = f"{V1}/runs/{{run_id}}/resolutions"
    routes.get(path, summary="Ways out of a run", operation_id="list_resolutions", responses=documented(404, 409))(
        _list
    )
    routes.post(
        path,
        summary="Take a way out of a run",
        operation_id="resolve_run",
        status_code=202,
        responses=documented(404, 409, 424),
    )(_take)
    return routes


def _list(tools: ToolsHere, run_id: RunRef) -> values.Resolutions:
    """What can be done about a run that failed or was stopped, the likeliest first. 409 says that there is nothing to do."""
    return resolutions_of(offer(_runner(tools), run_id))


def _take(tools: ToolsHere, run_id: RunRef, chosen: Chosen, response: Response) -> values.Started:
    """Take one of the offered ways, and answer at once with the run that goes on or begins.

    A new key is tried before it is kept.
    """
    if chosen.action is Action.UPDATE_CREDENTIAL:
        tools.workspace.actor.require("credentials.edit")
    found = resolve(
        _runner(tools),
        run_id,
        chosen.action,
        list_id=chosen.list_id,
        key=Secret(chosen.api_key.get_secret_value().strip()) if chosen.api_key else None,
        way=tools.starter.way(tools.workspace),
    )
    response.headers["Location"] = f"{V1}/runs/{found.id}"
    record = RunRecords(tools.workspace.catalog).get(found.id)
    return started_of(record, resumed=found.id.startswith(run_id))


def _runner(tools: Tools) -> Runner:
    return Runner(workspace=tools.workspace, settings=tools.settings, progress=Quiet(), stop=threading.Event())
