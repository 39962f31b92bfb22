"""A scheduler that runs by itself: it looks, starts what is due, and says so, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from segue.errors import BusyError, SegueError
from segue.scheduling.records import GroupRecord
from segue.scheduling.running import Start
from segue.scheduling.scheduler import Scheduler
from segue.scheduling.status import GroupStatus

Report = Callable[[str, GroupRecord], None]
"""Told of a run of a group: what happened (``due``, ``missed``, ``ended``) and the run."""


@dataclass(kw_only=True)
class Loop:
    """One a workspace. every: seconds between two looks; a stop ends the wait at once."""

    scheduler: Scheduler
    start: Start
    report: Report
    trouble: Callable[[SegueError], None]
    every: float = 15.0
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Look and start until the scheduler's ``stop`` is set; then let members that run end.

        Raises BusyError when another process does this already.
        """
        with self.scheduler.locks.hold("scheduler") as ours:
            if not ours:
                raise BusyError(
                    "another process is the scheduler of this workspace",
                    code="scheduler_under_way",
                    steps=("Leave it to do the work: one server with a scheduler is enough.",),
                )
            while not self.scheduler.stop.is_set():
                self.look()
                self.scheduler.stop.wait(self.every)
            for thread in list(self._threads.values()):
                thread.join()

    def look(self) -> None:
        """Look once: tell what was missed, start what is due, each group in a thread of its own.

        A busy catalog is no reason to end: the next look finds what this one did not.
        """
        now = self.scheduler.clock()
        try:
            due = self.scheduler.due(now)
            missed = [run for run in self.scheduler.records.missed_at(now) if run.id not in self._told]
        except BusyError as error:
            self.trouble(error)
            return
        for run in missed:
            self._told.add(run.id)
            self.report("missed", run)
        for run in due:
            running = self._threads.get(run.group_id)
            if running is None or not running.is_alive():
                self.report("due", run)
                thread = threading.Thread(target=self._run, args=(run,), name=f"group {run.group}", daemon=True)
                self._threads[run.group_id] = thread
                thread.start()

    def _run(self, run: GroupRecord) -> None:
        try:
            ended = self.scheduler.run_group(run, self.start)
        except SegueError as error:
            # The run is where it was: a later look takes it up.
            self.trouble(error)
            return
        if ended and ended.status is not GroupStatus.WAITING:
            self.report("ended", ended)
