"""The pages and the REST API as one application."""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from segue.errors import SegueError
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.web.access import check_files
from segue.web.activity_export import register_activity_export
from segue.web.door import Door
from segue.web.downloads import register_downloads
from segue.web.guard import PageGuard
from segue.web.pages import PAGES
from segue.web.showing import shown, shown_missing

_STATIC = Path(__file__).with_name("static")
_ASSETS = "/_segue"


def with_pages(api: FastAPI, workspace: Workspace, settings: Settings, *, first_parts: Collection[str]) -> ASGIApp:
    """The application of an API, with pages at every other address. Once in a process: NiceGUI has one set of pages.

    first_parts: what the addresses of the API begin with. The workspace stays the caller's.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            yield

    logging.getLogger("nicegui").addFilter(_Discreet(debug=settings.debug))
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    version = importlib.metadata.version("segue")
    # Shown by another version, an old style sheet of the browser would not fit.
    assets = f"{_ASSETS}/{version}-{int(max(file.stat().st_mtime for file in _STATIC.iterdir()))}"
    nicegui_app.add_static_files(assets, _STATIC)
    ui.add_head_html(
        f'<script src="{assets}/segue.js"></script><link rel="stylesheet" href="{assets}/segue.css">', shared=True
    )
    register_downloads(nicegui_app, workspace, settings)
    register_activity_export(nicegui_app, workspace)
    for page in PAGES:
        ui.page(page.path, title=f"{page.title} · Segue", response_timeout=30)(
            _with_parameters(shown(page, PAGES, workspace, settings), page.parameters())
        )
    check_files(nicegui_app, (page.path for page in PAGES))
    ui.run_with(
        outer,
        root=shown_missing(PAGES, workspace, settings),
        title="Segue",
        favicon=_STATIC / "segue.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        gzip_middleware_factory=None,
        reconnect_timeout=10,
    )
    door = Door(outer, workspace=workspace, assets=assets, oidc=settings.oidc)
    guarded = GZipMiddleware(PageGuard(door), minimum_size=1000, compresslevel=4)
    return _Parted(api, guarded, first_parts)


def _with_parameters(show: Callable[..., Awaitable[None]], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    show.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return show


class _Parted:
    """The API at the addresses of its routes, the pages at all others."""

    def __init__(self, api: ASGIApp, pages: ASGIApp, first_parts: Collection[str]) -> None:
        self._api = api
        self._pages = pages
        self._first = first_parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        ours = scope["type"] == "http" and scope["path"].split("/")[1] in self._first
        await (self._api if ours else self._pages)(scope, receive, send)


class _Discreet(logging.Filter):
    """Keeps people's data out of NiceGUI's log: a traceback shows values."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it; errors of ours were shown to the person already."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, SegueError):
            return self._debug
        if error is not None and not self._debug:
            record.msg, record.args, record.exc_info = f"a page failed: {type(error).__name__}", (), None
        return True
