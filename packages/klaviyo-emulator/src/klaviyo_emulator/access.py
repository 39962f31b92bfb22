"""Who is calling and with which revision: the checks before any endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping

from klaviyo_emulator.errors import ApiError, Problem, forbidden, invalid
from klaviyo_emulator.operations import Operation
from klaviyo_emulator.world import Key, World

_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(?:\.pre)?")
_SCHEMES = {"klaviyo-api-key": "private", "bearer": "oauth"}
MEDIA_TYPES = frozenset(("application/vnd.api+json", "application/json"))


def authenticate(world: World, headers: Mapping[str, str]) -> Key:
    """The key of ``Authorization``; raises 401."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if not scheme or not secret:
        raise _unauthorised("not_authenticated", "Authentication credentials were not provided.")
    key = world.keys.get(secret.strip())
    if key is None or _SCHEMES.get(scheme.lower()) != key.kind:
        raise _unauthorised("authentication_failed", "Incorrect authentication credentials.")
    return key


def _unauthorised(code: str, detail: str) -> ApiError:
    return ApiError(401, [Problem(code=code, title=detail, detail=detail, pointer="/data/")])


def authorise(key: Key, operation: Operation) -> None:
    """Raise 403 when the key lacks a scope of the operation."""
    if missing := operation.scopes - key.scopes:
        raise forbidden(", ".join(sorted(missing)))


def check_revision(world: World, headers: Mapping[str, str]) -> None:
    """Raise 400 without a usable ``revision`` header, 410 for a retired one."""
    revision = headers.get("revision")
    if revision is None:
        raise invalid("A revision header is required.", parameter="revision")
    if _REVISION.fullmatch(revision) is None:
        raise invalid("The revision must be a date such as 2026-07-15.", parameter="revision")
    if revision[:10] < world.settings.oldest_revision:
        detail = f"Revision {revision} is retired."
        raise ApiError(410, [Problem(code="gone", title="Gone.", detail=detail, parameter="revision")])


def check_media(world: World, headers: Mapping[str, str]) -> None:
    """Raise 415 when the type or the encoding of the body is not understood."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in MEDIA_TYPES:
        raise _unsupported(f"Unsupported media type '{media}' in request.")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and not (encoding == "gzip" and world.settings.gzip_requests):
        raise _unsupported(f"Unsupported content encoding '{encoding}' in request.")


def _unsupported(detail: str) -> ApiError:
    return ApiError(415, [Problem(code="unsupported_media_type", title="Unsupported media type.", detail=detail)])
