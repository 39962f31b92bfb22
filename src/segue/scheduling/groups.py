"""Groups as values, read from the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog.groups import OrchestrationGroup
from segue.services.names import unknown
from segue.timetable import Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An orchestration of a group. after: members that must succeed before it begins."""

    orchestration: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group. timetable: None without a schedule; offset: between being due and starting; since: when it was made;
    changed: when it was last edited."""

    id: str
    name: str
    enabled: bool
    timetable: Timetable | None
    run_missed: bool
    after_signal: str | None
    after_group: str | None
    offset: timedelta
    only_if_changed: bool
    members: tuple[Member, ...]
    since: datetime
    changed: datetime

    @property
    def triggers(self) -> dict[str, Any]:
        """What it waits for, to notice when that changes."""
        return {
            "enabled": self.enabled,
            "cron": self.timetable.cron if self.timetable else None,
            "timezone": self.timetable.timezone if self.timetable else None,
            "signal": self.after_signal,
            "group": self.after_group,
        }


def next_starts(group: Group, count: int, *, now: datetime) -> tuple[datetime, ...]:
    """The next times at which the schedule starts a group, in its time zone; none while it is disabled."""
    timetable = group.timetable
    if timetable is None or not group.enabled:
        return ()
    times = islice(timetable.after(now - group.offset), count)
    return tuple((time + group.offset).astimezone(timetable.zone) for time in times)


def load_groups(session: Session) -> tuple[Group, ...]:
    """Every group, sorted by name."""
    return tuple(_group(row) for row in session.scalars(select(OrchestrationGroup).order_by(OrchestrationGroup.name)))


def find_group(session: Session, name: str) -> Group:
    """The group of this name. Raises UsageError when there is none, with the nearest names."""
    row = session.scalars(select(OrchestrationGroup).where(OrchestrationGroup.name == name)).one_or_none()
    if row is None:
        raise unknown("orchestration group", name, session.scalars(select(OrchestrationGroup.name)))
    return _group(row)


def _group(row: OrchestrationGroup) -> Group:
    names = {member.orchestration_id: member.orchestration.name for member in row.members}
    return Group(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        timetable=Timetable(cron=row.cron, timezone=row.timezone) if row.cron and row.timezone else None,
        run_missed=row.missed != "skip",
        after_signal=row.after_signal,
        after_group=row.after_group,
        offset=timedelta(seconds=row.offset),
        only_if_changed=row.only_if_changed,
        members=tuple(
            Member(
                orchestration=names[member.orchestration_id],
                after=tuple(names[other] for other in member.after),
            )
            for member in row.members
        ),
        since=row.created_at,
        changed=row.updated_at,
    )
