"""Routes that show the rows of queries: streamed as NDJSON, or as CSV."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Annotated, Any

import orjson
import pyarrow as pa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from segue.api.access import V1, path_of
from segue.api.problems import documented, problem_of
from segue.api.tools import Ref, Tools, ToolsHere
from segue.errors import SegueError
from segue.services.editing import get_configured
from segue.services.queries import SavedQuery, answering, find_database, find_query
from segue.services.rows import csv_parts, json_cell, rows_of

_MOST_ROWS = 10_000
NDJSON = "application/x-ndjson"
_NDJSON_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON value a line: first an object with `query`, `database` and `columns`, then an array for each "
        "row in their order, at last an object with `row_count` and `seconds`, or with `problem` where the query broke off.",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    }
}


class Preview(BaseModel):
    """SQL that is not saved."""

    model_config = ConfigDict(extra="forbid")

    sql: str = Field(min_length=1, description="One SELECT in Presto or Trino SQL.")
    database: str | None = Field(default=None, description="Where it runs; needed when there are several.")
    limit: int = Field(default=100, ge=0, le=_MOST_ROWS, description="At most this many rows.")


Limit = Annotated[int, Query(ge=0, le=_MOST_ROWS, description="At most this many rows.")]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["queries"])
    shared: dict[str, Any] = {"response_class": StreamingResponse}
    routes.post(
        f"{V1}/previews",
        summary="Preview SQL",
        operation_id="preview_sql",
        responses={**_NDJSON_ANSWER, **documented(404, 409, 429)},
        **shared,
    )(_preview)
    csv: dict[int | str, dict[str, Any]] = {
        200: {"description": "The rows, names first.", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **documented(404, 409, 429),
    }
    routes.post(
        f"{V1}/previews.csv", summary="Rows of SQL as CSV", operation_id="preview_csv", responses=csv, **shared
    )(_preview_csv)
    routes.post(
        f"{path_of('queries')}/{{ref}}/preview",
        summary="Preview a query",
        operation_id="preview_query",
        responses={**_NDJSON_ANSWER, **documented(404, 409, 429)},
        **shared,
    )(_preview_saved)
    routes.get(
        f"{path_of('queries')}/{{ref}}/rows.csv",
        summary="Rows of a query as CSV",
        operation_id="query_csv",
        responses=csv,
        **shared,
    )(_csv)
    return routes


def _preview(tools: ToolsHere, body: Preview) -> StreamingResponse:
    """Run SQL and stream its rows as they come. A mistake in it is told with line and column."""
    return _stream(tools, _unsaved(tools, body), body.limit)


def _preview_csv(tools: ToolsHere, body: Preview) -> StreamingResponse:
    """Download the rows of SQL that is not saved. A NULL is empty, an empty text is `""`."""
    return _csv_stream(tools, _unsaved(tools, body), body.limit)


def _preview_saved(tools: ToolsHere, ref: Ref, limit: Limit = 100) -> StreamingResponse:
    """Run a saved query, a draft too, and stream its rows as they come. Nothing is sent anywhere."""
    return _stream(tools, _saved(tools, ref), limit)


def _csv(tools: ToolsHere, ref: Ref, limit: Limit = _MOST_ROWS) -> StreamingResponse:
    """Download the rows of a saved query. A NULL is empty, an empty text is `""`."""
    return _csv_stream(tools, _saved(tools, ref), limit)


def _csv_stream(tools: Tools, query: SavedQuery, limit: int) -> StreamingResponse:
    stack, reader = _open(tools, query, limit, download=True)

    def parts() -> Iterator[bytes]:
        with stack:
            yield from (part for part, _ in csv_parts(reader.schema, reader))

    headers = {"Content-Disposition": 'attachment; filename="rows.csv"'}
    return StreamingResponse(begun(parts()), media_type="text/csv", headers=headers)


def _unsaved(tools: Tools, body: Preview) -> SavedQuery:
    with tools.workspace.catalog.session(read_only=True) as session:
        return SavedQuery(name=None, sql=body.sql, database=find_database(session, body.database))


def _saved(tools: Tools, ref: str) -> SavedQuery:
    name = get_configured(tools.workspace, "queries", ref).name
    with tools.workspace.catalog.session(read_only=True) as session:
        return find_query(session, name)


def _open(
    tools: Tools, query: SavedQuery, limit: int, *, download: bool = False
) -> tuple[ExitStack, pa.RecordBatchReader]:
    """The rows, and what ends the query. What goes wrong before the first row is raised here, as a problem of its own."""
    with ExitStack() as stack:
        stack.enter_context(tools.place())
        reader = stack.enter_context(
            answering(query, tools.settings, workspace=tools.workspace, limit=limit, download=download)
        )
        return stack.pop_all(), reader


def _stream(tools: Tools, query: SavedQuery, limit: int) -> StreamingResponse:
    started = time.monotonic()
    stack, reader = _open(tools, query, limit)
    return StreamingResponse(begun(_lines(query, stack, reader, started)), media_type=NDJSON)


def begun(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same parts of a generator that has begun: dropped at any time, it cleans up. One that never began would not."""
    return chain((next(parts),), parts)


def _lines(query: SavedQuery, stack: ExitStack, reader: pa.RecordBatchReader, started: float) -> Iterator[bytes]:
    # Also when nobody listens any more: the generator is closed then, and the query with it.
    with stack:
        columns = [{"name": column.name, "type": str(column.type)} for column in reader.schema]
        yield orjson.dumps({"query": query.name, "database": query.database.name, "columns": columns}) + b"\n"
        count = 0
        try:
            for batch in reader:
                count += batch.num_rows
                yield "".join(f"{json_cell(row)}\n" for row in rows_of([batch])).encode()
        except SegueError as error:
            yield orjson.dumps({"problem": problem_of(error).model_dump(mode="json", exclude_defaults=True)}) + b"\n"
            return
        yield orjson.dumps({"row_count": count, "seconds": round(time.monotonic() - started, 3)}) + b"\n"
