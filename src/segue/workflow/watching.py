"""A run as somebody looks at it, while it goes on and after."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from segue.catalog.runs import Run
from segue.errors import UsageError
from segue.services.workspace import Workspace
from segue.workflow.outline import outline
from segue.workflow.records import RunRecord, RunRecords, TaskRecord

LATEST = "latest"
"""Stands for the id of the run that began last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """tasks: all of them, those that have not begun too; undone_by: id of the undo that took the run back."""

    run: RunRecord
    tasks: tuple[TaskRecord, ...]
    undone_by: str | None

    @property
    def changed_membership(self) -> bool:
        """Whether the run put somebody on the list or took somebody off it, so that an undo has something to do."""
        return bool(self.run.counts.get("added") or self.run.counts.get("removed"))

    @property
    def can_be_undone(self) -> bool:
        """Whether an undo makes sense: the run ended well, changed who is on the list, and was not taken back."""
        return self.run.status.succeeded and self.changed_membership and self.undone_by is None


def watch(workspace: Workspace, run_id: str) -> Watched:
    """A run as it stands now. run_id: the whole id, an unambiguous beginning, or ``latest``. Raises UsageError."""
    workspace.actor.require("runs.read")
    records = RunRecords(workspace.catalog)
    run = records.get(_latest(workspace) if run_id == LATEST else run_id)
    undo = records.in_effect(run.id) if run.status.succeeded else None
    return Watched(run=run, tasks=outline(run), undone_by=undo.id if undo else None)


def _latest(workspace: Workspace) -> str:
    query = select(Run.id).order_by(Run.started_at.desc(), Run.id.desc()).limit(1)
    with workspace.catalog.session(read_only=True) as session:
        found = session.scalars(query).one_or_none()
    if found is None:
        raise UsageError(
            "No run has begun yet.", code="unknown_run", steps=("Run an orchestration: its run is shown here then.",)
        )
    return found
