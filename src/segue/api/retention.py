"""Routes of how long what runs stored is kept."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from segue.api.access import V1
from segue.api.configuration import IfMatch, tag_of
from segue.api.problems import documented
from segue.api.tools import Document, ToolsHere
from segue.catalog.base import now
from segue.services.configuration.retention import RetentionEntry
from segue.services.retention import Retention, retention_entry, retention_state, set_retention
from segue.workflow.garbage import collect


class RetentionNumbers(BaseModel):
    """What counts: ages in seconds, counts of the latest runs of an orchestration; None: no limit."""

    keep_payloads: float
    most_payloads: int | None
    keep_runs: float
    most_runs: int | None
    keep_last_runs: int


class RetentionInfo(BaseModel):
    """etag: for `If-Match` of a change, quotes included; set: what the workspace sets; effective: what counts, the environment
    of the server included."""

    etag: str
    set: RetentionEntry
    effective: RetentionNumbers


class CollectionKept(BaseModel):
    """What is old and stays, and why."""

    orchestration: str
    run_id: str | None
    why: str


class CollectionPreview(BaseModel):
    """What a collection would remove now. removed: how many of each; bytes: of files; merged: orchestrations whose baseline
    would be freed of people who left."""

    removed: dict[str, int]
    bytes: int
    merged: tuple[str, ...]
    kept: tuple[CollectionKept, ...]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["retention"])
    at = f"{V1}/retention"
    body = {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RetentionEntry"}}},
        }
    }
    routes.get(at, summary="Read how long things are kept", operation_id="get_retention", responses=documented())(_get)
    routes.put(
        at,
        summary="Set how long things are kept",
        operation_id="set_retention",
        responses=documented(412, 422, 428),
        openapi_extra=body,
    )(_put)
    routes.post(
        f"{at}/preview",
        summary="See what a collection would remove",
        operation_id="preview_retention",
        responses=documented(422),
        openapi_extra=body,
    )(_preview)
    return routes


def _get(tools: ToolsHere, response: Response) -> RetentionInfo:
    """How long people's data and records of runs stay."""
    state = retention_state(tools.workspace, tools.settings)
    info = RetentionInfo(etag=f'"{state.tag}"', set=state.entry, effective=_numbers(state.effective))
    response.headers["ETag"] = info.etag
    return info


def _put(tools: ToolsHere, document: Document, response: Response, if_match: IfMatch = None) -> RetentionInfo:
    """Set it for the next collection; what is left out is as the environment of the server says."""
    set_retention(tools.workspace, retention_entry(document), tag=tag_of(if_match))
    return _get(tools, response)


def _preview(tools: ToolsHere, document: Document) -> CollectionPreview:
    """What a collection with these times would remove now. Nothing is removed."""
    tools.workspace.actor.require("settings.edit")
    keep = Retention.of(tools.settings, retention_entry(document))
    with tools.place():
        found = collect(tools.workspace, tools.settings, at=now(), dry_run=True, keep=keep)
    return CollectionPreview(
        removed={what.replace(" ", "_"): count for what, count in found.removed.items()},
        bytes=found.bytes,
        merged=found.merged,
        kept=tuple(CollectionKept(orchestration=k.orchestration, run_id=k.run_id, why=k.why) for k in found.kept),
    )


def _numbers(keep: Retention) -> RetentionNumbers:
    return RetentionNumbers(
        keep_payloads=keep.keep_payloads,
        most_payloads=keep.most_payloads,
        keep_runs=keep.keep_runs,
        most_runs=keep.most_runs,
        keep_last_runs=keep.keep_last_runs,
    )
