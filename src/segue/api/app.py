"""The application: every route, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import orjson
from fastapi import Depends, FastAPI, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Lifespan

from segue.api import (
    accounts,
    configuration,
    groups,
    notifications,
    operations,
    people,
    queries,
    requests,
    resolutions,
    retention,
    runs,
)
from segue.api.background import Starter, WorkerStarter
from segue.api.guard import Guard
from segue.api.metrics import Metrics
from segue.api.openapi import describe
from segue.api.problems import invalid, refused, told
from segue.api.tools import Tools, authorise
from segue.errors import SegueError
from segue.services.workspace import Workspace
from segue.settings import Settings

_MODULES = (
    configuration,
    queries,
    runs,
    requests,
    resolutions,
    groups,
    notifications,
    people,
    accounts,
    retention,
    operations,
)


def create_app(workspace: Workspace, settings: Settings, *, starter: Starter | None = None) -> FastAPI:
    """The API of an open workspace.

    starter: what starts runs; None leaves them to workers. The application closes it at its end; the workspace stays the
    caller's.
    """
    starter = starter or WorkerStarter()
    metrics = Metrics(workspace)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(starter.close)

    app = _routed(lifespan)
    app.state.tools = Tools(workspace=workspace, settings=settings, starter=starter)
    app.state.metrics = metrics
    app.get("/api/openapi.json", include_in_schema=False)(_description)
    app.add_exception_handler(SegueError, told)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_middleware(Guard, workspace=workspace, observe=metrics.observe, debug=settings.debug)
    return app


def openapi() -> dict[str, Any]:
    """The description of the API; no workspace is needed for it."""
    return describe(_routed())


@cache
def _described() -> bytes:
    # Made when somebody asks for it: it takes longer than all else that the start of a server does for the API.
    return orjson.dumps(openapi())


def _description() -> Response:
    return Response(_described(), media_type="application/json")


def _routed(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    # No pages that try the API: they load scripts from elsewhere.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False)
    app.include_router(operations.public_router())
    for router in [module.router() for module in _MODULES]:
        app.include_router(router, dependencies=[Depends(authorise)])
    return app
