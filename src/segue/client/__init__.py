"""A small client of the REST API, as ``segue.Client``."""

from __future__ import annotations

from segue.client.client import Client
from segue.client.group_values import GroupRun, GroupState, GroupStates, Signal
from segue.client.request_values import Body, Exchange, RequestLine, RunRequests
from segue.client.rows import Rows
from segue.client.state_values import Connection, Notification, QueryStatus
from segue.client.transport import BrokenOff, Refused, Unreachable
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
    Started,
    Task,
)

__all__ = [
    "Body",
    "BrokenOff",
    "Client",
    "Configured",
    "Connection",
    "Exchange",
    "Failure",
    "Fuse",
    "GroupRun",
    "GroupState",
    "GroupStates",
    "HistoryEntry",
    "ListRef",
    "Mistake",
    "Notification",
    "Plan",
    "Problem",
    "QueryStatus",
    "Refused",
    "Reject",
    "RequestLine",
    "Resolutions",
    "Rows",
    "Run",
    "RunList",
    "RunRequests",
    "Signal",
    "Started",
    "Task",
    "Unreachable",
]
