"""Starting and stopping runs: by this process where no server works in the workspace, else by the server's workers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from segue.catalog.base import now
from segue.delivery.progress import Quiet
from segue.errors import UsageError
from segue.scheduling import GroupRecord
from segue.services.audit import note
from segue.services.permissions import SYSTEM
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.carrying import carry_out
from segue.workflow.gate import require_stop
from segue.workflow.grouping import ByWorkers, request_group, scheduler_of
from segue.workflow.locks import server_is_up
from segue.workflow.queue import RunQueue, WhenBusy, not_before
from segue.workflow.records import RunRecords
from segue.workflow.requests import Options, Requested, request_run, request_stop, request_undo
from segue.workflow.run import Runner
from segue.workflow.ways import Queued, Way

_AT_ONCE = 4
"""Runs of different orchestrations side by side: each takes the memory of a query and of a comparison."""


class Starter(Protocol):
    """How the API starts and stops runs."""

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Ask for a run of an orchestration. workspace: of who asks; when_busy: while another one is under way.

        Raises UsageError, BusyError ``run_under_way``.
        """

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Ask for the undo of a run. workspace: of who asks. Raises UsageError, BusyError."""

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        """Ask for a run of a group. workspace: of who asks. Raises UsageError, BusyError ``group_under_way``."""

    def way(self, workspace: Workspace) -> Way:
        """Who carries out what a resolution asks for. workspace: of who asks."""

    def stop(self, workspace: Workspace, run_id: str) -> None:
        """Ask a run to stop. workspace: of who asks. Raises UsageError for one that is over, or that a command works on."""

    def close(self) -> None:
        """Let what is under way come to a clean stop."""


class WorkerStarter:
    """Leaves the runs to workers."""

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Put the run where the workers find it."""
        return request_run(workspace, name, started_by="api", options=options, when_busy=when_busy)

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """As ``start``."""
        return request_undo(workspace, run_id, started_by="api", options=options, when_busy=when_busy)

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        """Leave it to the server's scheduler."""
        return request_group(workspace, name)

    def way(self, workspace: Workspace) -> Way:
        """The workers."""
        return Queued(workspace=workspace, started_by="api")

    def stop(self, workspace: Workspace, run_id: str) -> None:
        """Tell the worker."""
        request_stop(workspace, run_id)

    def close(self) -> None:
        """Nothing: the workers end by themselves."""


class ThreadStarter:
    """Carries the runs out in threads of this process, while no server does."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._workspace = workspace.acting_as(SYSTEM)
        self._settings = settings
        self._workers = WorkerStarter()
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="segue-run")
        self._stops: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._ending = threading.Event()
        self._groups: list[threading.Thread] = []
        if not self._served():
            for waiting in RunQueue(workspace.catalog).waiting():  # asked of a process that has ended
                self._carry_out(waiting.run_id)

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Write the run down, then begin with it."""
        asked = self._workers.start(workspace, name, options, when_busy)
        self._put(asked)
        return asked

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """As ``start``."""
        asked = self._workers.undo(workspace, run_id, options, when_busy)
        self._put(asked)
        return asked

    def way(self, workspace: Workspace) -> Way:
        """The workers, or threads of ours."""
        return Queued(workspace=workspace, started_by="api", put=self._put)

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        """Write the group's run down, then carry it out in a thread that waits for the runs of its members."""
        asked = self._workers.start_group(workspace, name)
        if not self._served():
            thread = threading.Thread(target=self._work_group, args=(asked,), name=f"group {name}")
            self._groups.append(thread)
            thread.start()
        return asked

    def stop(self, workspace: Workspace, run_id: str) -> None:
        """Stop a run of ours: calls on their way end, then it stops."""
        run = RunRecords(workspace.catalog).get(run_id)
        require_stop(workspace, run.orchestration)
        with self._lock:
            stop = self._stops.get(run.id)
        if stop is None:
            self._workers.stop(workspace, run.id)
            return
        note(workspace, "run.stop", run.orchestration, after={"run": run.id})
        stop.set()

    def close(self) -> None:
        """Stop every run of ours and wait for it; the next run of its orchestration goes on."""
        self._ending.set()
        with self._lock:
            self._closing = True
            for stop in self._stops.values():
                stop.set()
        for thread in self._groups:
            thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _served(self) -> bool:
        return server_is_up(self._workspace.locks)

    def _put(self, asked: Requested) -> None:
        if not self._served():
            self._carry_out(asked.run.id)

    def _work_group(self, run: GroupRecord) -> None:
        start = ByWorkers(workspace=self._workspace, stop=self._ending, put=self._put)
        scheduler_of(self._workspace, stop=self._ending).run_group(run, start)

    def _carry_out(self, run_id: str) -> None:
        with self._lock:
            if self._closing:
                raise UsageError("The API is ending: the run waits for the next start.", code="ending")
            if run_id in self._stops:
                return
            self._stops[run_id] = threading.Event()
        self._pool.submit(self._work, run_id)

    def _work(self, run_id: str) -> None:
        try:
            stop = self._stops[run_id]
            moment = not_before(RunRecords(self._workspace.catalog).get(run_id).options)
            if moment is None or not stop.wait((moment - now()).total_seconds()):
                carry_out(self._runner(stop), run_id)
        finally:
            with self._lock:
                del self._stops[run_id]

    def _runner(self, stop: threading.Event) -> Runner:
        return Runner(workspace=self._workspace, settings=self._settings, progress=Quiet(), stop=stop)
