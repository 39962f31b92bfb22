"""Errors as ``application/problem+json``: one table from what went wrong to the status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from segue.browser import ForeignRequestError
from segue.client.values import Mistake, Problem
from segue.errors import (
    BusyError,
    ConfigError,
    CredentialError,
    DataError,
    DestinationError,
    FuseBlown,
    QueryError,
    SegueError,
    StateError,
    UsageError,
)
from segue.services.attempts import LockedError
from segue.services.configuration import ConfigurationError
from segue.services.editing import ChangedError
from segue.services.login import LoginError, SessionError
from segue.services.permissions import NotPermittedError
from segue.services.tokens import TokenError

MEDIA = "application/problem+json"

_BY_CODE: Mapping[str, int] = {
    "bad_cursor": 400,
    "bad_json": 400,
    "too_deep": 400,
    "exists": 409,
    "user_exists": 409,
    "last_administrator": 409,
    "in_use": 409,
    "draft_query": 409,
    "run_over": 409,
    "run_of_a_command": 409,
    "rejects_unreadable": 409,
    "changes_expired": 409,
    "nothing_to_undo": 409,
    "unfit_action": 409,
    "run_overtaken": 409,
    "unfinished_run": 409,
    "already_undone": 409,
    "too_large": 413,
    "length_needed": 411,
    "tag_needed": 428,
    "too_many_at_once": 429,
}
_BY_TYPE: Sequence[tuple[type[SegueError], int]] = (
    (TokenError, 401),
    (SessionError, 401),
    (LoginError, 401),
    (NotPermittedError, 403),
    (ForeignRequestError, 403),
    (LockedError, 429),
    (ChangedError, 412),
    (UsageError, 422),
    (ConfigError, 422),
    (QueryError, 422),
    (DataError, 422),
    (FuseBlown, 409),
    (BusyError, 409),
    # Not 502: nothing between the caller and Segue failed, what the request depends on did.
    (CredentialError, 424),
    (DestinationError, 424),
    (StateError, 503),
)


def status_of(error: SegueError) -> int:
    """The status of an error; 500 for one that nobody foresaw."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, UsageError) and error.code.startswith("unknown_"):
        return HTTPStatus.NOT_FOUND
    return next((status for kind, status in _BY_TYPE if isinstance(error, kind)), 500)


def problem_of(error: SegueError) -> Problem:
    """An error as it goes over the wire."""
    status = status_of(error)
    mistakes = error.problems if isinstance(error, ConfigurationError) else ()
    return Problem(
        type=f"urn:segue:error:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        detail="The entry has mistakes." if mistakes else error.message,
        cause=error.cause,
        steps=error.steps if not mistakes else ("Correct them and send it again; nothing was changed.",),
        line=error.line if isinstance(error, QueryError) else None,
        column=error.column if isinstance(error, QueryError) else None,
        problems=tuple(Mistake(at=str(m.place), message=m.message) for m in mistakes),
        exit_code=error.exit_code,
    )


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells a problem."""
    extra = dict(headers or {})
    if problem.status == HTTPStatus.UNAUTHORIZED:
        extra["WWW-Authenticate"] = 'Bearer realm="segue"'
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        extra["Retry-After"] = "5"
    body = problem.model_dump_json(exclude_defaults=True)
    return Response(body, status_code=problem.status, media_type=MEDIA, headers=extra)


async def told(_request: Request, error: Exception) -> Response:
    """The handler for every error of ours."""
    assert isinstance(error, SegueError)  # noqa: S101 -- registered for nothing else
    return respond(problem_of(error))


async def invalid(_request: Request, error: Exception) -> Response:
    """The handler for parameters and bodies that are not as described. Their values, which may be people's, stay out."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    mistakes = tuple(
        Mistake(at="/".join(map(str, detail["loc"])), message=str(detail["msg"])) for detail in error.errors()
    )
    return respond(_plain(422, "invalid", "The request is not as described.", mistakes))


async def refused(_request: Request, error: Exception) -> Response:
    """The handler for what the router refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    return respond(_plain(status, status.name.lower(), status.description or status.phrase), headers=error.headers)


def _plain(status: int, code: str, detail: str, mistakes: tuple[Mistake, ...] = ()) -> Problem:
    return Problem(
        type=f"urn:segue:error:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        problems=mistakes,
    )


_ALWAYS = (400, 401, 403, 411, 413, 422, 503)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for its description."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in (*_ALWAYS, *statuses)}
