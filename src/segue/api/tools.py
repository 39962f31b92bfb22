"""What the routes share, and how they reach it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Path, Query, Request

from segue.api.access import ROUTES
from segue.api.background import Starter
from segue.errors import BusyError, UsageError
from segue.services.permissions import NOBODY, Actor
from segue.services.run_starts import start_once
from segue.services.workspace import Workspace
from segue.settings import Settings

_AT_ONCE = 4
_DEEPEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The open workspace and what starts runs in it."""

    workspace: Workspace
    settings: Settings
    starter: Starter
    _places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the few queries at once that the memory of the machine allows. Raises BusyError when all are taken."""
        if not self._places.acquire(blocking=False):
            raise BusyError(
                f"{_AT_ONCE} queries are under way for the API already.",
                code="too_many_at_once",
                steps=("Try again in a few seconds.",),
            )
        try:
            yield
        finally:
            self._places.release()


def _tools(request: Request) -> Tools:
    """The tools in the hands of who asks: whatever a route calls knows for whom it is."""
    tools: Tools = request.app.state.tools
    return replace(tools, workspace=tools.workspace.acting_as(getattr(request.state, "actor", NOBODY)))


def once(tools: Tools, key: str | None, request: Sequence[object], start: Callable[[], str]) -> str:
    """The id of what start starts; of what it started the first time where the caller repeats a key.

    request: what is asked for, so that a key is not used for something else. Raises as ``start_once`` does.
    """
    if key is None:
        return start()
    text = json.dumps(request, sort_keys=True)
    return start_once(tools.workspace, token_id=tools.workspace.actor.key, key=key, request=text, start=start)[0]


def authorise(request: Request) -> None:
    """Let nobody in who lacks the permission of the route."""
    actor: Actor = request.state.actor
    actor.require(ROUTES[request.method, request.scope["route"].path])


async def _document(request: Request) -> Mapping[str, Any]:
    body = await request.body()
    try:
        # orjson refuses what could not be stored later: half surrogate pairs, NaN.
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UsageError("The body is not JSON.", code="bad_json", steps=("Send one JSON object.",)) from None
    if not isinstance(data, dict):
        raise UsageError("The body is not a JSON object.", code="bad_json", steps=("Send one JSON object.",))
    if _depth(data) > _DEEPEST:
        raise UsageError(f"The body is nested deeper than {_DEEPEST} levels.", code="too_deep")
    return data


def _depth(data: object) -> int:
    level, depth = [data], 0
    while level and depth <= _DEEPEST:
        parts = [part for part in level if isinstance(part, dict | list)]
        level = [x for part in parts for x in (part.values() if isinstance(part, dict) else part)]
        depth += 1
    return depth


ToolsHere = Annotated[Tools, Depends(_tools)]
Document = Annotated[Mapping[str, Any], Depends(_document)]
Ref = Annotated[str, Path(description="Name or id. A name that holds a slash is reached by its id.")]
RunRef = Annotated[str, Path(description="Id of the run, or its unambiguous beginning.", min_length=1)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A text of your choice. The same request with the same key answers with the same run.",
    ),
]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]
PageSize = Annotated[int, Query(alias="limit", ge=1, le=100, description="At most this many.")]
