"""A small client of the REST API, as ``segue.Client``."""

from __future__ import annotations

from segue.client.client import Client, Refused
from segue.client.group_values import GroupRun, Signal
from segue.client.state_values import Connection, Notification, QueryStatus
from segue.client.values import (
    Configured,
    Failure,
    Fuse,
    HistoryEntry,
    ListRef,
    Mistake,
    Plan,
    Problem,
    Reject,
    Resolutions,
    Run,
    RunList,
    Task,
)

__all__ = [
    "Client",
    "Configured",
    "Connection",
    "Failure",
    "Fuse",
    "GroupRun",
    "HistoryEntry",
    "ListRef",
    "Mistake",
    "Notification",
    "Plan",
    "Problem",
    "QueryStatus",
    "Refused",
    "Reject",
    "Resolutions",
    "Run",
    "RunList",
    "Signal",
    "Task",
]
