"""Who may start, stop and look into runs, asked before anything happens."""

from __future__ import annotations

from collections.abc import Collection

from segue.services.orchestrations import require_use
from segue.services.workspace import Workspace


def require_start(workspace: Workspace, orchestration: str, *, allowed: Collection[str] = ()) -> None:
    """Raise NotPermittedError unless the actor may run this orchestration, and let these fuses blow."""
    workspace.actor.require("runs.start")
    if allowed:
        workspace.actor.require("runs.allow_fuses")
    _require_use(workspace, orchestration)


def require_stop(workspace: Workspace, orchestration: str) -> None:
    """Raise NotPermittedError unless the actor may stop runs of this orchestration."""
    workspace.actor.require("runs.stop")
    _require_use(workspace, orchestration)


def _require_use(workspace: Workspace, orchestration: str) -> None:
    with workspace.catalog.session(read_only=True) as session:
        require_use(session, workspace.actor, orchestration)
