"""Routes of plans and runs."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from segue.api.access import V1, path_of
from segue.api.events import EventStream
from segue.api.problems import documented
from segue.api.tools import Cursor, IdempotencyKey, PageSize, Ref, RunRef, Tools, ToolsHere, once
from segue.client import values
from segue.delivery.progress import Quiet
from segue.services.cursors import read_position, write_position
from segue.services.editing import get_configured
from segue.services.rejects import rejects, rejects_csv
from segue.services.run_pages import run_page
from segue.wire import plan_of, reject_of, run_of, started_of
from segue.workflow.records import RunRecords
from segue.workflow.requests import Options, Requested
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from segue.workflow.sync import plan, plan_with_samples

_BATCH = 1000


class RunOrder(BaseModel):
    """How to run; every part may be left out."""

    model_config = ConfigDict(extra="forbid")

    plan_id: str | None = Field(default=None, max_length=64, description="Run only if this plan is still true.")
    allow: list[Annotated[str, Field(max_length=100)]] = Field(
        default=[], max_length=20, description="Fuses that may blow, in this run only."
    )
    restart: bool = Field(default=False, description="Give up an unfinished run, keeping what was acknowledged.")


class UndoOrder(BaseModel):
    """How to undo; every part may be left out."""

    model_config = ConfigDict(extra="forbid")

    allow: list[Annotated[str, Field(max_length=100)]] = Field(
        default=[], max_length=20, description="Fuses that may blow, in this undo only."
    )


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["runs"])
    orchestration, run = f"{path_of('orchestrations')}/{{ref}}", f"{V1}/runs/{{run_id}}"
    routes.post(
        f"{orchestration}/plan",
        summary="Plan a run",
        operation_id="plan",
        responses=documented(404, 409, 424, 429),
    )(_plan)
    routes.post(
        f"{orchestration}/runs",
        summary="Start a run",
        operation_id="start_run",
        status_code=202,
        responses=documented(404, 409),
    )(_start)
    routes.get(f"{V1}/runs", summary="List runs", operation_id="list_runs", responses=documented())(_list)
    routes.get(run, summary="Read a run", operation_id="get_run", responses=documented(404))(_get)
    routes.post(
        f"{run}/stop", summary="Stop a run", operation_id="stop_run", status_code=202, responses=documented(404, 409)
    )(_stop)
    routes.get(f"{run}/tasks", summary="Tasks of a run", operation_id="run_tasks", responses=documented(404))(_tasks)
    routes.post(
        f"{run}/undo", summary="Undo a run", operation_id="undo_run", status_code=202, responses=documented(404, 409)
    )(_undo)
    routes.get(
        f"{run}/events",
        summary="Follow a run",
        operation_id="run_events",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Server-sent events: `task` with a task each time that one begins or ends, `run` with the run "
                "when its status changes; the stream ends with the run.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **documented(404),
        },
    )(_events)
    routes.get(
        f"{run}/rejects", summary="Rejects of a run", operation_id="list_rejects", responses=documented(404, 409)
    )(_list_rejects)
    routes.get(
        f"{run}/rejects.csv",
        summary="Rejects of a run as CSV",
        operation_id="rejects_csv",
        response_class=StreamingResponse,
        responses={
            200: {"description": "The rejects, names first.", "content": {"text/csv": {"schema": {"type": "string"}}}},
            **documented(404, 409),
        },
    )(_rejects)
    return routes


def _plan(
    tools: ToolsHere,
    ref: Ref,
    samples: Annotated[bool, Query(description="With up to 20 people of each kind; it takes `people.read`.")] = False,
) -> values.Plan:
    """Say what a run would do. The query runs, the difference is made, nothing is sent."""
    if samples:
        tools.workspace.actor.require("people.read")
    name = get_configured(tools.workspace, "orchestrations", ref).name
    runner = Runner(workspace=tools.workspace, settings=tools.settings, progress=Quiet(), stop=threading.Event())
    with tools.place():
        if not samples:
            return plan_of(plan(runner, name))
        sampled = plan_with_samples(runner, name)
        return plan_of(sampled.plan, sampled.samples)


def _start(
    tools: ToolsHere,
    ref: Ref,
    response: Response,
    order: RunOrder | None = None,
    key: IdempotencyKey = None,
) -> values.Started:
    """Start a run and answer at once. 409 `run_under_way` says that another run of the orchestration has not ended; with
    `SEGUE_SECOND_RUN=wait` at the server the new one waits for it instead.

    A run that failed half-way is gone on with, as `segue run` does; then the answer is that run.
    """
    name = get_configured(tools.workspace, "orchestrations", ref).name
    order = order or RunOrder()

    options = Options(allowed=tuple(order.allow), plan_id=order.plan_id, restart=order.restart)
    start = _Start(lambda: tools.starter.start(tools.workspace, name, options, tools.settings.second_run))
    run_id = once(tools, key, [name, order.model_dump()], start)
    response.headers["Location"] = f"{V1}/runs/{run_id}"
    return started_of(RunRecords(tools.workspace.catalog).get(run_id), resumed=start.resumed)


def _list(
    tools: ToolsHere,
    orchestration: Annotated[str | None, Query(description="Only runs of this name.")] = None,
    status: Annotated[RunStatus | None, Query(description="Only runs that stand so.")] = None,
    cursor: Cursor = None,
    limit: PageSize = 20,
) -> values.RunList:
    """The latest runs, newest first, page by page."""
    records = RunRecords(tools.workspace.catalog)
    page = run_page(tools.workspace, orchestration=orchestration, status=status, cursor=cursor, limit=limit)
    return values.RunList(items=tuple(map(run_of, records.several(page.ids))), next=page.cursor)


def _get(tools: ToolsHere, run_id: RunRef) -> values.Run:
    """One run with its tasks, those that have not begun too."""
    return _record(tools, run_id)


def _tasks(tools: ToolsHere, run_id: RunRef) -> values.TaskList:
    """The tasks of a run, those that have not begun too, with how far the one is that goes on."""
    return values.TaskList(items=_record(tools, run_id).tasks)


def _undo(
    tools: ToolsHere,
    run_id: RunRef,
    response: Response,
    order: UndoOrder | None = None,
    key: IdempotencyKey = None,
) -> values.Started:
    """Put the list membership back to what it was before a run, and answer at once with the run that does it."""
    undone = RunRecords(tools.workspace.catalog).get(run_id).id
    order = order or UndoOrder()
    options = Options(allowed=tuple(order.allow))
    request = ["undo", undone, order.model_dump()]
    start = _Start(lambda: tools.starter.undo(tools.workspace, undone, options, tools.settings.second_run))
    found = once(tools, key, request, start)
    response.headers["Location"] = f"{V1}/runs/{found}"
    return started_of(RunRecords(tools.workspace.catalog).get(found), resumed=start.resumed)


def _stop(tools: ToolsHere, run_id: RunRef) -> values.Run:
    """Ask a run to stop. Calls on their way end; what was acknowledged stays; the next run goes on from there."""
    record = _record(tools, run_id)
    tools.starter.stop(tools.workspace, record.run_id)
    return _record(tools, record.run_id)


async def _events(tools: ToolsHere, run_id: RunRef) -> StreamingResponse:
    """Follow a run as it goes: server-sent events."""
    first = await run_in_threadpool(_record, tools, run_id)
    stream = EventStream(lambda: _record(tools, first.run_id))

    async def parts() -> AsyncIterator[bytes]:
        async for part in stream:
            yield part

    return StreamingResponse(parts(), media_type="text/event-stream")


def _list_rejects(tools: ToolsHere, run_id: RunRef, cursor: Cursor = None, limit: PageSize = 100) -> values.RejectList:
    """What a run could not send, page by page: Segue's rejects in the order of the rows, then the destination's."""
    start = read_position(cursor) if cursor is not None else 0
    run = RunRecords(tools.workspace.catalog).get(run_id)
    found = list(islice(rejects(tools.workspace, run.id), start, start + limit + 1))
    return values.RejectList(
        items=tuple(map(reject_of, found[:limit])),
        next=write_position(start + limit) if len(found) > limit else None,
    )


def _rejects(tools: ToolsHere, run_id: RunRef) -> StreamingResponse:
    """Download what a run could not send: row from 1, key, field, value, reason, and who said so."""
    record = RunRecords(tools.workspace.catalog).get(run_id)
    headers = {"Content-Disposition": f'attachment; filename="rejects-{record.id}.csv"'}
    return StreamingResponse(rejects_csv(tools.workspace, record.id), media_type="text/csv", headers=headers)


@dataclass(slots=True)
class _Start:
    """Starts a run and remembers whether it was one that there was before, which it also is where nothing is started."""

    start: Callable[[], Requested]
    resumed: bool = True

    def __call__(self) -> str:
        """The id of the run."""
        asked = self.start()
        self.resumed = asked.resumed
        return asked.run.id


def _record(tools: Tools, run_id: str) -> values.Run:
    records = RunRecords(tools.workspace.catalog)
    run = records.get(run_id)
    return run_of(run, parts=records.states(run.id))
