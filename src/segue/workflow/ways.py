"""Who carries out what a resolution asks for: this process, or the workers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from segue.catalog.base import now
from segue.delivery.budget import Interrupted
from segue.services.workspace import Workspace
from segue.workflow.queue import StartedBy
from segue.workflow.records import RunRecord
from segue.workflow.requests import Options, Requested, request_resume, request_run, request_undo

if TYPE_CHECKING:
    from segue.workflow.run import Runner


class Way(Protocol):
    """Every method returns the run that is carried out; see ``Runner``."""

    def resume(
        self,
        run_id: str,
        *,
        allowed: Collection[str] = (),
        settings: Mapping[str, Any] | None = None,
        read_back: bool = True,
        not_before: datetime | None = None,
    ) -> RunRecord:
        """Go on from the task that failed. not_before: a moment to be waited for."""

    def run(self, name: str, *, restart: bool = False, max_rows: int | None = None) -> RunRecord:
        """Run an orchestration. max_rows: as a test send of at most so many members."""

    def undo(self, run_id: str) -> RunRecord:
        """Undo a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This process, at once; the runs that it returns have ended. clock: what the moment is compared with."""

    runner: Runner
    clock: Callable[[], datetime] = now

    def resume(
        self,
        run_id: str,
        *,
        allowed: Collection[str] = (),
        settings: Mapping[str, Any] | None = None,
        read_back: bool = True,
        not_before: datetime | None = None,
    ) -> RunRecord:
        """Raises Interrupted when the user ends the wait."""
        left = (not_before - self.clock()).total_seconds() if not_before else 0
        if left > 0 and self.runner.stop.wait(left):
            raise Interrupted
        return self.runner.resume(run_id, allowed=allowed, settings=settings, read_back=read_back)

    def run(self, name: str, *, restart: bool = False, max_rows: int | None = None) -> RunRecord:
        """As ``segue run``."""
        return self.runner.run(name, restart=restart, max_rows=max_rows).run

    def undo(self, run_id: str) -> RunRecord:
        """As ``segue undo``."""
        return self.runner.undo(run_id).run


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """The workers; the runs that it returns wait for one. put: told of each of them."""

    workspace: Workspace
    started_by: StartedBy = "user"
    put: Callable[[Requested], object] = lambda _asked: None

    def resume(
        self,
        run_id: str,
        *,
        allowed: Collection[str] = (),
        settings: Mapping[str, Any] | None = None,
        read_back: bool = True,
        not_before: datetime | None = None,
    ) -> RunRecord:
        """Raises BusyError while somebody is at a run of the orchestration."""
        options = Options(allowed=tuple(allowed), read_back=read_back, not_before=not_before)
        return self._put(
            request_resume(self.workspace, run_id, started_by=self.started_by, options=options, settings=settings)
        )

    def run(self, name: str, *, restart: bool = False, max_rows: int | None = None) -> RunRecord:
        """As ``request_run``."""
        options = Options(restart=restart, max_rows=max_rows)
        return self._put(request_run(self.workspace, name, started_by=self.started_by, options=options))

    def undo(self, run_id: str) -> RunRecord:
        """As ``request_undo``."""
        return self._put(request_undo(self.workspace, run_id, started_by=self.started_by))

    def _put(self, asked: Requested) -> RunRecord:
        self.put(asked)
        return asked.run
