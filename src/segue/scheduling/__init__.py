"""Groups of orchestrations: when one is due, in which order its members run, and what came of it."""

from __future__ import annotations

from segue.scheduling.groups import Group, Member, find_group, load_groups, next_starts
from segue.scheduling.lag import lags
from segue.scheduling.loop import Loop, Report
from segue.scheduling.records import GroupRecord, GroupRecords, MemberRecord
from segue.scheduling.running import MemberResult, Start, Turn
from segue.scheduling.scheduler import Scheduler
from segue.scheduling.signals import Received, latest_signals, record_signal
from segue.scheduling.status import Cause, GroupStatus, MemberStatus

__all__ = [
    "Cause",
    "Group",
    "GroupRecord",
    "GroupRecords",
    "GroupStatus",
    "Loop",
    "Member",
    "MemberRecord",
    "MemberResult",
    "MemberStatus",
    "Received",
    "Report",
    "Scheduler",
    "Start",
    "Turn",
    "find_group",
    "lags",
    "latest_signals",
    "load_groups",
    "next_starts",
    "record_signal",
]
