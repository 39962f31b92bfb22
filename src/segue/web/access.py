"""Which permission each file takes that the web app offers beside its pages. One that is not in this table does not start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import FastAPI
from fastapi.routing import APIRoute

FILES: Mapping[str, str] = {
    "/queries/{ref}/rows.csv": "queries.run",
    "/workflows/{run_id}/rejects.csv": "people.read",
    "/settings/activity.{form}": "audit.read",
}
"""Path as the route has it -> the permission that it takes; use cases ask for it once more."""
_THEIRS = "/_"
"""What the paths begin with that hold scripts and styles, and are the same for everybody."""


def check_files(app: FastAPI, pages: Iterable[str]) -> None:
    """Raise RuntimeError where a route is neither a page nor in the table, or the table names one that is not there."""
    routes = {route.path for route in app.routes if isinstance(route, APIRoute)} - set(pages)
    found = {path for path in routes if not path.startswith(_THEIRS)}
    if found != set(FILES):
        wrong = ", ".join(sorted(found ^ set(FILES)))
        raise RuntimeError(f"segue.web.access.FILES and the routes of the web app differ: {wrong}")
