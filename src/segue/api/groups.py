"""Routes of orchestration groups as they run, and of the signals that start them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from segue.api.access import V1, path_of
from segue.api.problems import documented
from segue.api.tools import Cursor, IdempotencyKey, PageSize, Ref, Tools, ToolsHere, once
from segue.catalog.base import now
from segue.client import group_values
from segue.scheduling import Group, GroupRecords, find_group, latest_signals, next_starts, record_signal
from segue.scheduling.signals import hint_for
from segue.services.cursors import cut, read_cursor
from segue.services.editing import get_configured
from segue.wire import group_run_of, group_states_of
from segue.workflow.grouping import scheduler_of


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()
    group, signals = f"{path_of('orchestration_groups')}/{{ref}}", f"{V1}/signals"
    groups = APIRouter(tags=["orchestration groups"])
    groups.post(
        f"{group}/runs",
        summary="Run a group",
        operation_id="start_group",
        status_code=202,
        responses=documented(404, 409),
    )(_start)
    groups.get(f"{group}/runs", summary="Runs of a group", operation_id="list_group_runs", responses=documented(404))(
        _list
    )
    groups.get(
        f"{group}/times", summary="Next times of a group", operation_id="group_times", responses=documented(404)
    )(_times)
    groups.get(
        f"{V1}/group-states",
        summary="How the groups stand",
        operation_id="list_group_states",
        responses=documented(),
    )(_states)
    groups.get(
        f"{V1}/group-runs/{{run_id}}",
        summary="Read a run of a group",
        operation_id="get_group_run",
        responses=documented(404),
    )(_get)
    routes.include_router(groups)
    posted = APIRouter(tags=["signals"])
    posted.get(signals, summary="List signals", operation_id="list_signals", responses=documented())(_signals)
    posted.post(
        f"{signals}/{{name}}",
        summary="Say that data are ready",
        operation_id="post_signal",
        status_code=202,
        responses=documented(404),
    )(_signal)
    routes.include_router(posted)
    return routes


def _start(tools: ToolsHere, ref: Ref, response: Response, key: IdempotencyKey = None) -> group_values.GroupRun:
    """Run a group, enabled or not, changed or not, and answer at once. A run that was killed goes on instead."""
    name = _group(tools, ref).name
    run_id = once(tools, key, ["group", name], lambda: tools.starter.start_group(tools.workspace, name).id)
    response.headers["Location"] = f"{V1}/group-runs/{run_id}"
    return group_run_of(GroupRecords(tools.workspace.catalog).find(run_id))


def _list(tools: ToolsHere, ref: Ref, cursor: Cursor = None, limit: PageSize = 20) -> group_values.GroupRunList:
    """The latest runs of a group, newest first, page by page."""
    before = read_cursor(cursor) if cursor is not None else None
    found = GroupRecords(tools.workspace.catalog).latest(_group(tools, ref).id, limit=limit + 1, before=before)
    shown, following = cut(found, limit, lambda run: (run.due_at, run.id))
    return group_values.GroupRunList(items=tuple(map(group_run_of, shown)), next=following)


def _times(
    tools: ToolsHere,
    ref: Ref,
    count: Annotated[int, Query(ge=1, le=50, description="So many times.")] = 5,
) -> group_values.Times:
    """When the schedule of a group starts it next."""
    return group_values.Times(items=next_starts(_group(tools, ref), count, now=now()))


def _states(tools: ToolsHere) -> group_values.GroupStates:
    """How every group stands, by name: what starts it, when next, and how its last run went."""
    return group_states_of(scheduler_of(tools.workspace), now=now())


def _get(
    tools: ToolsHere, run_id: Annotated[str, Path(description="Id of the run of a group.")]
) -> group_values.GroupRun:
    """One run of a group with its members."""
    return group_run_of(GroupRecords(tools.workspace.catalog).find(run_id))


def _signal(
    tools: ToolsHere, name: Annotated[str, Path(description="The name that groups have under `after_signal`.")]
) -> group_values.SignalReceived:
    """Say that upstream data are ready: the groups that wait for this signal become due. A scheduler starts them."""
    due = tuple(group.name for group in record_signal(tools.workspace.catalog, name))
    return group_values.SignalReceived(name=name, due=due, hint="" if due else hint_for(tools.workspace.catalog, name))


def _signals(
    tools: ToolsHere,
    name: Annotated[str | None, Query(description="Only signals of this name.")] = None,
    cursor: Cursor = None,
    limit: PageSize = 20,
) -> group_values.SignalList:
    """The signals that came, newest first, page by page."""
    before = read_cursor(cursor) if cursor is not None else None
    found = latest_signals(tools.workspace.catalog, name=name, limit=limit + 1, before=before)
    shown, following = cut(found, limit, lambda signal: (signal.at, signal.id))
    return group_values.SignalList(
        items=tuple(group_values.Signal(name=signal.name, received_at=signal.at) for signal in shown), next=following
    )


def _group(tools: Tools, ref: str) -> Group:
    name = get_configured(tools.workspace, "orchestration_groups", ref).name
    with tools.workspace.catalog.session(read_only=True) as session:
        return find_group(session, name)
