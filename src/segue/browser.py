"""What a browser holds of a session, and what its requests must show: cookie, origin, CSRF token, where to go next."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from segue.catalog.base import now
from segue.errors import SegueError
from segue.security import Secret
from segue.services.login import LoggedIn, SessionError, session_of
from segue.services.workspace import Workspace

CSRF_HEADER = "X-CSRF-Token"
_COOKIE: Mapping[bool, str] = {True: "__Host-segue", False: "segue"}
"""Over https the prefix has browsers refuse a cookie that another host or an http page planted."""
# Not strict: whoever follows a link to a run from a message is logged in all the same.
_SAME_SITE: Literal["lax"] = "lax"
_PORTS = {"http": 80, "https": 443}


class ForeignRequestError(SegueError):
    """A request that changes something comes from a page that is not ours."""

    code = "foreign_request"


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser speaks https or wss; behind a proxy that is trusted, what that one says."""
    return connection.url.scheme in ("https", "wss")


def client_address(connection: HTTPConnection) -> str | None:
    """Where a request comes from; None where the server does not know."""
    return connection.client.host if connection.client else None


def remember(connection: HTTPConnection, response: Response, made: LoggedIn) -> None:
    """Give the browser the cookie of a session that was opened just now. Whatever it held before is replaced."""
    secure = is_secure(connection)
    response.set_cookie(
        _COOKIE[secure],
        made.token.reveal(),
        max_age=int((made.expires_at - now()).total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite=_SAME_SITE,
    )


def forget(connection: HTTPConnection, response: Response) -> None:
    """Take the cookie away: after a log-out."""
    secure = is_secure(connection)
    response.delete_cookie(_COOKIE[secure], path="/", secure=secure, httponly=True, samesite=_SAME_SITE)


def cookie(connection: HTTPConnection) -> Secret | None:
    """The token in the cookie of a request or websocket; None without one."""
    held = connection.cookies.get(_COOKIE[is_secure(connection)])
    return Secret(held) if held else None


def visitor(workspace: Workspace, connection: HTTPConnection) -> LoggedIn | None:
    """Who is logged in with this browser; None when nobody is, or not any more."""
    held = cookie(connection)
    if held is None:
        return None
    try:
        return session_of(workspace, held, address=client_address(connection))
    except SessionError:
        return None


def require_same_origin(connection: HTTPConnection) -> None:
    """Raise ForeignRequestError where a page of another origin sends a request or opens a websocket.

    Browsers name the origin of both, and no page can change it. Without one there was no browser, and no cookie to misuse.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return
    url = connection.url
    here = (url.scheme.replace("ws", "http"), url.hostname)
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        raise _foreign() from None
    if (parts.scheme, parts.hostname) != here or port != (url.port or _PORTS[here[0]]):
        raise _foreign()


def require_csrf(connection: HTTPConnection, made: LoggedIn, sent: str | None = None) -> None:
    """Raise ForeignRequestError unless a request carries the CSRF token of its session, in a header or as ``sent``."""
    require_same_origin(connection)
    shown = sent if sent is not None else connection.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), made.csrf.encode()):
        raise _foreign()


def safe_next(target: str | None) -> str:
    """Where to go after a log-in: a path of ours, and ``/`` for anything that could lead elsewhere."""
    if not target or not target.startswith("/") or not target.isprintable() or "\\" in target:
        return "/"
    # "//evil.example" and "/%09/evil.example" once decoded are addresses of other hosts.
    parts = urlsplit(target)
    if target.startswith("//") or parts.scheme or parts.netloc:
        return "/"
    return target


def _foreign() -> ForeignRequestError:
    return ForeignRequestError(
        "This request does not come from a page of Segue.", steps=("Load the page anew and try again.",)
    )
