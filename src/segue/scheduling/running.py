"""The members of one run of a group, side by side where nothing is between them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import SimpleQueue

from segue.errors import BusyError, SegueError
from segue.failpoints import reach
from segue.scheduling.order import blocked, ready
from segue.scheduling.records import GroupRecord, GroupRecords
from segue.scheduling.status import Cause, GroupStatus, MemberStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A member whose turn it is. cause: of the group's run; since: when that began; run_id: the run that was asked for before
    the process ended, None where there is none; note: writes down which run it is, as soon as that is known."""

    orchestration: str
    cause: Cause
    since: datetime
    run_id: str | None
    note: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberResult:
    """What came of running one orchestration. message: why it failed, without personal data."""

    run_id: str | None
    status: MemberStatus
    message: str = ""


_ATTEMPTS = 6
"""The catalog waits ten seconds for its lock each time. Giving up would leave members running that nobody waits for."""

Start = Callable[[Turn], MemberResult]
"""Runs a member and returns when it has ended. A SegueError means that it failed."""


@dataclass(kw_only=True)
class GroupRunning:
    """Carries out a run that has begun. slots: how many members may run at once, over all groups of the process."""

    record: GroupRecord
    records: GroupRecords
    start: Start
    slots: threading.Semaphore
    stop: threading.Event
    _ended: SimpleQueue[tuple[str, MemberResult]] = field(default_factory=SimpleQueue)

    def run(self) -> GroupStatus:
        """Run the members that have not ended. Returns how the run of the group stands: STOPPED when stop was set."""
        after = {member.orchestration: member.after for member in self.record.members}
        statuses = {member.orchestration: member.status for member in self.record.members}
        under_way = 0
        while True:
            self._skip(after, statuses)
            if not self.stop.is_set():
                for name in ready(after, statuses):
                    statuses[name] = MemberStatus.RUNNING
                    under_way += 1
                    # A daemon: a second Ctrl-C ends the process at once, which a run survives.
                    threading.Thread(target=self._member, args=(name,), name=f"member {name}", daemon=True).start()
            if not under_way:
                return _outcome(self.record, statuses)
            name, result = self._ended.get()
            under_way -= 1
            if result.status is MemberStatus.STOPPED and not self.stop.is_set():
                # Somebody stopped this one run: the group goes on without it, and does not begin it again.
                result = replace(result, status=MemberStatus.FAILED, message="its run was stopped")
            statuses[name] = result.status
            self._write(name, result)
            reach("group-member-ended")

    def _skip(self, after: dict[str, tuple[str, ...]], statuses: dict[str, MemberStatus]) -> None:
        while found := blocked(after, statuses):
            for name, other in found.items():
                statuses[name] = MemberStatus.SKIPPED
                message = f'not started: "{other}" did not succeed'
                self._write(name, MemberResult(run_id=None, status=MemberStatus.SKIPPED, message=message))

    def _member(self, name: str) -> None:
        with self.slots:
            self._ended.put((name, self._result(name)))

    def _result(self, name: str) -> MemberResult:
        if self.stop.is_set():
            return MemberResult(run_id=None, status=MemberStatus.STOPPED)
        try:
            self._write(name, MemberResult(run_id=None, status=MemberStatus.RUNNING))
            reach("group-member-begun")
            return self.start(self._turn(name))
        except SegueError as error:
            return MemberResult(run_id=None, status=MemberStatus.FAILED, message=error.message)
        except Exception as error:  # noqa: BLE001 -- a thread has no caller; a foreign text may hold personal data
            message = f"failed unexpectedly ({type(error).__name__})"
            return MemberResult(run_id=None, status=MemberStatus.FAILED, message=message)

    def _turn(self, name: str) -> Turn:
        return Turn(
            orchestration=name,
            cause=self.record.cause,
            since=self.record.started_at or self.record.due_at,
            run_id=next(member.run_id for member in self.record.members if member.orchestration == name),
            note=lambda run_id: self._write(name, MemberResult(run_id=run_id, status=MemberStatus.RUNNING)),
        )

    def _write(self, name: str, result: MemberResult) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.records.set_member(self.record.id, name, result.status, run=result.run_id, message=result.message)
            except BusyError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return


def _outcome(record: GroupRecord, statuses: dict[str, MemberStatus]) -> GroupStatus:
    if not all(status.ended for status in statuses.values()):
        return GroupStatus.STOPPED
    if not all(status.succeeded for status in statuses.values()):
        return GroupStatus.FAILED
    warned = record.warnings or MemberStatus.WARNINGS in statuses.values()
    return GroupStatus.WARNINGS if warned else GroupStatus.COMPLETED
