"""Groups where a server works: their members are runs of the workers, and a scheduler starts them by itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from segue import logs
from segue.errors import BusyError, SegueError, UsageError
from segue.scheduling import Cause, GroupRecord, Loop, MemberResult, MemberStatus, Scheduler, Turn
from segue.scheduling.groups import find_group
from segue.scheduling.telling import tell
from segue.services.audit import note
from segue.services.workspace import Workspace
from segue.workflow.gate import require_start
from segue.workflow.queue import StartedBy
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.requests import Requested, request_run
from segue.workflow.status import RunStatus

_LOOK = 2.0
"""Seconds between two looks at what is due."""
_AGAIN = 10.0
"""Seconds after which a scheduler that could not work tries again."""
_AT_ONCE = 1000
"""Members that are asked for at once: how many run, and of which account, is the queue's matter."""
_STARTED_BY: Mapping[Cause, StartedBy] = {
    Cause.SCHEDULE: "schedule",
    Cause.GROUP: "schedule",
    Cause.SIGNAL: "signal",
    Cause.MANUAL: "user",
}
_STATUSES = {
    RunStatus.COMPLETED: MemberStatus.COMPLETED,
    RunStatus.WARNINGS: MemberStatus.WARNINGS,
    RunStatus.STOPPED: MemberStatus.STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ByWorkers:
    """A ``Start``: asks the workers for the run of a member and waits for its end. every: seconds between two looks; put:
    told of each run that was asked for.

    After a crash it waits for the run that it had asked for before.
    """

    workspace: Workspace
    stop: threading.Event
    every: float = 0.5
    put: Callable[[Requested], object] = lambda _asked: None

    def __call__(self, turn: Turn) -> MemberResult:
        """Run one member. Where ``stop`` is set meanwhile the run goes on, and its member waits to be looked at again."""
        run = self._ended(turn, turn.run_id or self._ask(turn))
        if run is not None and member_status(run).succeeded and run.started_at < turn.since:
            # An unfinished run was finished: it is an older look at the data than the one that is due.
            run = self._ended(turn, self._ask(turn))
        if run is None:
            return MemberResult(run_id=None, status=MemberStatus.STOPPED)
        return MemberResult(run_id=run.id, status=member_status(run), message=str((run.error or {}).get("message", "")))

    def _ask(self, turn: Turn) -> str:
        by = _STARTED_BY[turn.cause]
        asked = request_run(self.workspace, turn.orchestration, started_by=by, when_busy="wait")
        turn.note(asked.run.id)
        self.put(asked)
        return asked.run.id

    def _ended(self, turn: Turn, run_id: str) -> RunRecord | None:
        records = RunRecords(self.workspace.catalog)
        while not self.stop.is_set():
            try:
                run = records.get(run_id)
            except BusyError:
                pass  # somebody writes for long
            except UsageError:  # the run is no longer kept
                return self._ended(turn, self._ask(turn))
            else:
                if run.status.ended:
                    return run
            self.stop.wait(self.every)
        return None


def member_status(run: RunRecord) -> MemberStatus:
    """How a run that has ended leaves the member that it was run for."""
    return _STATUSES.get(run.status, MemberStatus.FAILED)


def scheduler_of(workspace: Workspace, *, stop: threading.Event | None = None) -> Scheduler:
    """The groups of a workspace, whose members are runs of the workers. stop: set when the process has to end."""
    return Scheduler(
        catalog=workspace.catalog,
        locks=workspace.locks,
        parallel=_AT_ONCE,
        keeps=True,
        stop=stop or threading.Event(),
    )


def request_group(workspace: Workspace, name: str) -> GroupRecord:
    """Ask the server's scheduler to run a group now, enabled or not. Raises UsageError, NotPermittedError, BusyError
    ``group_under_way``."""
    with workspace.catalog.session(read_only=True) as session:
        members = find_group(session, name).members
    for member in members:
        require_start(workspace, member.orchestration)
    asked = scheduler_of(workspace).ask(name)
    note(workspace, "group.start", name, after={"run": asked.id})
    return asked


@contextmanager
def keeping_schedules(workspace: Workspace, *, every: float = _LOOK) -> Iterator[None]:
    """Start groups when they are due, in threads, until the block ends. Runs that are under way then go on without it."""
    stop = threading.Event()
    loop = Loop(
        scheduler=scheduler_of(workspace, stop=stop),
        start=ByWorkers(workspace=workspace, stop=stop),
        report=partial(tell, workspace),
        trouble=_trouble,
        every=every,
    )
    thread = threading.Thread(target=_keep, args=(loop, stop), name="segue-scheduler")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(loop: Loop, stop: threading.Event) -> None:
    """Whatever goes wrong, schedules are kept again soon: nobody would notice their silence."""
    while not stop.is_set():
        try:
            loop.run()
        except SegueError as error:
            _trouble(error)
        except Exception as error:  # noqa: BLE001 -- a thread has no caller
            logs.event("scheduler failed", level=logging.ERROR, error=type(error).__name__)
        stop.wait(_AGAIN)


def _trouble(error: SegueError) -> None:
    logs.event("scheduler troubled", level=logging.WARNING, error=error.code)
