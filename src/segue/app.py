"""The composition root of the service: settings become an open workspace, a worker and a scheduler on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from segue import failpoints
from segue.services.permissions import SYSTEM
from segue.services.workspace import Workspace, open_workspace
from segue.settings import Settings
from segue.workflow.grouping import keeping_schedules
from segue.workflow.housekeeping import keeping_house
from segue.workflow.worker import TURN, Post, working


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service."""

    workspace: Workspace
    post: Post

    def work(self, until: threading.Event) -> None:
        """Carry runs out until the event is set."""
        while not until.wait(TURN):
            self.post.turn()


@contextmanager
def service(settings: Settings, *, schedules: bool = True) -> Iterator[Service]:
    """The service of the workspace at settings.home. schedules: whether it starts groups, and removes what has expired, too.

    Raises StateError, BusyError ``server_running``.
    """
    if settings.failpoint:
        failpoints.arm(settings.failpoint)
    workspace = open_workspace(settings).acting_as(SYSTEM)
    try:
        with working(workspace, settings) as post, ExitStack() as kept:
            if schedules:
                kept.enter_context(keeping_schedules(workspace))
                kept.enter_context(keeping_house(workspace, settings))
            yield Service(workspace=workspace, post=post)
    finally:
        workspace.close()
