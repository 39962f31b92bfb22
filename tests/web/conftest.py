from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize, expect

from examples.sandbox import Sandbox, sandbox
from tests.web.browser import chromium, logged_in, web_app
from tests.web.small import Small, small

expect.set_options(timeout=30_000)  # a loaded machine is slow, not wrong
ROOT = Path(__file__).parents[2]
NAME = "Customers to Klaviyo"
SIZE: ViewportSize = {"width": 1280, "height": 850}
_NOWHERE = "about:blank"


@dataclass(frozen=True)
class Site:
    """A demo workspace behind a server."""

    place: Sandbox
    url: str
    cookies: dict[str, str]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "workspace"
    with sandbox(folder, rows=300, configuration=ROOT / "examples" / "segue.yaml", limit_scale=0) as place:
        place.captured("apply", str(place.folder / "segue.yaml"))
        place.captured("run", NAME, "--yes")
        with web_app(place) as url:
            yield Site(place=place, url=url, cookies=logged_in(place))


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small(tmp_path_factory.mktemp("small") / "workspace") as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


_AT_REST = """document.getAnimations().every(
    a => a.playState !== "running" || a.effect.getComputedTiming().iterations === Infinity)"""


class Visitor:
    """A browser window. Whatever a page complains of to the console fails the test."""

    def __init__(self, site: Site | Small, page: Page) -> None:
        self.site = site
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        for event, heard in self._ears.items():
            page.on(event, heard)

    @cached_property
    def _ears(self) -> dict[Any, Any]:
        return {"console": self._printed, "pageerror": self._failed, "request": self._asked}

    def leave(self) -> None:
        """Listen no longer."""
        for event, heard in self._ears.items():
            self.page.remove_listener(event, heard)

    def _failed(self, error: Exception) -> None:
        self.complaints.append(str(error))

    def _printed(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def go(self, path: str) -> Page:
        """Open a page and wait until it is live: events before the handshake would be lost."""
        self.page.goto(self.site.url + path)
        self.page.wait_for_function("window.did_handshake === true")
        return self.page

    def serious(self) -> list[str]:
        """What axe finds serious or critical, once nothing fades in any more: half a colour has half the contrast."""
        self.page.wait_for_function(_AT_REST)
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{v['id']}: {node['html'][:200]} {node['failureSummary']}"
            for v in found
            if v["impact"] in {"serious", "critical"}
            for node in v["nodes"]
        ]

    def too_wide(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@contextmanager
def visiting(site: Site | Small, browser: Browser, cookies: dict[str, str] | None = None) -> Iterator[Visitor]:
    """A window at a site. cookies: of somebody else than its administrator."""
    page = _window(browser)
    context = page.context
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="null", reduced_motion="reduce")  # what moves costs time and cannot be clicked
    context.add_cookies([{"name": n, "value": v, "url": site.url} for n, v in (cookies or site.cookies).items()])
    visitor = Visitor(site, page)
    yield visitor
    for other in context.pages:
        other.goto(_NOWHERE) if other is page else other.close()
    visitor.leave()
    context.clear_cookies()
    context.clear_permissions()
    assert visitor.complaints == []


def _window(browser: Browser) -> Page:
    """One that nobody looks through. It has the scripts of its earlier visits compiled, most of the work of a page."""
    for context in browser.contexts:
        if [page.url for page in context.pages] == [_NOWHERE]:
            return context.pages[0]
    return browser.new_context(timezone_id="Europe/Vienna").new_page()


@pytest.fixture
def visitor(site: Site, browser: Browser) -> Iterator[Visitor]:
    with visiting(site, browser) as found:
        yield found


@pytest.fixture
def small_visitor(small_site: Small, browser: Browser) -> Iterator[Visitor]:
    with visiting(small_site, browser) as found:
        yield found
