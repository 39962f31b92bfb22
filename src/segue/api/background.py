"""Starting and stopping runs: the API asks, workers carry out."""

from __future__ import annotations

from typing import Protocol

from segue.scheduling import GroupRecord
from segue.services.workspace import Workspace
from segue.workflow.grouping import request_group
from segue.workflow.queue import WhenBusy
from segue.workflow.requests import Options, Requested, request_run, request_stop, request_undo
from segue.workflow.ways import Queued, Way


class Starter(Protocol):
    """How the API starts and stops runs."""

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Ask for a run of an orchestration. workspace: of who asks; when_busy: while another one is under way.

        Raises UsageError, BusyError ``run_under_way``.
        """

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Ask for the undo of a run. workspace: of who asks. Raises UsageError, BusyError."""

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        """Ask for a run of a group. workspace: of who asks. Raises UsageError, BusyError ``group_under_way``."""

    def way(self, workspace: Workspace) -> Way:
        """Who carries out what a resolution asks for. workspace: of who asks."""

    def stop(self, workspace: Workspace, run_id: str) -> None:
        """Ask a run to stop. workspace: of who asks. Raises UsageError for one that is over, or that a command works on."""

    def close(self) -> None:
        """Let what is under way come to a clean stop."""


class WorkerStarter:
    """Leaves the runs to workers."""

    def start(self, workspace: Workspace, name: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """Put the run where the workers find it."""
        return request_run(workspace, name, started_by="api", options=options, when_busy=when_busy)

    def undo(self, workspace: Workspace, run_id: str, options: Options, when_busy: WhenBusy = "refuse") -> Requested:
        """As ``start``."""
        return request_undo(workspace, run_id, started_by="api", options=options, when_busy=when_busy)

    def start_group(self, workspace: Workspace, name: str) -> GroupRecord:
        """Leave it to the server's scheduler."""
        return request_group(workspace, name)

    def way(self, workspace: Workspace) -> Way:
        """The workers."""
        return Queued(workspace=workspace, started_by="api")

    def stop(self, workspace: Workspace, run_id: str) -> None:
        """Tell the worker."""
        request_stop(workspace, run_id)

    def close(self) -> None:
        """Nothing: the workers end by themselves."""
