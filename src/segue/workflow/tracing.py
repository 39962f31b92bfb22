"""What spans say of runs and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from segue import traces
from segue.workflow.records import RunRecord


def run_span(run: RunRecord) -> AbstractContextManager[traces.Span]:
    """One attempt at a run: from its begin, or from where it is taken up, to its end."""
    values: dict[str, traces.Value] = {
        "segue.run.id": run.id,
        "segue.run.kind": run.kind,
        "segue.run.attempt": max(run.attempt, 1),
        "segue.run.started_by": run.started_by,
        "segue.orchestration.id": run.orchestration_id,
    }
    return traces.span("run", values)


def note_run(span: traces.Span, run: RunRecord) -> None:
    """How the run stands at the end of the attempt: its status, and rows by outcome."""
    known = {"segue.account.id": run.account_id, "segue.list.id": run.list_id}
    span.note({"segue.run.status": str(run.status), **{name: value for name, value in known.items() if value}})
    span.note({f"segue.rows.{name}": count for name, count in _numbers(run.counts)})
    if run.error:
        span.fail(str(run.error["code"]))


def task_span(run: RunRecord, name: str, attempt: int) -> AbstractContextManager[traces.Span]:
    """A task of a run. attempt: from 1."""
    return traces.span(f"task {name}", {"segue.run.id": run.id, "segue.task": name, "segue.task.attempt": attempt})


def note_task(span: traces.Span, status: str, outcome: Mapping[str, Any], *, error: str | None = None) -> None:
    """How the task ended: its status, the numbers of its outcome, the code of its error."""
    if error is not None:
        span.fail(error)
    span.note({"segue.task.status": status, **{f"segue.rows.{name}": count for name, count in _numbers(outcome)}})


def _numbers(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The numbers at the top: below are counts by names of columns, of which there may be many."""
    for name, value in values.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield name, value
