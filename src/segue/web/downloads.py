"""Files that pages offer: streamed, not held in memory."""

from __future__ import annotations

from collections.abc import Iterator
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
from segue.services.rows import csv_parts
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.web.actor import current_actor

MOST_ROWS = 1_000_000
"""Of a file: more than a spreadsheet opens."""


def register_downloads(app: FastAPI, workspace: Workspace, settings: Settings) -> None:
    """Add the routes."""

    @app.get("/queries/{ref}/rows.csv", include_in_schema=False)
    def rows(request: Request, ref: str) -> Response:
        try:
            acting = workspace.acting_as(current_actor(workspace, request))
            return _rows(acting, settings, ref)
        except NotPermittedError as error:
            return PlainTextResponse(error.message, status_code=403)
        except SegueError as error:
            return PlainTextResponse("\n".join((error.message, *error.steps)), status_code=422)


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
