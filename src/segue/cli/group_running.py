"""Running a group in the process of a command, where no server works in the workspace."""

from __future__ import annotations

import signal as signals
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer

from segue import failpoints
from segue.cli.display import Lines
from segue.delivery.progress import Progress, Quiet
from segue.scheduling import GroupRecord, MemberResult, MemberStatus, Scheduler, Turn
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.following import run_group_by_server
from segue.workflow.grouping import member_status
from segue.workflow.run import Runner


def run_group(workspace: Workspace, settings: Settings, name: str, *, parallel: int, quiet: bool) -> GroupRecord:
    """Run a group to its end, by the server of the workspace or here. parallel: members that run at once here."""
    with _until_interrupted(settings) as stop:
        scheduler = Scheduler(catalog=workspace.catalog, locks=workspace.locks, parallel=parallel, stop=stop)
        ended = run_group_by_server(scheduler, workspace, name)
        if ended is None:
            starter = _Starter(workspace=workspace, settings=settings, stop=stop, quiet=quiet)
            ended = scheduler.run_now(name, starter.start)
        return ended


@contextmanager
def _until_interrupted(settings: Settings) -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; a second Ctrl-C ends the process, which runs survive."""
    if settings.failpoint:
        failpoints.arm(settings.failpoint)
    stop = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        if stop.is_set():
            signals.default_int_handler(number, frame)
        stop.set()
        typer.echo("stopping: what is on its way is finished, press Ctrl-C again to stop at once", err=True)

    before = {number: signals.signal(number, interrupt) for number in (signals.SIGINT, signals.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signals.signal(number, handler)


@dataclass(kw_only=True)
class _Starter:
    """Runs members of groups in this process."""

    workspace: Workspace
    settings: Settings
    stop: threading.Event
    quiet: bool = False
    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def start(self, turn: Turn) -> MemberResult:
        """Run a member. Those of one account take turns: each has the whole of its rate budget."""
        name = turn.orchestration
        runner = Runner(workspace=self.workspace, settings=self.settings, progress=self._progress(name), stop=self.stop)
        with self._locks[runner.load(name).credential.id]:
            if self.stop.is_set():
                return MemberResult(run_id=None, status=MemberStatus.STOPPED)
            ended = runner.run(name)
            if ended.resumed and member_status(ended.run).succeeded:
                # What was finished is an older look at the data than the one that is due.
                ended = runner.run(name)
        error = ended.run.error or {}
        return MemberResult(
            run_id=ended.run.id,
            status=member_status(ended.run),
            message=str(error.get("message", "")),
        )

    def _progress(self, name: str) -> Progress:
        return Quiet() if self.quiet else _MemberLines(member=name)


@dataclass(slots=True, kw_only=True)
class _MemberLines(Lines):
    """Lines that say of which orchestration they are: several run at once."""

    member: str

    def _say(self, text: str) -> None:
        Lines._say(self, f"{self.member}: {text}")  # noqa: SLF001 -- super() knows no class that has slots
