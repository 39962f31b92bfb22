"""A small client of the REST API, as ``segue.Client``."""

from __future__ import annotations

from segue.client.client import Client, Refused
from segue.client.values import (
    Configured,
    Connection,
    Failure,
    Fuse,
    GroupRun,
    HistoryEntry,
    ListRef,
    Mistake,
    Notification,
    Plan,
    Problem,
    QueryStatus,
    Reject,
    Resolutions,
    Run,
    RunList,
    Signal,
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
