"""Commands carried out in the workspace of this machine: by its server where one works, else in this process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice

import pyarrow as pa
import typer

from segue import failpoints
from segue.alerts import Alerts, mark_seen, recent_activity
from segue.audience.rows import REJECTS_SCHEMA
from segue.catalog.base import now
from segue.cli.display import watching
from segue.cli.group_running import run_group
from segue.cli.place import Answer, Asked, Parts
from segue.cli.pointing import pointing_at
from segue.client import group_values, request_values, state_values, values
from segue.resolutions import Action
from segue.scheduling import record_signal
from segue.scheduling.signals import hint_for
from segue.security import Secret
from segue.services.connections import check_connection
from segue.services.exchanges import exchanges, run_requests
from segue.services.history import history, orchestration_id
from segue.services.queries import SavedQuery, answering, find_database, find_query
from segue.services.rejects import rejects
from segue.services.rows import csv_parts, rows_of
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.wire import (
    connection_of,
    exchange_of,
    group_run_of,
    group_states_of,
    history_entry_of,
    notification_of,
    plan_of,
    reject_of,
    resolutions_of,
    run_of,
    run_requests_of,
    started_of,
)
from segue.workflow.following import resolve_by_server, run_by_server, undo_by_server
from segue.workflow.grouping import scheduler_of
from segue.workflow.records import RunRecords
from segue.workflow.requests import request_stop
from segue.workflow.resolve import offer, resolve
from segue.workflow.run import Ended, Runner
from segue.workflow.sync import plan, plan_with_samples

_BATCH = 10_000
"""Rejects that are written at once."""


class Local:
    """An open workspace; see ``Place``."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._workspace = workspace
        self._settings = settings
        self._records = RunRecords(workspace.catalog)

    def plan(self, orchestration: str, *, quiet: bool, samples: bool = False) -> values.Plan:
        """What a run would do."""
        with self._running(quiet=quiet) as runner:
            if not samples:
                return plan_of(plan(runner, orchestration))
            sampled = plan_with_samples(runner, orchestration)
            return plan_of(sampled.plan, sampled.samples)

    def is_unfinished(self, orchestration: str) -> bool:
        """Whether a run of it is to be finished first."""
        with self._workspace.catalog.session(read_only=True) as session:
            found = orchestration_id(session, orchestration)
        return self._records.unfinished(found) is not None

    def run(
        self, orchestration: str, *, plan_id: str | None, allow: Collection[str], restart: bool, quiet: bool
    ) -> values.Started:
        """Run an orchestration."""
        with self._running(quiet=quiet) as runner:
            return _started(
                run_by_server(runner, orchestration, plan_id=plan_id, allowed=allow, restart=restart)
                or runner.run(orchestration, plan_id=plan_id, allowed=allow, restart=restart)
            )

    def undo(self, run_id: str, *, allow: Collection[str], quiet: bool) -> values.Started:
        """Undo a run."""
        with self._running(quiet=quiet) as runner:
            return _started(undo_by_server(runner, run_id, allowed=allow) or runner.undo(run_id, allowed=allow))

    def resolutions(self, run_id: str) -> values.Resolutions:
        """The ways out of a run."""
        with self._running(quiet=True) as runner:
            return resolutions_of(offer(runner, run_id))

    def resolve(
        self, run_id: str, action: str, *, list_id: str | None, key: Secret | None, quiet: bool
    ) -> values.Started:
        """Take one of them."""
        chosen = Action(action)
        with self._running(quiet=quiet) as runner:
            if ended := resolve_by_server(runner, run_id, chosen, list_id=list_id, key=key):
                return _started(ended)
            run = resolve(runner, run_id, chosen, list_id=list_id, key=key)
            return started_of(run, resumed=run.id.startswith(run_id))

    def stop(self, run_id: str) -> values.Run:
        """Ask a run of the server to stop."""
        return run_of(request_stop(self._workspace, run_id))

    def runs(self, orchestration: str | None, limit: int) -> Sequence[values.Run]:
        """The latest runs."""
        wanted = None
        if orchestration is not None:
            with self._workspace.catalog.session(read_only=True) as session:
                wanted = orchestration_id(session, orchestration)
        return [run_of(run) for run in self._records.recent(orchestration_id=wanted, limit=limit)]

    def show(self, run_id: str) -> values.Run:
        """One run."""
        record = self._records.get(run_id)
        return run_of(record, parts=self._records.states(record.id))

    def rejects(self, run_id: str, limit: int | None) -> Iterator[values.Reject]:
        """What a run could not send."""
        return map(reject_of, islice(rejects(self._workspace, self._records.get(run_id).id), limit))

    def rejects_csv(self, run_id: str) -> Parts:
        """All of it as CSV."""
        found = rejects(self._workspace, self._records.get(run_id).id)

        def batches() -> Iterator[pa.RecordBatch]:
            while some := [asdict(reject) for reject in islice(found, _BATCH)]:
                yield pa.RecordBatch.from_pylist(some, schema=REJECTS_SCHEMA)

        return csv_parts(REJECTS_SCHEMA, batches())

    def requests(self, run_id: str) -> request_values.RunRequests:
        """When a run called its destination."""
        found = self._records.get(run_id).id
        return run_requests_of(found, run_requests(self._workspace, found))

    def exchanges(self, run_id: str) -> tuple[request_values.Exchange, ...]:
        """Sampled requests of a run with their answers."""
        return tuple(map(exchange_of, exchanges(self._workspace, self._records.get(run_id).id)))

    def history(self, email: str) -> Sequence[values.HistoryEntry]:
        """What became of a person."""
        return [history_entry_of(entry) for entry in history(self._workspace, self._settings, email)]

    def test_connection(self, credential: str) -> state_values.Connection:
        """What a credential opens."""
        return connection_of(check_connection(self._workspace, self._settings, credential))

    def groups(self) -> group_values.GroupStates:
        """How every group stands."""
        return group_states_of(scheduler_of(self._workspace), now=now())

    def run_group(self, name: str, *, parallel: int, quiet: bool) -> group_values.GroupRun:
        """Run a group."""
        return group_run_of(run_group(self._workspace, self._settings, name, parallel=parallel, quiet=quiet))

    def signal(self, name: str) -> group_values.SignalReceived:
        """Say that upstream data are ready."""
        catalog = self._workspace.catalog
        due = tuple(group.name for group in record_signal(catalog, name))
        return group_values.SignalReceived(name=name, due=due, hint="" if due else hint_for(catalog, name))

    def activity(self, *, unseen: bool, limit: int) -> Sequence[state_values.Notification]:
        """What happened recently."""
        catalog, who = self._workspace.catalog, self._workspace.actor.person
        return [notification_of(line) for line in recent_activity(catalog, reader=who, unseen=unseen, limit=limit)]

    def mark_seen(self, ids: Collection[int]) -> None:
        """Say that these lines were looked at."""
        mark_seen(self._workspace.catalog, ids, reader=self._workspace.actor.person)

    def test_alert(self, name: str) -> None:
        """Send a test message of an alert."""
        Alerts(self._workspace.catalog, self._workspace.box).test(name)

    @contextmanager
    def rows(self, asked: Asked) -> Iterator[Answer]:
        """The rows of a query."""
        with self._answering(asked) as (query, reader):
            columns = [{"name": column.name, "type": str(column.type)} for column in reader.schema]
            yield Answer(query=query.name, database=query.database.name, columns=columns, rows=rows_of(reader))

    @contextmanager
    def rows_csv(self, asked: Asked) -> Iterator[Parts]:
        """The same as CSV."""
        with self._answering(asked, download=True) as (_, reader):
            yield csv_parts(reader.schema, reader)

    @contextmanager
    def _answering(self, asked: Asked, *, download: bool = False) -> Iterator[tuple[SavedQuery, pa.RecordBatchReader]]:
        with self._workspace.catalog.session(read_only=True) as session:
            if asked.name is not None:
                query = find_query(session, asked.name)
            else:
                query = SavedQuery(name=None, sql=asked.sql or "", database=find_database(session, asked.database))
        answer = answering(query, self._settings, workspace=self._workspace, limit=asked.limit, download=download)
        with pointing_at(query.sql), answer as reader:
            yield query, reader

    @contextmanager
    def _running(self, *, quiet: bool) -> Iterator[Runner]:
        """A runner that stops cleanly on Ctrl-C: the first one lets calls on their way end, the second does not wait."""
        stop = threading.Event()
        if self._settings.failpoint:
            failpoints.arm(self._settings.failpoint)

        def interrupt(number: int, frame: object) -> None:
            if stop.is_set():
                signal.default_int_handler(number, frame)  # type: ignore[arg-type]
            stop.set()
            typer.echo("stopping: what is on its way is finished, press Ctrl-C again to stop at once", err=True)
            signal.default_int_handler(number, frame)  # type: ignore[arg-type]

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            with watching(quiet=quiet) as progress:
                yield Runner(workspace=self._workspace, settings=self._settings, progress=progress, stop=stop)
        except Exception:
            # DuckDB and Arrow turn a Ctrl-C that reaches them while they read our rows into an error of their own.
            if not stop.is_set():
                raise
            raise KeyboardInterrupt from None
        finally:
            signal.signal(signal.SIGINT, before)


def _started(ended: Ended) -> values.Started:
    return started_of(ended.run, resumed=ended.resumed)
