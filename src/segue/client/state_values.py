"""What goes over the wire of how Segue stands: connections, queries, calls, the recent activity."""

from __future__ import annotations

from datetime import datetime

from segue.client.values import Page, Wire


class Connection(Wire):
    """What a credential opens. plugin: that uses it; account_note: what could not be found out; missing: rights that the key
    lacks, a sentence each."""

    credential: str = ""
    plugin: str = ""
    account_id: str
    account_name: str
    account_note: str = ""
    sound: bool
    missing: tuple[str, ...]


class Health(Wire):
    """That the process is up, or ready to answer."""

    status: str


class RequestCount(Wire):
    """Calls to one endpoint of the destination, all attempts counted."""

    endpoint: str
    calls: int


class RequestCounts(Wire):
    """Calls to the destination of every run that is kept."""

    items: tuple[RequestCount, ...]


class Notification(Wire):
    """A line of the recent activity. kind: `running`, `completed`, `warning` or `error`; run_id: what it is about."""

    id: int
    at: datetime
    kind: str
    text: str
    run_id: str | None
    seen: bool


class NotificationList(Page[Notification]):
    """A page of the recent activity, newest first."""


class Sent(Wire):
    """A test message that was sent. alert: whose."""

    alert: str


class QueryStatus(Wire):
    """How a query stands: `draft`, `activated` (not run), `waiting`, `running`, `completed`, `inactive` (30 days not run) or
    `error`. row_count: of the last run that counted the rows."""

    query: str
    status: str
    last_run_at: datetime | None
    last_run_id: str | None
    row_count: int | None


class QueryStatusList(Wire):
    """How every query stands, by name."""

    items: tuple[QueryStatus, ...]
