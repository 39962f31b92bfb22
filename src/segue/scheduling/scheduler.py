"""Which groups are due, and running them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import Catalog
from segue.catalog.base import now as utc_now
from segue.catalog.groups import GroupCursor, GroupRun, SchedulerHeartbeat
from segue.catalog.locks import Locks
from segue.errors import BusyError
from segue.failpoints import reach
from segue.scheduling.fingerprint import fingerprint
from segue.scheduling.groups import Group, find_group, load_groups
from segue.scheduling.records import GroupRecord, GroupRecords, has_trigger, new_run
from segue.scheduling.running import GroupRunning, Start
from segue.scheduling.status import Cause, GroupStatus
from segue.scheduling.triggers import Trigger, look

_HEART = "scheduler"


@dataclass(frozen=True, kw_only=True)
class Scheduler:
    """The groups of a workspace. parallel: members that run at once in this process; keeps: whether a run that a person asked
    for waits to go on, as others do, when ``stop`` is set."""

    catalog: Catalog
    locks: Locks
    parallel: int = 4
    keeps: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = utc_now
    _slots: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", threading.BoundedSemaphore(self.parallel))

    @property
    def records(self) -> GroupRecords:
        """Runs of groups in the catalog."""
        return GroupRecords(self.catalog)

    def due(self, now: datetime) -> tuple[GroupRecord, ...]:
        """Runs of groups to be started now, one a group; also those that a crash or a stop left unfinished.

        Each reason for a run is written down before it is returned, once: whoever asks again, even after a crash, gets
        the same run. Groups that somebody runs at this moment are left out.
        """
        with self.catalog.session() as session:
            heart = session.get(SchedulerHeartbeat, _HEART)
            groups = load_groups(session)
            for group in groups:
                self._look(session, group, now, watched_before=heart is not None)
            if heart is None:
                session.add(SchedulerHeartbeat(name=_HEART, beat_at=now))
            else:
                heart.beat_at = now
        reach("group-due")
        return self._startable(groups, now)

    def last_beat(self) -> datetime | None:
        """When ``due`` was last asked; None for never."""
        with self.catalog.session(read_only=True) as session:
            heart = session.get(SchedulerHeartbeat, _HEART)
            return heart.beat_at if heart else None

    def run_group(self, run: GroupRecord, start: Start) -> GroupRecord | None:
        """Carry out a run that is due; returns it as it ended, or None when somebody else has begun or ended it.

        A failing member stops those that come after it and no others. When ``stop`` is set no further member begins: a run that
        a person began is then stopped, unless the scheduler ``keeps`` it; any other waits to go on.
        """
        with self.locks.hold(group_lock(run.group_id)) as ours:
            current = self.records.get(run.id)
            if not ours or current.status not in (GroupStatus.WAITING, GroupStatus.RUNNING):
                return None
            return self._carry_out(current, start)

    def run_now(self, name: str, start: Start) -> GroupRecord:
        """Run a group because a person wants it, enabled or not, changed or not. A run that was killed is finished instead.

        Raises UsageError for a name that no group has, BusyError while the group runs.
        """
        with self.catalog.session(read_only=True) as session:
            group = find_group(session, name)
        with self.locks.hold(group_lock(group.id)) as ours:
            if not ours:
                raise _under_way(name)
            begun = [run for run in self.records.open(group.id) if run.status is GroupStatus.RUNNING]
            run = begun[0] if begun else self._add_manual(group)
            return self._carry_out(run, start)

    def ask(self, name: str) -> GroupRecord:
        """Ask the scheduler that runs by itself for a run of a group, enabled or not, changed or not.

        A run that was killed is named instead: it goes on. Raises UsageError for a name that no group has, BusyError while
        the group runs or such a run waits.
        """
        with self.catalog.session(read_only=True) as session:
            group = find_group(session, name)
        with self.locks.hold(group_lock(group.id)) as free:
            open_ = self.records.open(group.id)
            if not free or any(r.status is GroupStatus.WAITING and r.cause is Cause.MANUAL for r in open_):
                raise _under_way(name)
            begun = [run for run in open_ if run.status is GroupStatus.RUNNING]
            return begun[0] if begun else self._add_manual(group)

    def _add_manual(self, group: Group) -> GroupRecord:
        row = new_run(group_id=group.id, group=group.name, cause=Cause.MANUAL, trigger=None, due_at=self.clock())
        return self.records.add(row)

    def _look(self, session: Session, group: Group, now: datetime, *, watched_before: bool) -> None:
        cursor = _cursor(session, group, now, watched_before=watched_before)
        if not group.enabled:
            cursor.since = cursor.looked_until = now
            return
        for trigger in look(session, group, cursor, now):
            if not has_trigger(session, group.id, trigger.cause, trigger.key):
                session.add(_row(session, group, trigger, now))
                session.flush()

    def _startable(self, groups: tuple[Group, ...], now: datetime) -> tuple[GroupRecord, ...]:
        by_id = {group.id: group for group in groups}
        found: dict[str, GroupRecord] = {}
        for run in self.records.open():
            group = by_id.get(run.group_id)
            with self.locks.hold(group_lock(run.group_id)) as free:
                if not free:
                    continue
                if group is None:
                    self.records.end(run.id, GroupStatus.STOPPED, at=now, warnings=["the group was deleted"])
                elif run.status is GroupStatus.WAITING and not group.enabled and run.cause is not Cause.MANUAL:
                    self.records.end(run.id, GroupStatus.SKIPPED, at=now, warnings=["the group was disabled"])
                elif run.status is GroupStatus.RUNNING or group.id not in found:
                    # One that has begun comes first.
                    found[group.id] = run
        return tuple(found.values())

    def _carry_out(self, run: GroupRecord, start: Start) -> GroupRecord:
        """The caller holds the group's lock."""
        with self.catalog.session(read_only=True) as session:
            group = find_group(session, run.group)
            seen = fingerprint(session, [member.orchestration for member in group.members])
        if run.started_at is None and run.cause is not Cause.MANUAL and group.only_if_changed:
            before = self.records.tried_before(run)
            if before and before.status.succeeded and before.fingerprint == seen:
                reason = f"nothing changed since the run {before.id}"
                return self.records.end(run.id, GroupStatus.SKIPPED, at=self.clock(), warnings=[reason])
        begun = self.records.begin(run.id, group.members, fingerprint=seen, at=self.clock())
        reach("group-begun")
        running = GroupRunning(record=begun, records=self.records, start=start, slots=self._slots, stop=self.stop)
        status = running.run()
        if status is GroupStatus.STOPPED and (self.keeps or run.cause is not Cause.MANUAL):
            status = GroupStatus.WAITING
        return self.records.end(run.id, status, at=self.clock())


def _under_way(name: str) -> BusyError:
    return BusyError(
        f'the group "{name}" is being run already',
        code="group_under_way",
        steps=("Wait until it has ended: segue groups", "Then run again."),
    )


def _cursor(session: Session, group: Group, now: datetime, *, watched_before: bool) -> GroupCursor:
    """Where the group stands, made or brought up to date with what it waits for now."""
    cursor = session.get(GroupCursor, group.id)
    if cursor is None:
        # Before the first scheduler of a workspace nobody could expect a schedule to be kept.
        looked_until = group.since if watched_before else now - group.offset
        cursor = GroupCursor(group_id=group.id, triggers=group.triggers, since=group.since, looked_until=looked_until)
        session.add(cursor)
    elif cursor.triggers != group.triggers:
        cursor.triggers = group.triggers
        cursor.since = group.changed
        cursor.looked_until = max(cursor.looked_until, group.changed)
    return cursor


def _row(session: Session, group: Group, trigger: Trigger, now: datetime) -> GroupRun:
    status, warnings = GroupStatus.WAITING, list(trigger.warnings)
    if trigger.missed:
        status = GroupStatus.MISSED
    elif session.scalar(
        select(GroupRun.id).where(GroupRun.group_id == group.id, GroupRun.status == GroupStatus.WAITING).limit(1)
    ):
        status = GroupStatus.SKIPPED
        warnings.append("another run of the group was waiting already")
    return new_run(
        group_id=group.id,
        group=group.name,
        cause=trigger.cause,
        trigger=trigger.key,
        due_at=trigger.due_at,
        status=status,
        ended_at=None if status is GroupStatus.WAITING else now,
        warnings=warnings,
    )


def group_lock(group_id: str) -> str:
    """The name of the lock that one process holds while it runs a group."""
    return f"group-{group_id}"
