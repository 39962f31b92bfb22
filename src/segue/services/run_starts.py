"""Run starts that may be repeated: one key, one run, however often it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from segue.catalog.base import now
from segue.catalog.tokens import RunStart
from segue.errors import BusyError, UsageError
from segue.services.workspace import Workspace

_FORGOTTEN = timedelta(minutes=1)
"""A start that has no run after this long was interrupted by the end of its process."""


def start_once(
    workspace: Workspace, *, token_id: str, key: str, request: str, start: Callable[[], str]
) -> tuple[str, bool]:
    """The run of this key, and whether it was started just now.

    request: what is asked for, as text; start: starts a run and returns its id. Raises BusyError while the same key is at
    it, UsageError ``key_reused`` when the key was used for something else, and what start raises: then the key is free again.
    """
    digest = hashlib.sha256(request.encode()).hexdigest()
    known = _claim(workspace, token_id, key, digest)
    if known is not None:
        return known, False
    try:
        run_id = start()
    except BaseException:
        _settle(workspace, token_id, key, None)
        raise
    _settle(workspace, token_id, key, run_id)
    return run_id, True


def _claim(workspace: Workspace, token_id: str, key: str, digest: str) -> str | None:
    with workspace.catalog.session() as session:
        row = session.get(RunStart, (token_id, key))
        if row is None:
            session.add(RunStart(token_id=token_id, key=key, digest=digest))
            return None
        if row.digest != digest:
            raise UsageError(
                "This Idempotency-Key was used for another request.",
                code="key_reused",
                steps=("Take a new key for each run that is meant to be another one.",),
            )
        if row.run_id is None:
            if now() - row.created_at < _FORGOTTEN:
                raise BusyError(
                    "The run of this Idempotency-Key is being started.",
                    code="start_under_way",
                    steps=("Ask again in a second, with the same key.",),
                )
            row.created_at = now()
        return row.run_id


def _settle(workspace: Workspace, token_id: str, key: str, run_id: str | None) -> None:
    with workspace.catalog.session() as session:
        row = session.get_one(RunStart, (token_id, key))
        if run_id is None:
            session.delete(row)
        else:
            row.run_id = run_id
