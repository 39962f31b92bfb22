"""The words for how a run of a group and its members stand."""

from __future__ import annotations

from enum import StrEnum


class GroupStatus(StrEnum):
    """waiting -> running -> completed, completed with warnings, failed, stopped; or waiting -> skipped.

    missed: its time passed while nothing watched, and the group is not to run late. A run that was killed stays ``running``
    until somebody takes it up; one that was interrupted and is to go on is ``waiting`` again.
    """

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    WARNINGS = "completed with warnings"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    MISSED = "missed"

    @property
    def succeeded(self) -> bool:
        """Whether every member did what it was to do."""
        return self in (GroupStatus.COMPLETED, GroupStatus.WARNINGS)

    @property
    def exit_code(self) -> int:
        """Of the command line: 0 completed, 3 completed with warnings, 130 stopped by the user, 1 otherwise."""
        return {GroupStatus.COMPLETED: 0, GroupStatus.WARNINGS: 3, GroupStatus.STOPPED: 130}.get(self, 1)


class Cause(StrEnum):
    """Why a group runs: a time of its schedule, an upstream signal, the end of another group, a person."""

    SCHEDULE = "schedule"
    SIGNAL = "signal"
    GROUP = "group"
    MANUAL = "manual"


class MemberStatus(StrEnum):
    """skipped: a member before it did not succeed. stopped: interrupted; it begins again when the group's run goes on."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    WARNINGS = "completed with warnings"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"

    @property
    def succeeded(self) -> bool:
        """Whether those after it may begin."""
        return self in (MemberStatus.COMPLETED, MemberStatus.WARNINGS)

    @property
    def ended(self) -> bool:
        """Whether this is its last word in this run of the group."""
        return self.succeeded or self in (MemberStatus.FAILED, MemberStatus.SKIPPED)
