"""Calls of the REST API as methods."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

import httpx

from segue.client import group_values, request_values, state_values, values
from segue.client.rows import Rows, asked_for, read_rows
from segue.client.things import Things
from segue.client.transport import BrokenOff, Transport

_SECONDS = 60.0
_ENDED = frozenset({"completed", "completed with warnings", "failed", "stopped"})


class Client:
    """A connection to a Segue server.

        with Client("http://127.0.0.1:8321", token="sk_segue_...") as segue:
            run = segue.wait(segue.start("Loyalty to Klaviyo"))

    seconds: how long an answer may take; plans take as long as they need. transport: for tests. Every method raises Refused
    for a problem and Unreachable when nobody answers.
    """

    def __init__(
        self, url: str, *, token: str, seconds: float = _SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._server = Transport(url, token=token, seconds=seconds, transport=transport)
        self.databases = Things(self._server, "databases")
        self.credentials = Things(self._server, "credentials")
        self.queries = Things(self._server, "queries")
        self.destinations = Things(self._server, "destinations")
        self.data_templates = Things(self._server, "data-templates")
        self.orchestrations = Things(self._server, "orchestrations")
        self.orchestration_groups = Things(self._server, "orchestration-groups")
        self.alerts = Things(self._server, "alerts")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def test_credential(self, ref: str) -> state_values.Connection:
        """Try a credential at its destination, writing nothing."""
        return self._server.call(state_values.Connection, "POST", f"credentials/{_part(ref)}/test")

    def plan(self, orchestration: str, *, samples: bool = False) -> values.Plan:
        """What a run would do; with samples, up to 20 people of each kind. Waits until the query has run."""
        path, asked = f"orchestrations/{_part(orchestration)}/plan", {"samples": "true"} if samples else {}
        return self._server.call(values.Plan, "POST", path, params=asked, timeout=None)

    def start(
        self,
        orchestration: str,
        *,
        plan_id: str | None = None,
        allow: Collection[str] = (),
        restart: bool = False,
        key: str | None = None,
    ) -> values.Started:
        """Start a run, or go on with the one that failed half-way. key: repeated with it, the answer is the same run."""
        return self._server.call(
            values.Started,
            "POST",
            f"orchestrations/{_part(orchestration)}/runs",
            json={"plan_id": plan_id, "allow": list(allow), "restart": restart},
            headers=_idempotent(key),
        )

    def run(self, run_id: str) -> values.Run:
        """A run with its tasks."""
        return self._server.call(values.Run, "GET", f"runs/{_part(run_id)}")

    def stop(self, run_id: str) -> values.Run:
        """Ask a run to stop."""
        return self._server.call(values.Run, "POST", f"runs/{_part(run_id)}/stop")

    def wait(self, run: values.Run) -> values.Run:
        """The run when it has ended; see ``follow``."""
        for now in self.follow(run.run_id):
            run = now
        return run

    def follow(
        self, run_id: str, *, told: Callable[[values.Task], object] = lambda _task: None
    ) -> Iterator[values.Run]:
        """The run each time that its status changes, until it has ended. A connection that breaks is made again.

        told: gets a task each time that one begins, gets on or ends.
        """
        status = None
        while status not in _ENDED:
            try:
                for found in self._events(run_id):
                    if isinstance(found, values.Task):
                        told(found)
                    elif found.status != status:
                        status = found.status
                        yield found
            except BrokenOff:
                continue

    def runs(
        self, *, orchestration: str | None = None, status: str | None = None, page: int = 100
    ) -> Iterator[values.Run]:
        """Every run, newest first, fetched page by page as they are asked for."""
        return self._server.pages(values.RunList, "runs", orchestration=orchestration, status=status, limit=page)

    def tasks(self, run_id: str) -> tuple[values.Task, ...]:
        """The tasks of a run in their order, those that have not begun too."""
        return self._server.call(values.TaskList, "GET", f"runs/{_part(run_id)}/tasks").items

    def run_requests(self, run_id: str) -> request_values.RunRequests:
        """When a run called its destination, by endpoint and answer."""
        return self._server.call(request_values.RunRequests, "GET", f"runs/{_part(run_id)}/requests")

    def exchanges(self, run_id: str) -> tuple[request_values.Exchange, ...]:
        """Sampled requests of a run with their answers, the oldest first."""
        return self._server.call(request_values.ExchangeList, "GET", f"runs/{_part(run_id)}/exchanges").items

    def undo(self, run_id: str, *, allow: Collection[str] = (), key: str | None = None) -> values.Started:
        """Put the list membership back to what it was before a run; the run that does it. key: as in ``start``."""
        return self._server.call(
            values.Started, "POST", f"runs/{_part(run_id)}/undo", json={"allow": list(allow)}, headers=_idempotent(key)
        )

    def resolutions(self, run_id: str) -> values.Resolutions:
        """What can be done about a run that failed or was stopped."""
        return self._server.call(values.Resolutions, "GET", f"runs/{_part(run_id)}/resolutions")

    def resolve(
        self, run_id: str, action: str, *, list_id: str | None = None, api_key: str | None = None
    ) -> values.Started:
        """Take one of the offered ways; the run that goes on or begins. A new key may take as long as Klaviyo does."""
        body = {"action": action, "list_id": list_id, "api_key": api_key}
        return self._server.call(values.Started, "POST", f"runs/{_part(run_id)}/resolutions", json=body, timeout=None)

    def run_group(self, group: str, *, key: str | None = None) -> group_values.GroupRun:
        """Run a group. key: repeated with it, the answer is the same run."""
        path = f"orchestration-groups/{_part(group)}/runs"
        return self._server.call(group_values.GroupRun, "POST", path, headers=_idempotent(key))

    def group_run(self, run_id: str) -> group_values.GroupRun:
        """A run of a group with its members."""
        return self._server.call(group_values.GroupRun, "GET", f"group-runs/{_part(run_id)}")

    def group_runs(self, group: str, *, page: int = 100) -> Iterator[group_values.GroupRun]:
        """Every run of a group, newest first."""
        return self._server.pages(group_values.GroupRunList, f"orchestration-groups/{_part(group)}/runs", limit=page)

    def groups(self) -> group_values.GroupStates:
        """How every group stands, by name, and when a scheduler last looked."""
        return self._server.call(group_values.GroupStates, "GET", "group-states")

    def group_times(self, group: str, *, count: int = 5) -> tuple[datetime, ...]:
        """When the schedule of a group starts it next."""
        path = f"orchestration-groups/{_part(group)}/times"
        return self._server.call(group_values.Times, "GET", path, params={"count": count}).items

    def signal(self, name: str) -> group_values.SignalReceived:
        """Say that upstream data are ready."""
        return self._server.call(group_values.SignalReceived, "POST", f"signals/{_part(name)}")

    def signals(self, *, name: str | None = None, page: int = 100) -> Iterator[group_values.Signal]:
        """Every signal that came, newest first."""
        return self._server.pages(group_values.SignalList, "signals", name=name, limit=page)

    def notifications(self, *, unseen: bool = False, page: int = 100) -> Iterator[state_values.Notification]:
        """The recent activity, newest first. Reading marks nothing as seen."""
        return self._server.pages(state_values.NotificationList, "notifications", unseen=unseen or None, limit=page)

    def mark_seen(self, ids: Collection[int]) -> None:
        """Say that notifications were looked at."""
        self._server.request("POST", "notifications/seen", json={"ids": list(ids)})

    def test_alert(self, ref: str) -> None:
        """Send a test message of an alert."""
        self._server.call(state_values.Sent, "POST", f"alerts/{_part(ref)}/test", timeout=None)

    def query_status(self, ref: str) -> state_values.QueryStatus:
        """How a query stands."""
        return self._server.call(state_values.QueryStatus, "GET", f"queries/{_part(ref)}/status")

    def query_statuses(self) -> tuple[state_values.QueryStatus, ...]:
        """How every query stands, by name."""
        return self._server.call(state_values.QueryStatusList, "GET", "query-statuses").items

    def list_rejects(self, run_id: str, *, page: int = 100) -> Iterator[values.Reject]:
        """What a run could not send, page by page."""
        return self._server.pages(values.RejectList, f"runs/{_part(run_id)}/rejects", limit=page)

    def rejects(self, run_id: str) -> str:
        """The rejects of a run, as CSV."""
        return b"".join(self.rejects_csv(run_id)).decode()

    def rejects_csv(self, run_id: str) -> Iterator[bytes]:
        """The rejects of a run, as CSV that is read while it comes."""
        return self._bytes("GET", f"runs/{_part(run_id)}/rejects.csv")

    def history(self, email: str) -> tuple[values.HistoryEntry, ...]:
        """Every run that did something with a person, newest first."""
        return self._server.call(values.History, "POST", "history", json={"email": email}, timeout=None).items

    def preview(self, sql: str, *, database: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """The first rows of SQL that is not saved. Of columns that share a name the last one shows."""
        with self.rows(sql=sql, database=database, limit=limit) as rows:
            names = [column["name"] for column in rows.columns]
            return [dict(zip(names, json.loads(line), strict=True)) for line in rows.lines]

    @contextmanager
    def rows(
        self, name: str | None = None, *, sql: str | None = None, database: str | None = None, limit: int
    ) -> Iterator[Rows]:
        """The first rows of a saved query, or of SQL. Raises Refused also on the way, where the query breaks off."""
        path, options = asked_for("preview", name=name, sql=sql, database=database, limit=limit)
        with self._server.streamed("POST", path, timeout=None, **options) as response:
            yield read_rows(response.iter_lines())

    def rows_csv(
        self, name: str | None = None, *, sql: str | None = None, database: str | None = None, limit: int
    ) -> Iterator[bytes]:
        """The same as CSV that is read while it comes."""
        path, options = asked_for("rows.csv", name=name, sql=sql, database=database, limit=limit)
        return self._bytes("POST" if name is None else "GET", path, timeout=None, **options)

    def requests(self) -> dict[str, int]:
        """Calls to destinations by endpoint, of all runs that are kept."""
        return {
            count.endpoint: count.calls
            for count in self._server.call(state_values.RequestCounts, "GET", "requests").items
        }

    def _events(self, run_id: str) -> Iterator[values.Run | values.Task]:
        event = ""
        with self._server.streamed("GET", f"runs/{_part(run_id)}/events") as response:
            for line in response.iter_lines():
                name, _, text = line.partition(": ")
                if name == "event":
                    event = text
                elif name == "data" and event in _EVENTS:
                    yield _EVENTS[event].model_validate_json(text)

    def _bytes(self, method: str, path: str, **options: Any) -> Iterator[bytes]:
        with self._server.streamed(method, path, **options) as response:
            yield from response.iter_bytes()


_EVENTS: dict[str, type[values.Run | values.Task]] = {"run": values.Run, "task": values.Task}


def _idempotent(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key is not None else {}


def _part(text: str) -> str:
    return quote(text, safe="")
