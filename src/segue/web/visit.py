"""One person at one page: what the page may use, and how it reaches the use cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from segue.browser import visitor
from segue.services.permissions import Actor
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.web.actor import current_actor

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """request: with which the browser asked for the page; settings: of the server; paths: of the pages that there are, as
    they are declared; started: ids of the runs that were started here, of which the page tells the end."""

    opened: Workspace
    request: HTTPConnection
    settings: Settings
    paths: frozenset[str]
    started: set[str] = field(default_factory=set)

    @property
    def actor(self) -> Actor:
        """Who it is: asked anew each time, since a session may have ended meanwhile."""
        return current_actor(self.opened, self.request)

    @property
    def workspace(self) -> Workspace:
        """The workspace, as this person may use it."""
        return self.opened.acting_as(self.actor)

    @property
    def csrf(self) -> str:
        """What a form of this page must carry."""
        found = visitor(self.opened, self.request)
        return found.csrf if found is not None else ""

    def may(self, permission: str) -> bool:
        """Whether to offer something at all. The use cases ask again."""
        return self.actor.may(permission)

    def has(self, path: str) -> bool:
        """Whether there is a page at this path, such as ``/workflows/{run_id}``: links lead only to pages that are there."""
        return path in self.paths

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a use case answers. It runs in a thread: nobody else waits for it. Raises what it raises."""
        return await run_in_threadpool(work, *args, **kwargs)
