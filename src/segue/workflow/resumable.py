"""Which runs can be taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.errors import UsageError
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.status import RunStatus

_OPEN = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.RUNNING)
"""``running`` is a run whose process died: whoever asks holds the lock of its orchestration."""
_HOPELESS = frozenset({"list_gone", "every_row_refused"})
"""Errors after which a run cannot go on; the next one keeps what was acknowledged and begins anew."""


def is_hopeless(error: Mapping[str, Any] | None) -> bool:
    """Whether a run that ended with this error can only be settled."""
    return error is not None and error["code"] in _HOPELESS


def resumable(records: RunRecords, run_id: str) -> RunRecord:
    """The run, where its work can go on: it has not ended well, was not given up, and none came after it.

    What a run staged is true only on top of the baseline of its time. Raises UsageError otherwise.
    """
    run = records.get(run_id)
    if run.status not in _OPEN or run.settled or is_hopeless(run.error):
        raise UsageError(
            f"Run {run.id} has nothing left to go on with: it is {run.status}, was given up, or can only be begun anew.",
            code="run_over",
            steps=(f'Begin a new run: segue run "{run.orchestration}"',),
        )
    latest = records.recent(orchestration_id=run.orchestration_id, limit=1)[0]
    if latest.id != run.id:
        raise UsageError(
            f"Run {run.id} was overtaken by run {latest.id} of the same orchestration.",
            code="run_overtaken",
            steps=(
                f"Look at that one: segue resolve {latest.id}",
                f'Or begin a new run: segue run "{run.orchestration}"',
            ),
        )
    return run


def undoable(records: RunRecords, run_id: str) -> RunRecord:
    """The run, unless an undo took it back already. Raises UsageError ``already_undone``."""
    run = records.get(run_id)
    if undo := records.in_effect(run.id):
        raise UsageError(
            f"Run {run.id} was already undone by run {undo.id}.",
            code="already_undone",
            steps=(
                f"See what that one did: segue show {undo.id}",
                f'To take back what a later run did, undo that one: segue runs --orchestration "{run.orchestration}"',
            ),
        )
    return run


def finish_first(run: RunRecord) -> UsageError:
    """The error of what cannot be begun beside an unfinished run."""
    return UsageError(
        f"Run {run.id} of this orchestration is unfinished.",
        code="unfinished_run",
        steps=(
            f'Finish it first: segue run "{run.orchestration}"',
            f'Or give it up, keeping what was acknowledged: segue run "{run.orchestration}" --restart',
        ),
    )
