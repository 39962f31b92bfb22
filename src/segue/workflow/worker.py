"""A worker: carries out the runs that wait, stops those that are asked to stop, takes over those of dead workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segue.errors import BusyError, SegueError
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow import engine
from segue.workflow.announce import announce_failure
from segue.workflow.carrying import carry_out
from segue.workflow.locks import only_server
from segue.workflow.queue import RunQueue
from segue.workflow.recorded import RecordedProgress
from segue.workflow.run import Runner
from segue.workflow.workers import BEAT, Workers

TURN = 0.25
"""Seconds between two looks at the catalog."""
_REST = 60.0
"""Seconds that runs get to come to rest when the process has to end."""
_log = logging.getLogger(__name__)


class Worker:
    """Work is done in threads of the engine; ``turn`` has to be called again and again."""

    def __init__(
        self, workspace: Workspace, settings: Settings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._clock = clock
        self.id = engine.new_worker_id()
        self._queue = RunQueue(workspace.catalog)
        self._workers = Workers(workspace.catalog)
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._given: set[tuple[str, int]] = set()
        self._next_beat = 0.0
        self._workers.beat(self.id)
        self._engine = engine.Engine(
            workspace.layout.home / "engine.db",
            worker_id=self.id,
            at_once=settings.runs_at_once,
            carry_out=self._carry_out,
        )
        self._take_over()

    def turn(self) -> None:
        """Look once at what the catalog asks for."""
        try:
            if self._clock() >= self._next_beat:
                self._workers.beat(self.id)
                self._next_beat = self._clock() + BEAT
            self._give()
            self._watch()
        except BusyError:
            # Somebody writes for long. The next turn is soon.
            _log.warning("the workspace is busy; looking again")

    def close(self) -> None:
        """Let the runs come to rest where they lose nothing, and end. Whoever comes next goes on with them."""
        self._leaving.set()
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        deadline = self._clock() + _REST
        while self._stops and self._clock() < deadline:
            time.sleep(0.05)
        self._engine.close()

    def _take_over(self) -> None:
        """Whoever made these workers known is gone: a workspace has one server at a time."""
        gone = self._workers.others(self.id)
        self._engine.take_over(gone)
        self._workers.forget(gone)

    def _give(self) -> None:
        for waiting in self._queue.waiting():
            if (waiting.run_id, waiting.attempt) not in self._given:
                self._engine.put(waiting)
                self._given.add((waiting.run_id, waiting.attempt))

    def _watch(self) -> None:
        """Pass requests to stop on, and end what the engine will never end."""
        for run in self._queue.at_work():
            with self._lock:
                stop = self._stops.get(run.id)
            if stop is not None and run.status == "stopping":
                stop.set()
            if stop is None and self._engine.lost(run.id, run.attempt):
                self._queue.fail(run.id, run.attempt, _LOST)
                announce_failure(self._workspace, run.id)

    def _carry_out(self, run_id: str) -> None:
        stop = threading.Event()
        with self._lock:
            self._stops[run_id] = stop
            if self._leaving.is_set():
                stop.set()
        try:
            runner = Runner(
                workspace=self._workspace,
                settings=self._settings,
                progress=RecordedProgress(self._workspace.catalog, run_id, stop=stop),
                stop=stop,
                leaving=self._leaving,
                worker_id=self.id,
                step=engine.step,
            )
            carry_out(runner, run_id)
        finally:
            with self._lock:
                del self._stops[run_id]


_LOST = SegueError(
    "The run ended before its last task, or kept killing the server, or began with another version of Segue.",
    code="run_lost",
    steps=(
        "Look at the server's log.",
        "Run again: what was acknowledged is kept. With --restart it is not finished but compared anew.",
    ),
)


@contextmanager
def working(workspace: Workspace, settings: Settings) -> Iterator[Worker]:
    """The one worker of a workspace. Raises BusyError ``server_running`` when it has one."""
    with only_server(workspace.locks):
        worker = Worker(workspace, settings)
        try:
            yield worker
        finally:
            worker.close()
