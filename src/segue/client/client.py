"""Calls of the REST API as methods."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from segue.client import group_values, state_values, values
from segue.client.things import Things

T = TypeVar("T", bound=values.Wire)
P = TypeVar("P", bound=values.Wire)

_SECONDS = 60.0
_ENDED = frozenset({"completed", "completed with warnings", "failed", "stopped"})


class Refused(Exception):  # noqa: N818 -- what happened, in one word
    """The server answered with a problem. problem: its code, what happened and what to do; status: of HTTP."""

    def __init__(self, problem: values.Problem) -> None:
        super().__init__(f"{problem.detail} ({problem.code})")
        self.problem = problem
        self.code = problem.code
        self.status = problem.status


class Client:
    """A connection to a Segue server.

        with Client("http://127.0.0.1:8765", token="sk_segue_...") as segue:
            run = segue.wait(segue.start("Loyalty to Klaviyo"))

    seconds: how long an answer may take; plans take as long as they need. transport: for tests. Every method raises Refused
    for a problem and httpx.HTTPError when nobody answers.
    """

    def __init__(
        self, url: str, *, token: str, seconds: float = _SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=seconds,
            transport=transport,
        )
        self.databases = Things(self._http, "databases", self._checked)
        self.credentials = Things(self._http, "credentials", self._checked)
        self.queries = Things(self._http, "queries", self._checked)
        self.destinations = Things(self._http, "destinations", self._checked)
        self.data_templates = Things(self._http, "data-templates", self._checked)
        self.orchestrations = Things(self._http, "orchestrations", self._checked)
        self.orchestration_groups = Things(self._http, "orchestration-groups", self._checked)
        self.alerts = Things(self._http, "alerts", self._checked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def test_credential(self, ref: str) -> state_values.Connection:
        """Try a credential at its destination, writing nothing."""
        return self._call(state_values.Connection, "POST", f"credentials/{_part(ref)}/test")

    def plan(self, orchestration: str) -> values.Plan:
        """What a run would do. Waits until the query has run."""
        return self._call(values.Plan, "POST", f"orchestrations/{_part(orchestration)}/plan", timeout=None)

    def start(
        self,
        orchestration: str,
        *,
        plan_id: str | None = None,
        allow: Collection[str] = (),
        restart: bool = False,
        key: str | None = None,
    ) -> values.Run:
        """Start a run, or go on with the one that failed half-way. key: repeated with it, the answer is the same run."""
        return self._call(
            values.Run,
            "POST",
            f"orchestrations/{_part(orchestration)}/runs",
            json={"plan_id": plan_id, "allow": list(allow), "restart": restart},
            headers=_idempotent(key),
        )

    def run(self, run_id: str) -> values.Run:
        """A run with its tasks."""
        return self._call(values.Run, "GET", f"runs/{_part(run_id)}")

    def stop(self, run_id: str) -> values.Run:
        """Ask a run to stop."""
        return self._call(values.Run, "POST", f"runs/{_part(run_id)}/stop")

    def wait(self, run: values.Run) -> values.Run:
        """The run when it has ended; see ``follow``."""
        for now in self.follow(run.run_id):
            run = now
        return run

    def follow(self, run_id: str) -> Iterator[values.Run]:
        """The run each time that its status changes, until it has ended. A connection that breaks is made again."""
        status = None
        while status not in _ENDED:
            try:
                for run in self._events(run_id):
                    if run.status != status:
                        status = run.status
                        yield run
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout):
                continue

    def runs(
        self, *, orchestration: str | None = None, status: str | None = None, page: int = 100
    ) -> Iterator[values.Run]:
        """Every run, newest first, fetched page by page as they are asked for."""
        return self._pages(values.RunList, "runs", orchestration=orchestration, status=status, limit=page)

    def tasks(self, run_id: str) -> tuple[values.Task, ...]:
        """The tasks of a run in their order, those that have not begun too."""
        return self._call(values.TaskList, "GET", f"runs/{_part(run_id)}/tasks").items

    def undo(self, run_id: str, *, allow: Collection[str] = (), key: str | None = None) -> values.Run:
        """Put the list membership back to what it was before a run; the run that does it. key: as in ``start``."""
        return self._call(
            values.Run, "POST", f"runs/{_part(run_id)}/undo", json={"allow": list(allow)}, headers=_idempotent(key)
        )

    def resolutions(self, run_id: str) -> values.Resolutions:
        """What can be done about a run that failed or was stopped."""
        return self._call(values.Resolutions, "GET", f"runs/{_part(run_id)}/resolutions")

    def resolve(
        self, run_id: str, action: str, *, list_id: str | None = None, api_key: str | None = None
    ) -> values.Run:
        """Take one of the offered ways; the run that goes on or begins. A new key may take as long as Klaviyo does."""
        body = {"action": action, "list_id": list_id, "api_key": api_key}
        return self._call(values.Run, "POST", f"runs/{_part(run_id)}/resolutions", json=body, timeout=None)

    def run_group(self, group: str, *, key: str | None = None) -> group_values.GroupRun:
        """Run a group. key: repeated with it, the answer is the same run."""
        path = f"orchestration-groups/{_part(group)}/runs"
        return self._call(group_values.GroupRun, "POST", path, headers=_idempotent(key))

    def group_run(self, run_id: str) -> group_values.GroupRun:
        """A run of a group with its members."""
        return self._call(group_values.GroupRun, "GET", f"group-runs/{_part(run_id)}")

    def group_runs(self, group: str, *, page: int = 100) -> Iterator[group_values.GroupRun]:
        """Every run of a group, newest first."""
        return self._pages(group_values.GroupRunList, f"orchestration-groups/{_part(group)}/runs", limit=page)

    def group_times(self, group: str, *, count: int = 5) -> tuple[datetime, ...]:
        """When the schedule of a group starts it next."""
        path = f"orchestration-groups/{_part(group)}/times"
        return self._call(group_values.Times, "GET", path, params={"count": count}).items

    def signal(self, name: str) -> group_values.SignalReceived:
        """Say that upstream data are ready."""
        return self._call(group_values.SignalReceived, "POST", f"signals/{_part(name)}")

    def signals(self, *, name: str | None = None, page: int = 100) -> Iterator[group_values.Signal]:
        """Every signal that came, newest first."""
        return self._pages(group_values.SignalList, "signals", name=name, limit=page)

    def notifications(self, *, unseen: bool = False, page: int = 100) -> Iterator[state_values.Notification]:
        """The recent activity, newest first. Reading marks nothing as seen."""
        return self._pages(state_values.NotificationList, "notifications", unseen=unseen or None, limit=page)

    def mark_seen(self, ids: Collection[int]) -> None:
        """Say that notifications were looked at."""
        self._checked(self._http.post("notifications/seen", json={"ids": list(ids)}))

    def test_alert(self, ref: str) -> None:
        """Send a test message of an alert."""
        self._call(state_values.Sent, "POST", f"alerts/{_part(ref)}/test", timeout=None)

    def query_status(self, ref: str) -> state_values.QueryStatus:
        """How a query stands."""
        return self._call(state_values.QueryStatus, "GET", f"queries/{_part(ref)}/status")

    def query_statuses(self) -> tuple[state_values.QueryStatus, ...]:
        """How every query stands, by name."""
        return self._call(state_values.QueryStatusList, "GET", "query-statuses").items

    def list_rejects(self, run_id: str, *, page: int = 100) -> Iterator[values.Reject]:
        """What a run could not send, page by page."""
        return self._pages(values.RejectList, f"runs/{_part(run_id)}/rejects", limit=page)

    def rejects(self, run_id: str) -> str:
        """The rejects of a run, as CSV."""
        return self._checked(self._http.get(f"runs/{_part(run_id)}/rejects.csv")).text

    def history(self, email: str) -> tuple[values.HistoryEntry, ...]:
        """Every run that did something with a person, newest first."""
        return self._call(values.History, "POST", "history", json={"email": email}, timeout=None).items

    def preview(self, sql: str, *, database: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """The first rows of SQL that is not saved. Of columns that share a name the last one shows."""
        body = {"sql": sql, "database": database, "limit": limit}
        with self._streamed("POST", "previews", json=body) as lines:
            names = [column["name"] for column in json.loads(next(lines))["columns"]]
            rows = []
            for line in lines:
                value = json.loads(line)
                if isinstance(value, list):
                    rows.append(dict(zip(names, value, strict=True)))
                elif "problem" in value:
                    raise Refused(values.Problem.model_validate(value["problem"]))
        return rows

    def requests(self) -> dict[str, int]:
        """Calls to destinations by endpoint, of all runs that are kept."""
        return {
            count.endpoint: count.calls for count in self._call(state_values.RequestCounts, "GET", "requests").items
        }

    def _events(self, run_id: str) -> Iterator[values.Run]:
        event = ""
        with self._streamed("GET", f"runs/{_part(run_id)}/events") as lines:
            for line in lines:
                name, _, text = line.partition(": ")
                if name == "event":
                    event = text
                elif name == "data" and event == "run":
                    yield values.Run.model_validate_json(text)

    @contextmanager
    def _streamed(self, method: str, path: str, **options: Any) -> Iterator[Iterator[str]]:
        with self._http.stream(method, path, **options) as response:
            if not response.is_success:
                response.read()
            yield self._checked(response).iter_lines()

    def _pages(self, kind: type[values.Page[P]], path: str, **asked: Any) -> Iterator[P]:
        params = {name: value for name, value in asked.items() if value is not None}
        while True:
            found = self._call(kind, "GET", path, params=params)
            yield from found.items
            if found.next is None:
                return
            params["cursor"] = found.next

    def _call(self, kind: type[T], method: str, path: str, **options: Any) -> T:
        return kind.model_validate_json(self._checked(self._http.request(method, path, **options)).content)

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        raise Refused(_problem(response))


def _problem(response: httpx.Response) -> values.Problem:
    try:
        return values.Problem.model_validate_json(response.content)
    except ValueError:  # a proxy in between has its own words
        return values.Problem(
            type="about:blank",
            title=response.reason_phrase,
            status=response.status_code,
            code="no_answer_of_segue",
            detail=f"The server answered with {response.status_code}, and not in the words of Segue.",
        )


def _idempotent(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key is not None else {}


def _part(text: str) -> str:
    return quote(text, safe="")
