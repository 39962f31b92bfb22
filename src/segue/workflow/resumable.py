"""Which runs can be taken up again."""

from __future__ import annotations

from segue.errors import UsageError
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.status import RunStatus, TaskStatus

_OVER = (RunStatus.COMPLETED, RunStatus.WARNINGS)


def resumable(records: RunRecords, run_id: str) -> RunRecord:
    """The run, where its work can go on: it has not ended well, was not given up, and none came after it.

    What a run staged is true only on top of the baseline of its time. Raises UsageError otherwise.
    """
    run = records.get(run_id)
    recorded = run.task("record")
    if run.status in _OVER or (recorded and recorded.status in (TaskStatus.SUCCEEDED, TaskStatus.SKIPPED)):
        raise UsageError(
            f"Run {run.id} is over: {run.status}.",
            code="run_over",
            steps=("Begin a new run: segue run ORCHESTRATION",),
        )
    latest = records.recent(orchestration_id=run.orchestration_id, limit=1)[0]
    if latest.id != run.id:
        raise UsageError(
            f"Run {run.id} was overtaken by run {latest.id} of the same orchestration.",
            code="run_overtaken",
            steps=(f"Look at that one: segue resolve {latest.id}", "Or begin a new run: segue run ORCHESTRATION"),
        )
    return run
