"""What a page says of itself; navigation and routes are made from it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Build = Callable[..., Awaitable[None]]
"""Fills a page: takes the Visit, then the parameters of the path and the query string by name."""


class Section(Enum):
    """The entries of the navigation, in their order: what they are called and their icon."""

    HOME = ("Home", "home")
    CUSTOMER_360 = ("Customer 360", "storage")
    QUERIES = ("Queries", "manage_search")
    DESTINATIONS = ("Destinations", "outbound")
    ACTIVATIONS = ("Activations", "sync_alt")
    WORKFLOWS = ("Workflows", "account_tree")
    HISTORY = ("Customer history", "person_search")
    SETTINGS = ("Settings", "settings")

    def __init__(self, title: str, icon: str) -> None:
        self.title = title
        self.icon = icon


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page. path: as FastAPI has it, such as ``/queries/{ref}``; permission: what looking at it takes; tab: where its
    section has several pages, what it is called there; listed: whether the navigation leads here; example: where the path has
    parameters, an address in the demo's workspace, for pictures and tests."""

    path: str
    title: str
    section: Section
    permission: str
    build: Build
    tab: str | None = None
    listed: bool = True
    example: str | None = None

    @property
    def address(self) -> str:
        """An address of the page in the demo's workspace."""
        return self.example or self.path

    def parameters(self) -> list[inspect.Parameter]:
        """What the path and the query string give to ``build``."""
        return list(inspect.signature(self.build, eval_str=True).parameters.values())[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the navigation."""

    section: Section
    pages: tuple[Page, ...]

    @property
    def path(self) -> str:
        """Where the entry itself leads."""
        return self.pages[0].path


def navigation(pages: tuple[Page, ...], may: Callable[[str], bool]) -> tuple[Entry, ...]:
    """The entries that have a page this person may look at."""
    shown = [page for page in pages if page.listed and may(page.permission)]
    entries = (Entry(section=s, pages=tuple(page for page in shown if page.section is s)) for s in Section)
    return tuple(entry for entry in entries if entry.pages)


def check(pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """The pages, when no two of them are at one address. Raises ValueError."""
    paths: dict[str, Any] = {}
    for page in pages:
        if paths.setdefault(page.path, page) is not page:
            raise ValueError(f"two pages are at {page.path}")
    return pages
