"""Groups at a glance: when they run, how they went last, and schedules in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from segue.catalog import base
from segue.scheduling.groups import Group, load_groups, next_starts
from segue.scheduling.records import GroupRecord, GroupRecords
from segue.services.workspace import Workspace
from segue.timetable import Timetable, check_cron, check_timezone

TIMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group. last: its last run; coming: its next times, in its time zone."""

    group: Group
    last: GroupRecord | None
    coming: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A cron expression as people say it, and its next times in its time zone."""

    words: str
    coming: tuple[datetime, ...]


def group_lines(workspace: Workspace) -> tuple[GroupLine, ...]:
    """Every group, by name. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    records, moment = GroupRecords(workspace.catalog), base.now()
    with workspace.catalog.session(read_only=True) as session:
        groups = load_groups(session)
    return tuple(
        GroupLine(
            group=group,
            last=next(iter(records.latest(group.id)), None),
            coming=next_starts(group, TIMES, now=moment),
        )
        for group in groups
    )


def schedule_of(cron: str, timezone: str, *, now: datetime, offset: float = 0) -> Schedule:
    """What a schedule would do. offset: seconds between its times and the start. Raises ValueError with what is wrong."""
    timetable = Timetable(cron=check_cron(cron), timezone=check_timezone(timezone))
    wait = timedelta(seconds=offset)
    times = islice(timetable.after(now - wait), TIMES)
    return Schedule(words=timetable.words, coming=tuple((time + wait).astimezone(timetable.zone) for time in times))
