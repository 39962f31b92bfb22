"""What goes over the wire of groups and signals."""

from __future__ import annotations

from datetime import datetime

from segue.client.values import Page, Wire


class GroupMember(Wire):
    """How a member fared in a run of its group. message: why it failed or was not started."""

    orchestration: str
    after: tuple[str, ...] = ()
    status: str
    run_id: str | None
    message: str


class GroupRun(Wire):
    """One run of a group. cause: `schedule`, `signal`, `group` or `manual`; due_at: when it was to start."""

    group_run_id: str
    group: str
    cause: str
    status: str
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    warnings: tuple[str, ...]
    members: tuple[GroupMember, ...]


class GroupRunList(Page[GroupRun]):
    """A page of runs of a group, newest first."""


class Schedule(Wire):
    """When a group runs. words: the cron line as people say it; missed: `run_once` or `skip`."""

    cron: str
    words: str
    timezone: str
    missed: str


class MemberPlace(Wire):
    """An orchestration of a group. after: members that must succeed before it begins."""

    orchestration: str
    after: tuple[str, ...]


class GroupState(Wire):
    """How a group stands. next: when the schedule starts it next, in its time zone; last: its latest run."""

    name: str
    enabled: bool
    schedule: Schedule | None
    next: tuple[datetime, ...]
    after_signal: str | None
    after_group: str | None
    offset_seconds: float
    only_if_changed: bool
    members: tuple[MemberPlace, ...]
    last: GroupRun | None


class GroupStates(Wire):
    """How every group stands, by name. scheduler_seen_at: when a scheduler last looked, None for never."""

    items: tuple[GroupState, ...]
    scheduler_seen_at: datetime | None


class Times(Wire):
    """When the schedule starts a group next, in its time zone; empty without a schedule, and while it is disabled."""

    items: tuple[datetime, ...]


class Signal(Wire):
    """An upstream signal that came."""

    name: str
    received_at: datetime


class SignalList(Page[Signal]):
    """A page of signals, newest first."""


class SignalReceived(Wire):
    """A signal that was written down. due: the enabled groups that wait for it; hint: what to say where there is none."""

    name: str
    due: tuple[str, ...]
    hint: str
