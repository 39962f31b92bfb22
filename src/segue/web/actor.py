"""Who looks at a page."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import HTTPConnection

from segue.browser import client_address, visitor
from segue.services.permissions import NOBODY, Actor
from segue.services.workspace import Workspace


def current_actor(opened: Workspace, request: HTTPConnection) -> Actor:
    """The person whose browser asked for the page, as that person is now; nobody once the session is over."""
    found = visitor(opened, request)
    return found.actor if found is not None else replace(NOBODY, address=client_address(request))
