"""Commands carried out by a server elsewhere, over its API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Self, TypeVar

import typer

from segue.cli.context import Server
from segue.cli.display import watching
from segue.cli.place import Answer, Asked, Parts
from segue.cli.pointing import pointing_at
from segue.client import Client, Refused, Unreachable, group_values, request_values, state_values, values
from segue.errors import QueryError, SegueError, StateError, UsageError
from segue.security import Secret
from segue.workflow.following import Shown
from segue.workflow.status import RunStatus, TaskStatus

T = TypeVar("T")
_MOST_ROWS = 10_000
"""Rows that a server gives of a query."""
_PAGE = 100
_LOOK = 0.5
"""Seconds between two looks at the run of a group."""


@contextmanager
def connected(server: Server) -> Iterator[Remote]:
    """A server to leave work to. What it refuses, and that nobody answers, is raised as SegueError."""
    with Client(server.url, token=server.token.reveal()) as client, _told():
        yield Remote(client)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise _error(error.problem) from None
    except Unreachable as error:
        steps = (*error.steps, "What was asked for goes on there; look at it later: segue runs")
        raise StateError(str(error), code="server_unreachable", cause=error.cause, steps=steps) from None


def _error(problem: values.Problem) -> SegueError:
    """A problem as the error that it is on the command line."""
    message = "\n".join((problem.detail, *(f"{mistake.at}: {mistake.message}" for mistake in problem.problems)))
    code, cause, steps = problem.code, problem.cause, problem.steps
    if problem.line is not None:
        return QueryError(message, code=code, cause=cause, steps=steps, line=problem.line, column=problem.column)
    error = SegueError(message, code=code, cause=cause, steps=steps)
    error.exit_code = problem.exit_code
    return error


class Remote:
    """A server; see ``Place``. A run that it carries out goes on when the connection breaks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def plan(self, orchestration: str, *, quiet: bool, samples: bool = False) -> values.Plan:  # noqa: ARG002 -- not shown
        """What a run would do. A server does not show how far it is."""
        return self._client.plan(orchestration, samples=samples)

    def is_unfinished(self, orchestration: str) -> bool:
        """Whether a run of it is to be finished first: one that began to send and has not recorded what came of it."""
        for last in islice(self._client.runs(orchestration=orchestration, page=1), 1):
            run = self._client.run(last.run_id)
            recorded = any(task.name == "record" and TaskStatus(task.status).over for task in run.tasks)
            return bool(run.parts) and not recorded and not RunStatus(run.status).succeeded
        return False

    def run(
        self, orchestration: str, *, plan_id: str | None, allow: Collection[str], restart: bool, quiet: bool
    ) -> values.Started:
        """Run an orchestration."""
        return self._ended(
            self._client.start(orchestration, plan_id=plan_id, allow=allow, restart=restart), quiet=quiet
        )

    def undo(self, run_id: str, *, allow: Collection[str], quiet: bool) -> values.Started:
        """Undo a run."""
        return self._ended(self._client.undo(run_id, allow=allow), quiet=quiet)

    def resolutions(self, run_id: str) -> values.Resolutions:
        """The ways out of a run."""
        return self._client.resolutions(run_id)

    def resolve(
        self, run_id: str, action: str, *, list_id: str | None, key: Secret | None, quiet: bool
    ) -> values.Started:
        """Take one of them."""
        given = key.reveal() if key is not None else None
        return self._ended(self._client.resolve(run_id, action, list_id=list_id, api_key=given), quiet=quiet)

    def stop(self, run_id: str) -> values.Run:
        """Ask a run to stop."""
        return self._client.stop(run_id)

    def runs(self, orchestration: str | None, limit: int) -> Sequence[values.Run]:
        """The latest runs."""
        if orchestration is not None:
            self._client.orchestrations.get(orchestration)  # says when there is none of this name
        return list(islice(self._client.runs(orchestration=orchestration, page=min(limit, _PAGE)), limit))

    def show(self, run_id: str) -> values.Run:
        """One run."""
        return self._client.run(run_id)

    def rejects(self, run_id: str, limit: int | None) -> Iterator[values.Reject]:
        """What a run could not send."""
        return islice(self._client.list_rejects(run_id, page=_PAGE), limit)

    def rejects_csv(self, run_id: str) -> Parts:
        """All of it as CSV."""
        return _counted(self._client.rejects_csv(run_id))

    def requests(self, run_id: str) -> request_values.RunRequests:
        """When a run called its destination."""
        return self._client.run_requests(run_id)

    def exchanges(self, run_id: str) -> tuple[request_values.Exchange, ...]:
        """Sampled requests of a run with their answers."""
        return self._client.exchanges(run_id)

    def history(self, email: str) -> Sequence[values.HistoryEntry]:
        """What became of a person."""
        return self._client.history(email)

    def test_connection(self, credential: str) -> state_values.Connection:
        """What a credential opens."""
        return self._client.test_credential(credential)

    def groups(self) -> group_values.GroupStates:
        """How every group stands."""
        return self._client.groups()

    def run_group(self, name: str, *, parallel: int, quiet: bool) -> group_values.GroupRun:  # noqa: ARG002 -- the server's matter
        """Run a group. An interrupt leaves it to the server."""
        run, never = self._client.run_group(name), threading.Event()
        while run.status in ("waiting", "running"):
            never.wait(_LOOK)
            run = self._client.group_run(run.group_run_id)
        return run

    def signal(self, name: str) -> group_values.SignalReceived:
        """Say that upstream data are ready."""
        return self._client.signal(name)

    def activity(self, *, unseen: bool, limit: int) -> Sequence[state_values.Notification]:
        """What happened recently."""
        return list(islice(self._client.notifications(unseen=unseen, page=min(limit, _PAGE)), limit))

    def mark_seen(self, ids: Collection[int]) -> None:
        """Say that these lines were looked at."""
        some = list(ids)
        for start in range(0, len(some), _PAGE):
            self._client.mark_seen(some[start : start + _PAGE])

    def test_alert(self, name: str) -> None:
        """Send a test message of an alert."""
        self._client.test_alert(name)

    @contextmanager
    def rows(self, asked: Asked) -> Iterator[Answer]:
        """The rows of a query."""
        with (
            self._pointing(asked),
            self._client.rows(asked.name, sql=asked.sql, database=asked.database, limit=_limit(asked)) as found,
        ):
            rows = (json.loads(line, parse_float=_Digits) for line in found.lines)
            yield Answer(
                query=found.query,
                database=found.database,
                columns=found.columns,
                rows=_whole(asked, rows, lambda _row: 1),
            )

    @contextmanager
    def rows_csv(self, asked: Asked) -> Iterator[Parts]:
        """The same as CSV."""
        with self._pointing(asked):
            limit = _limit(asked)
            parts = _counted(self._client.rows_csv(asked.name, sql=asked.sql, database=asked.database, limit=limit))
            yield _whole(asked, parts, lambda part: part[1])

    @contextmanager
    def _pointing(self, asked: Asked) -> Iterator[None]:
        """Show the place of a mistake in the SQL."""
        try:
            with _told():
                yield
        except QueryError as error:
            sql = asked.sql or str(self._client.queries.get(asked.name or "").entry["sql"])
            with pointing_at(sql):
                raise error from None

    def _ended(self, started: values.Started, *, quiet: bool) -> values.Started:
        """Show a run until it ends. An interrupt stops it; a second one leaves it to the server."""
        with watching(quiet=quiet) as progress:
            shown = Shown(progress)
            try:
                run = self._followed(started, shown)
            except KeyboardInterrupt:
                typer.echo("stopping: press Ctrl-C again to leave the run to the server", err=True)
                with suppress(Refused):  # it may have ended in the same moment
                    self._client.stop(started.run_id)
                run = self._followed(started, shown)
        return values.Started(**dict(run), resumed=started.resumed)

    def _followed(self, run: values.Run, shown: Shown) -> values.Run:
        for now in self._client.follow(run.run_id, told=shown.show):
            run = now
        return run


class _Digits(float):
    """A number with the digits that it came with."""

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def _limit(asked: Asked) -> int:
    if asked.limit is not None and asked.limit > _MOST_ROWS:
        raise UsageError(
            f"A server gives {_MOST_ROWS:,} rows of a query at most.",
            code="too_many_rows",
            steps=(f"Ask for {_MOST_ROWS} at most, or call `segue query run` on the machine of the server.",),
        )
    return _MOST_ROWS if asked.limit is None else asked.limit


def _whole(asked: Asked, things: Iterable[T], count: Callable[[T], int]) -> Iterator[T]:
    """The same things. Where they hold as many rows as a server gives, it is said that there may be more."""
    total = 0
    for thing in things:
        total += count(thing)
        yield thing
    if asked.limit is None and total == _MOST_ROWS:
        typer.secho(f"warning: a server gives {total:,} rows at most; there may be more", err=True, fg="yellow")


def _counted(parts: Iterable[bytes]) -> Parts:
    """CSV with the rows that each part ends: line breaks outside quotes, the first of which ends the names."""
    quoted, named = False, False
    for part in parts:
        rows = 0
        for piece_number, piece in enumerate(part.split(b'"')):
            quoted ^= piece_number > 0
            rows += 0 if quoted else piece.count(b"\n")
        if rows and not named:
            named, rows = True, rows - 1
        yield part, rows
