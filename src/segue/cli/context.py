"""What commands share: the settings of this process, the server that they speak to, and the open workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import UsageError
from segue.security import Secret
from segue.settings import Settings, parse_server

if TYPE_CHECKING:
    from segue.services.workspace import Workspace

_NAMED: ContextVar[str | None] = ContextVar("server", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Segue server elsewhere. url: without a path; token: its API's."""

    url: str
    token: Secret


def settings() -> Settings:
    """The settings of this process. Raises ConfigError naming a variable that makes no sense."""
    return Settings.from_env(os.environ)


def name_server(url: str | None) -> None:
    """Remember what ``--server`` says; None where it is not given. Raises UsageError for what is no address."""
    try:
        _NAMED.set(parse_server(url) if url else None)
    except ValueError as error:
        raise UsageError(f"--server {error}") from None


def server_url() -> str | None:
    """The address of the server that commands speak to; None for the workspace of this machine."""
    return _NAMED.get() or settings().server


def server() -> Server | None:
    """The same with the token. Raises UsageError when there is none."""
    url, token = server_url(), settings().token
    if url is None:
        return None
    if token is None:
        raise UsageError(
            f"The server at {url} asks for a token.",
            code="token_needed",
            steps=(
                "Make one where the server's workspace is: segue token create NAME --scope run",
                "Give it in the variable SEGUE_TOKEN.",
            ),
        )
    return Server(url=url, token=token)


def require_workspace(command: str) -> None:
    """Refuse a command that works on the workspace itself where a server is named."""
    if (url := server_url()) is not None:
        raise UsageError(
            f"`segue {command}` works on the workspace itself, not over the server at {url}.",
            code="local_only",
            steps=(
                "Call it on the machine of the server, without --server and SEGUE_SERVER.",
                "See what a server can be asked for: docs/how-to/use-a-server.md",
            ),
        )


def armed_settings() -> Settings:
    """The settings of a command that crash tests may kill at a place."""
    from segue import failpoints  # noqa: PLC0415 -- rarely needed

    current = settings()
    if current.failpoint:
        failpoints.arm(current.failpoint)
    return current


@contextmanager
def workspace() -> Iterator[Workspace]:
    """The workspace at SEGUE_HOME, closed at the end. Raises StateError when it cannot be used."""
    from segue.services.workspace import open_workspace  # noqa: PLC0415 -- loads SQLAlchemy

    opened = open_workspace(settings())
    try:
        yield opened
    finally:
        opened.close()
