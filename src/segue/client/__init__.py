"""A small client of the REST API, as ``segue.Client``."""

from __future__ import annotations

from segue.client.client import Client, Refused
from segue.client.values import (
    Configured,
    Connection,
    Failure,
    Fuse,
    HistoryEntry,
    ListRef,
    Mistake,
    Plan,
    Problem,
    Reject,
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
    "HistoryEntry",
    "ListRef",
    "Mistake",
    "Plan",
    "Problem",
    "Refused",
    "Reject",
    "Run",
    "RunList",
    "Task",
]
