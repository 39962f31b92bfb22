"""Refusals in Klaviyo's JSON:API error envelope."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One entry of ``errors``. pointer names a place in the body, parameter one in the query."""

    code: str
    title: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self, status: int) -> dict[str, object]:
        """The entry as JSON:API prints it."""
        source = {"parameter": self.parameter} if self.parameter else {"pointer": self.pointer} if self.pointer else {}
        return {
            "id": str(uuid.uuid4()),
            "status": status,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "source": source,
            "links": {},
            "meta": dict(self.meta),
        }


class ApiError(Exception):
    """An answer with a status of 400 and above: one or more problems, and headers such as Retry-After."""

    def __init__(self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problems[0].detail)
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, object]:
        """The body of the answer."""
        return {"errors": [problem.as_dict(self.status) for problem in self.problems]}


def invalid(detail: str, *, pointer: str | None = None, parameter: str | None = None) -> ApiError:
    """400: the body or the query is wrong at the named place."""
    return ApiError(400, [invalid_problem(detail, pointer=pointer, parameter=parameter)])


def invalid_problem(detail: str, *, pointer: str | None = None, parameter: str | None = None) -> Problem:
    """The one problem of an ``invalid`` answer, for answers that name several."""
    return Problem(code="invalid", title="Invalid input.", detail=detail, pointer=pointer, parameter=parameter)


def not_found(kind: str, key: str) -> ApiError:
    """404: there is no such object in this account."""
    detail = f"A {kind} with id {key} does not exist."
    return ApiError(404, [Problem(code="not_found", title="Not found.", detail=detail, pointer="/data/id")])


def duplicate_profile(profile_id: str) -> ApiError:
    """409: an identifier of the body belongs to another profile, whose id is in ``meta``."""
    return ApiError(
        409,
        [
            Problem(
                code="duplicate_profile",
                title="Conflict.",
                detail="A profile already exists with one of these identifiers.",
                pointer="/data/attributes",
                meta={"duplicate_profile_id": profile_id},
            )
        ],
    )


def throttled(retry_after: int) -> ApiError:
    """429: a window is used up; retry_after in seconds."""
    detail = f"Request was throttled. Expected available in {retry_after} seconds."
    problem = Problem(code="throttled", title="Request was throttled.", detail=detail, pointer="/data/")
    return ApiError(429, [problem], {"Retry-After": str(retry_after)})


def too_large(limit: int) -> ApiError:
    """413: the body is longer than ``limit`` bytes after decompression."""
    detail = f"The payload is larger than {limit} bytes."
    return ApiError(413, [Problem(code="payload_too_large", title="Payload too large.", detail=detail)])


def forbidden(scopes: str) -> ApiError:
    """403: the key lacks these scopes."""
    detail = f"You do not have permission to perform this action. It needs: {scopes}."
    return ApiError(
        403, [Problem(code="permission_denied", title="Permission denied.", detail=detail, pointer="/data/")]
    )
