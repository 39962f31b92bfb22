"""Workers for tests of the API: threads of this process instead of the engine."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from segue.api.background import WorkerStarter
from segue.catalog.base import now
from segue.delivery.progress import Quiet
from segue.scheduling import GroupRecord
from segue.services.permissions import SYSTEM
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.carrying import carry_out
from segue.workflow.grouping import ByWorkers, scheduler_of
from segue.workflow.queue import WhenBusy, not_before
from segue.workflow.records import RunRecords
from segue.workflow.requests import Options, Requested
from segue.workflow.run import Runner
from segue.workflow.ways import Queued, Way


class Hands(WorkerStarter):
    """Asks as the product does, and carries out what was asked for at once."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._workspace = workspace.acting_as(SYSTEM)
        self._settings = settings
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="hand")
        self._stops: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._ending = threading.Event()

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        asked = super().start(workspace, name, options, when_busy)
        self._put(asked)
        return asked

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        asked = super().undo(workspace, run_id, options, when_busy)
        self._put(asked)
        return asked

    def way(self, workspace: Workspace) -> Way:
        return Queued(workspace=workspace, started_by="api", put=self._put)

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        asked = super().start_group(workspace, name)
        start = ByWorkers(workspace=self._workspace, stop=self._ending, put=self._put)
        self._pool.submit(scheduler_of(self._workspace, stop=self._ending).run_group, asked, start)
        return asked

    def stop(self, workspace: Workspace, run_id: str) -> None:
        super().stop(workspace, run_id)
        self._stops[RunRecords(workspace.catalog).get(run_id).id].set()

    def close(self) -> None:
        self._ending.set()
        for stop in self._stops.values():
            stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _put(self, asked: Requested) -> None:
        self._stops[asked.run.id].clear()
        self._pool.submit(self.work, asked.run.id)

    def work(self, run_id: str) -> None:
        """What a worker does with one run."""
        stop = self._stops[run_id]
        moment = not_before(RunRecords(self._workspace.catalog).get(run_id).options)
        if moment is None or not stop.wait((moment - now()).total_seconds()):
            carry_out(self._runner(stop), run_id)

    def _runner(self, stop: threading.Event) -> Runner:
        return Runner(
            workspace=self._workspace, settings=self._settings, progress=Quiet(), stop=stop, worker_id="hands"
        )
