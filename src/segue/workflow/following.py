"""A command asks the server for a run, or the run of a group, and shows it as if it were its own."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol

from segue.delivery.progress import Progress
from segue.errors import StateError, UsageError
from segue.resolutions import Action
from segue.scheduling import GroupRecord, GroupStatus, Scheduler
from segue.security import Secret
from segue.services.workspace import Workspace
from segue.workflow.locks import server_is_up
from segue.workflow.queue import Options, Requested
from segue.workflow.records import RunRecord
from segue.workflow.requests import request_run, request_stop, request_undo
from segue.workflow.resolve import resolve
from segue.workflow.run import Ended, Runner
from segue.workflow.status import TaskStatus
from segue.workflow.tasks import summary
from segue.workflow.ways import Queued

_LOOK = 0.2
"""Seconds between two looks at the run."""


def run_by_server(
    runner: Runner, name: str, *, plan_id: str | None = None, allowed: Collection[str] = (), restart: bool = False
) -> Ended | None:
    """The run as ``Runner.run`` would do it, carried out by the server of the workspace; None when there is no server."""
    if not server_is_up(runner.workspace.locks):
        return None
    options = Options(allowed=tuple(allowed), plan_id=plan_id, restart=restart)
    return _follow(runner, request_run(runner.workspace, name, options=options, when_busy=runner.settings.second_run))


def undo_by_server(runner: Runner, run_id: str, *, allowed: Collection[str] = ()) -> Ended | None:
    """The same for ``Runner.undo``."""
    if not server_is_up(runner.workspace.locks):
        return None
    options, when_busy = Options(allowed=tuple(allowed)), runner.settings.second_run
    return _follow(runner, request_undo(runner.workspace, run_id, options=options, when_busy=when_busy))


def resolve_by_server(
    runner: Runner, run_id: str, action: Action, *, list_id: str | None = None, key: Secret | None = None
) -> Ended | None:
    """The same for ``resolve``: its run is taken up by the server, where its account has one run at a time."""
    if not server_is_up(runner.workspace.locks):
        return None
    asked = resolve(runner, run_id, action, list_id=list_id, key=key, way=Queued(workspace=runner.workspace))
    return _follow(runner, Requested(run=asked, resumed=asked.id.startswith(run_id)))


def run_group_by_server(scheduler: Scheduler, workspace: Workspace, name: str) -> GroupRecord | None:
    """The run of a group by the server of the workspace, once it has ended; None when there is no server.

    An interrupt (the scheduler's ``stop``) leaves it to the server. Raises UsageError, BusyError, StateError ``server_gone``.
    """
    if not server_is_up(workspace.locks):
        return None
    asked = scheduler.ask(name)
    while True:
        up = server_is_up(workspace.locks)
        run = scheduler.records.get(asked.id)
        if run.status not in (GroupStatus.WAITING, GroupStatus.RUNNING):
            return run
        if scheduler.stop.wait(_LOOK):
            raise KeyboardInterrupt
        if not up:
            raise _gone(f"group run {run.id}", "segue groups")


def _follow(runner: Runner, asked: Requested) -> Ended:
    """Show a run until it ends. An interrupt stops it; a second one leaves it to the server."""
    shown = Shown(runner.progress)
    try:
        run = _until_it_ends(runner, asked.run.id, shown)
    except KeyboardInterrupt:
        with suppress(UsageError):  # it may have ended in the same moment
            request_stop(runner.workspace, asked.run.id)
        run = _until_it_ends(runner, asked.run.id, shown)
    return Ended(run=run, resumed=asked.resumed)


def _until_it_ends(runner: Runner, run_id: str, shown: Shown) -> RunRecord:
    never = threading.Event()
    while True:
        up = server_is_up(runner.workspace.locks)
        run = runner.records.get(run_id)
        for task in run.tasks:
            shown.show(task)
        if run.status.ended:
            return run
        if not up:
            raise _gone(f"run {run_id}", f"segue show {run_id}")
        never.wait(_LOOK)


def _gone(what: str, look: str) -> StateError:
    return StateError(
        f"The server ended before {what} did.",
        code="server_gone",
        steps=("Start it again: segue serve", f"The run goes on by itself; see it with: {look}"),
    )


class _Task(Protocol):
    """What is shown of a task."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def outcome(self) -> Mapping[str, Any]: ...
    @property
    def progress(self) -> Mapping[str, Any] | None: ...


class Shown:
    """Tells a progress how the tasks of a run stand, each thing once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun: set[str] = set()
        self._over: set[str] = set()

    def show(self, task: _Task) -> None:
        """Show a task as it is now."""
        if task.name in self._over:
            return
        if task.progress is not None:
            if task.name not in self._begun:
                self._begun.add(task.name)
                self._progress.begin(task.name, total=task.progress["total"], unit=task.progress["unit"])
            self._progress.advance(task.name, task.progress["done"])
        if TaskStatus(task.status).done:
            self._over.add(task.name)
            self._progress.end(task.name, summary(task.outcome))
