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
