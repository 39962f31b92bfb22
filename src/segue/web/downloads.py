"""Files that pages offer: streamed, not held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from segue.errors import SegueError
from segue.services.drafts import open_query
from segue.services.permissions import NotPermittedError
from segue.services.previews import unsaved
from segue.services.queries import answering
from segue.services.rejects import rejects_csv
from segue.services.rows import csv_parts
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.web.actor import current_actor
from segue.workflow.watching import watch

MOST_ROWS = 1_000_000
"""Of a file: more than a spreadsheet opens."""


def register_downloads(app: FastAPI, workspace: Workspace, settings: Settings) -> None:
    """Add the routes."""

    @app.get("/queries/{ref}/rows.csv", include_in_schema=False)
    def rows(request: Request, ref: str) -> Response:
        return answered(request, lambda acting: _rows(acting, settings, ref))

    @app.get("/workflows/{run_id}/rejects.csv", include_in_schema=False)
    def rejected(request: Request, run_id: str) -> Response:
        return answered(request, lambda acting: _rejects(acting, run_id))

    def answered(request: Request, make: Callable[[Workspace], Response]) -> Response:
        try:
            return make(workspace.acting_as(current_actor(workspace, request)))
        except NotPermittedError as error:
            return PlainTextResponse(error.message, status_code=403)
        except SegueError as error:
            return PlainTextResponse("\n".join((error.message, *error.steps)), status_code=422)


def _rejects(workspace: Workspace, run_id: str) -> Response:
    record = watch(workspace, run_id).run
    headers = {"Content-Disposition": f'attachment; filename="rejects-{record.id}.csv"'}
    return StreamingResponse(rejects_csv(workspace, record.id), media_type="text/csv", headers=headers)


def _rows(workspace: Workspace, settings: Settings, ref: str) -> Response:
    query = open_query(workspace, ref)
    with ExitStack() as stack:
        saved = replace(unsaved(workspace, query.sql, query.database), name=query.name)
        reader = stack.enter_context(answering(saved, settings, workspace=workspace, limit=MOST_ROWS, download=True))
        held = stack.pop_all()

    def parts() -> Iterator[bytes]:
        with held:
            yield from (part for part, _ in csv_parts(reader.schema, reader))

    begun = parts()
    # Begun at once: dropped at any time it then ends the query, one that never began would not.
    first = next(begun)
    return StreamingResponse(
        chain((first,), begun),
        media_type="text/csv",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(query.name, safe='')}.csv"},
    )
