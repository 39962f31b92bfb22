"""Errors, grouped by what the caller does next.

    SegueError
      UsageError        fix the command: an unknown name, a missing file
      ConfigError       fix the configuration: a YAML key, a setting
      QueryError        fix the SQL; carries line and column
      CredentialError   fix the key or its scopes
      DataError         fix the data or the template: repeated keys, missing email column
      FuseBlown         look at the numbers, then allow this run or fix the data
      DestinationError  the destination refused or is unavailable
      BusyError         wait: somebody else is doing this now
      StateError        the workspace itself is damaged or of another version

An error says what happened, to what, and what to do. It never holds a secret or a person's data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any


class SegueError(Exception):
    """Something the user can act on.

    code: stable identifier such as ``list_ambiguous``; message: one sentence for the user; cause: what lies
    beneath, for the operator; steps: what to do, in order; facts: what a resolution needs to know, such as the names of
    blown fuses: plain JSON values, no personal data.
    """

    code = "error"
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        cause: str = "",
        steps: tuple[str, ...] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.cause = cause
        self.steps = tuple(steps)
        self.facts = dict(facts or {})


def fill_in(steps: Sequence[str], *, orchestration: str | None = None, run: str | None = None) -> tuple[str, ...]:
    """Steps with the names that are known in the places of ORCHESTRATION and RUN."""
    names = {"ORCHESTRATION": f'"{orchestration}"' if orchestration else None, "RUN": run}
    return tuple(
        _PLACEHOLDER.sub(lambda found: found[0] if (name := names[found[0]]) is None else name, step) for step in steps
    )


_PLACEHOLDER = re.compile(r"\b(?:ORCHESTRATION|RUN)\b")


class UsageError(SegueError):
    """The command names something that is not there or cannot be done."""

    code = "usage"
    exit_code = 2


class ConfigError(SegueError):
    """The configuration is wrong; the message starts with ``file:line`` where there is a file."""

    code = "config"
    exit_code = 2


class QueryError(SegueError):
    """The SQL is refused or failed. line and column are 1-based, None when the place is unknown."""

    code = "query"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        cause: str = "",
        steps: tuple[str, ...] = (),
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, code=code, cause=cause, steps=steps)
        self.line = line
        self.column = column


class CredentialError(SegueError):
    """The destination refuses the key, or a scope is missing."""

    code = "credential"


class DataError(SegueError):
    """The rows of the query cannot be sent as they are."""

    code = "data"


class FuseBlown(SegueError):  # noqa: N818 -- the word of the design
    """A safety limit stopped the run before its first write."""

    code = "fuse_blown"


class DestinationError(SegueError):
    """The destination refused the work or cannot be reached."""

    code = "destination"


class BusyError(SegueError):
    """Somebody else is doing this now."""

    code = "busy"


class StateError(SegueError):
    """The workspace is damaged, missing or of another version."""

    code = "state"
