"""Where a command is carried out: in the workspace of this machine, or by a server elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from segue.cli.context import server, settings, workspace

if TYPE_CHECKING:
    from segue.client import group_values, request_values, state_values, values
    from segue.security import Secret

Parts = Iterable[tuple[bytes, int]]
"""CSV as it grows: bytes and how many rows they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows are asked for: those of a saved query, or of SQL. limit: at most so many, None for all."""

    name: str | None = None
    sql: str | None = None
    database: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows as they come. columns: ``name`` and ``type`` of each."""

    query: str | None
    database: str
    columns: Sequence[Mapping[str, str]]
    rows: Iterator[Sequence[Any]]


class Place(Protocol):
    """What can be done at either place. quiet: no progress is shown. Every method raises SegueError; an interrupt of one that
    runs something stops the run cleanly, a second one does not wait for that."""

    def plan(self, orchestration: str, *, quiet: bool, samples: bool = False) -> values.Plan:
        """What a run would do. samples: with up to 20 people of each kind."""

    def is_unfinished(self, orchestration: str) -> bool:
        """Whether a run of it is to be finished first."""

    def run(
        self, orchestration: str, *, plan_id: str | None, allow: Collection[str], restart: bool, quiet: bool
    ) -> values.Started:
        """Run an orchestration; the run as it ended."""

    def undo(self, run_id: str, *, allow: Collection[str], quiet: bool) -> values.Started:
        """Undo a run; the run that did it, as it ended."""

    def resolutions(self, run_id: str) -> values.Resolutions:
        """The ways out of a run."""

    def resolve(
        self, run_id: str, action: str, *, list_id: str | None, key: Secret | None, quiet: bool
    ) -> values.Started:
        """Take one of them; the run that came of it, as it ended."""

    def stop(self, run_id: str) -> values.Run:
        """Ask a run to stop."""

    def runs(self, orchestration: str | None, limit: int) -> Sequence[values.Run]:
        """The latest runs, newest first."""

    def show(self, run_id: str) -> values.Run:
        """One run, with tasks and deliveries."""

    def rejects(self, run_id: str, limit: int | None) -> Iterator[values.Reject]:
        """What a run could not send."""

    def rejects_csv(self, run_id: str) -> Parts:
        """All of it as CSV."""

    def requests(self, run_id: str) -> request_values.RunRequests:
        """When a run called its destination."""

    def exchanges(self, run_id: str) -> tuple[request_values.Exchange, ...]:
        """Sampled requests of a run with their answers."""

    def history(self, email: str) -> Sequence[values.HistoryEntry]:
        """What became of a person, newest first."""

    def test_connection(self, credential: str) -> state_values.Connection:
        """What a credential opens."""

    def groups(self) -> group_values.GroupStates:
        """How every group stands."""

    def run_group(self, name: str, *, parallel: int, quiet: bool) -> group_values.GroupRun:
        """Run a group; its run as it ended. parallel: members at once, where no server decides that."""

    def signal(self, name: str) -> group_values.SignalReceived:
        """Say that upstream data are ready."""

    def activity(self, *, unseen: bool, limit: int) -> Sequence[state_values.Notification]:
        """What happened recently, newest first."""

    def mark_seen(self, ids: Collection[int]) -> None:
        """Say that these lines were looked at."""

    def test_alert(self, name: str) -> None:
        """Send a test message of an alert."""

    def rows(self, asked: Asked) -> AbstractContextManager[Answer]:
        """The rows of a query."""

    def rows_csv(self, asked: Asked) -> AbstractContextManager[Parts]:
        """The same as CSV."""


@contextmanager
def place() -> Iterator[Place]:
    """The place that the user chose: a server where one is named, else the workspace at SEGUE_HOME."""
    chosen = server()
    if chosen is None:
        from segue.cli.local import Local  # noqa: PLC0415 -- loads DuckDB, Arrow and SQLAlchemy

        with workspace() as opened:
            yield Local(opened, settings())
    else:
        from segue.cli.remote import connected  # noqa: PLC0415 -- loads httpx

        with connected(chosen) as remote:
            yield remote
