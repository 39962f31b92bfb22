"""A worker: carries out the runs that wait, stops those that are asked to stop, takes over those of dead workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from segue import logs
from segue.errors import BusyError, SegueError, StateError
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow import engine
from segue.workflow.announce import announce_failure
from segue.workflow.carrying import carry_out
from segue.workflow.locks import among_servers, only_server
from segue.workflow.queue import RunQueue
from segue.workflow.recorded import RecordedProgress
from segue.workflow.run import Runner
from segue.workflow.workers import Workers, refuse_gone

TURN = 0.25
"""Seconds between two looks at the catalog."""
_REST = 60.0
"""Seconds that runs get to come to rest when the process has to end."""
_log = logging.getLogger(__name__)


class Replaced(Exception):  # noqa: N818 -- nothing went wrong
    """Another worker has taken the runs of this one over."""


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
        self._workers = Workers(workspace.catalog, silence=settings.worker_silence)
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._given: set[tuple[str, int]] = set()
        self._next_beat = 0.0
        self._workers.join(self.id)
        self._engine = engine.Engine(
            workspace.catalog.for_engine() or workspace.layout.home / "engine.db",
            worker_id=self.id,
            at_once=settings.runs_at_once,
            carry_out=self._carry_out,
        )
        self._take_over()

    def turn(self) -> None:
        """Look once at what the catalog asks for. Raises Replaced when another worker has taken the runs of this one over."""
        try:
            if self._clock() >= self._next_beat:
                self._beat()
                self._take_over()
            self._give()
            self._watch()
        except (BusyError, StateError) as error:
            # Somebody writes for long, or PostgreSQL starts anew. The next turn is soon.
            _log.warning("the metadata database cannot be used now (%s); looking again", error.code)

    def close(self) -> None:
        """Let the runs come to rest where they lose nothing, and end. Whoever comes next goes on with them."""
        self._leaving.set()
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        deadline = self._clock() + _REST
        with suppress(Replaced, BusyError, StateError):
            while self._stops and self._clock() < deadline:
                time.sleep(0.05)
                if self._clock() >= self._next_beat:
                    self._beat()
            self._workers.leave(self.id)
        self._engine.close()

    def _beat(self) -> None:
        if not self._workers.beat(self.id):
            raise Replaced
        self._next_beat = self._clock() + self._workers.beat_every

    def _take_over(self) -> None:
        """Go on with the runs of workers that are gone. On SQLite all others are: a workspace has one server at a time.

        Whoever counts as gone has lost the right to write before its runs begin again. A crash in here is made good by the
        next look of any worker.
        """
        gone = self._workers.gone(self.id)
        if not gone:
            return
        with self._workspace.locks.hold("take-over") as ours:
            if not ours:
                return
            for worker in gone:
                self._workspace.catalog.end_process(worker.process)
            self._engine.take_over([worker.id for worker in gone])
            self._workers.forget(gone)
        logs.event("workers taken over", workers=[worker.id for worker in gone])

    def _give(self) -> None:
        for waiting in self._queue.waiting():
            if (waiting.run_id, waiting.attempt) not in self._given:
                self._engine.put(waiting)
                self._given.add((waiting.run_id, waiting.attempt))

    def _watch(self) -> None:
        """Pass requests to stop on, and end what the engine will never end."""
        here = self._workers.here() - {self.id}
        for run in self._queue.at_work():
            if run.worker_id in here:
                continue
            with self._lock:
                stop = self._stops.get(run.id)
            if stop is not None and run.status == "stopping":
                stop.set()
            if stop is None and self._engine.lost(run.id, run.attempt):
                self._queue.fail(run.id, run.attempt, LOST)
                announce_failure(self._workspace, run.id)

    def _carry_out(self, run_id: str) -> None:
        stop = threading.Event()
        with self._lock:
            self._stops[run_id] = stop
            if self._leaving.is_set():
                stop.set()
        try:
            catalog = self._workspace.catalog.checked(partial(refuse_gone, self.id))
            runner = Runner(
                workspace=replace(self._workspace, catalog=catalog),
                settings=self._settings,
                progress=RecordedProgress(catalog, run_id, stop=stop),
                stop=stop,
                leaving=self._leaving,
                worker_id=self.id,
                step=engine.step,
            )
            carry_out(runner, run_id)
        finally:
            with self._lock:
                del self._stops[run_id]


LOST = SegueError(
    "The run ended before its last task, or kept killing the server, or began with another version of Segue.",
    code="run_lost",
    steps=(
        "Look at the server's log.",
        "Run again: what was acknowledged is kept. With --restart it is not finished but compared anew.",
    ),
)
"""What becomes of a run that the engine gave up or never had."""


class Post:
    """Where one worker works at a time: after one that was replaced the next one begins."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._begin = partial(Worker, workspace, settings)
        self._worker: Worker | None = self._begin()

    def turn(self) -> None:
        """See ``Worker.turn``."""
        try:
            if self._worker is None:
                self._worker = self._begin()
            self._worker.turn()
        except Replaced:
            _log.warning("this process gave no sign of life for too long: another worker has its runs; beginning anew")
            self.close()

    def close(self) -> None:
        """See ``Worker.close``."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


@contextmanager
def working(workspace: Workspace, settings: Settings) -> Iterator[Post]:
    """A worker of a workspace, the only one on SQLite. Raises BusyError ``server_running`` when that has one."""
    with (among_servers if workspace.catalog.is_shared else only_server)(workspace.locks):
        post = Post(workspace, settings)
        try:
            yield post
        finally:
            post.close()
