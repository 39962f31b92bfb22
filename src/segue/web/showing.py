"""From a page as it is described to what the browser gets: permission, frame, content, and what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from segue.errors import SegueError, UsageError
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.web.components.banner import error_banner, tell
from segue.web.components.states import empty
from segue.web.layout import frame
from segue.web.registry import Page
from segue.web.visit import Visit


def shown(
    page: Page, pages: tuple[Page, ...], workspace: Workspace, settings: Settings
) -> Callable[..., Awaitable[None]]:
    """What NiceGUI calls for each visit of a page, with the parameters of its address."""

    async def show(**parameters: object) -> None:
        visit = _visit(pages, workspace, settings)
        ui.on_exception(partial(tell, debug=settings.debug))
        with frame(visit, pages, page):
            if not visit.may(page.permission):
                empty("lock", "Not for you", "Ask an administrator for the permission to see this page.")
                return
            try:
                await page.build(visit, **parameters)
            except SegueError as error:
                ui.context.client.status_code = _status(error)
                error_banner(error)

    return show


def shown_missing(pages: tuple[Page, ...], workspace: Workspace, settings: Settings) -> Callable[[], None]:
    """What is at an address that no page has."""

    def show() -> None:
        ui.context.client.status_code = 404
        ui.page_title("Not found · Segue")
        with frame(_visit(pages, workspace, settings), pages, None):
            empty("explore_off", "There is nothing here", "The address is wrong, or what was here is gone.")
            ui.link("Home", "/").classes("button")

    return show


def _visit(pages: tuple[Page, ...], workspace: Workspace, settings: Settings) -> Visit:
    return Visit(
        opened=workspace,
        request=ui.context.client.request,
        settings=settings,
        paths=frozenset(page.path for page in pages),
    )


def _status(error: SegueError) -> int:
    return 404 if isinstance(error, UsageError) and error.code.startswith("unknown_") else 422
