"""What makes a group due: a time of its schedule, a signal, the end of another group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog.groups import GroupCursor, GroupRun, Signal
from segue.scheduling.groups import Group
from segue.scheduling.status import Cause, GroupStatus
from segue.timetable import Times, Timetable

GRACE = timedelta(minutes=2)
"""A time that is noticed so late, or later, was missed: nothing watched, or the machine slept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A reason for a run. key: unique among the causes of one kind, so that the same reason makes one run.

    missed: its time is long over and the group does not run late. warnings: what to say of it.
    """

    cause: Cause
    key: str
    due_at: datetime
    missed: bool = False
    warnings: tuple[str, ...] = ()


def look(session: Session, group: Group, cursor: GroupCursor, now: datetime) -> Iterator[Trigger]:
    """The reasons for a run that have come until now. They may come again: the caller knows which it has seen.

    The cursor moves on, past the times of the schedule.
    """
    base = now - group.offset
    if group.timetable and base > cursor.looked_until:
        yield from _times(group, group.timetable, cursor.looked_until, now)
    cursor.looked_until = max(cursor.looked_until, base)
    if group.after_signal:
        yield from _signal(session, group, cursor.since, base)
    if group.after_group:
        yield from _other_group(session, group, cursor.since, base)


def _times(group: Group, timetable: Timetable, start: datetime, now: datetime) -> Iterator[Trigger]:
    base = now - group.offset
    times = timetable.between(start, base)
    if times.latest is None:
        return
    missed = timetable.between(start, base - GRACE) if base - GRACE > start else Times(count=0, first=None, latest=None)
    late = times.latest == missed.latest
    warnings = (_missed(missed, timetable, runs=late and group.run_missed),) if missed.count else ()
    yield Trigger(
        cause=Cause.SCHEDULE,
        key=times.latest.isoformat(),
        due_at=times.latest + group.offset,
        missed=late and not group.run_missed,
        warnings=warnings,
    )


def _missed(times: Times, timetable: Timetable, *, runs: bool) -> str:
    first, latest = (
        f"{time.astimezone(timetable.zone):%Y-%m-%d %H:%M}" for time in (times.first, times.latest) if time
    )
    when = f"at {latest}" if times.count == 1 else f"{times.count:,} times from {first} to {latest}"
    then = "; it runs once now" if runs else ""
    return f"missed run: nothing watched {when} ({timetable.timezone}){then}"


def _signal(session: Session, group: Group, since: datetime, until: datetime) -> Iterator[Trigger]:
    """The latest one alone: it says of the data what those before it said."""
    query = (
        select(Signal)
        .where(Signal.name == group.after_signal, Signal.received_at >= since, Signal.received_at <= until)
        .order_by(Signal.received_at.desc())
        .limit(1)
    )
    if signal := session.scalars(query).one_or_none():
        yield Trigger(cause=Cause.SIGNAL, key=signal.id, due_at=signal.received_at + group.offset)


def _other_group(session: Session, group: Group, since: datetime, until: datetime) -> Iterator[Trigger]:
    query = (
        select(GroupRun)
        .where(
            GroupRun.group == group.after_group,
            GroupRun.status.in_([status for status in GroupStatus if status.succeeded]),
            GroupRun.ended_at >= since,
            GroupRun.ended_at <= until,
        )
        .order_by(GroupRun.ended_at.desc())
        .limit(1)
    )
    run = session.scalars(query).one_or_none()
    if run and run.ended_at:
        yield Trigger(cause=Cause.GROUP, key=run.id, due_at=run.ended_at + group.offset)
