"""What a run is, in words and numbers: no elements, so that it can be told anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from segue.delivery.words import counted
from segue.services.limits import calls_a_minute
from segue.workflow.phases import pass_outcome
from segue.workflow.records import RunRecord, TaskRecord
from segue.workflow.tasks import summary
from segue.workflow.watching import Watched

STAGES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Prepare",
        (
            ("query", "Query"),
            ("validate", "Check the rows"),
            ("compare", "Compare"),
            ("fuses", "Check the fuses"),
            ("list", "Find or make the list"),
        ),
    ),
    ("Send", (("send", "Send"), ("confirm", "Confirm"), ("clear", "Clear fields"), ("remove", "Remove leavers"))),
    ("Finish", (("reconcile", "Read back and reconcile"), ("record", "Record"))),
)
"""The tasks of a run by stage, with what they are called."""
OUTCOMES = ("added", "changed", "unchanged", "cleared", "removed", "rejected", "duplicates", "warned")
_UNKNOWN = "\N{EN DASH}"
_BOXES = (
    ("source", "Rows in"),
    ("added", "Added"),
    ("changed", "Changed"),
    ("cleared", "Cleared"),
    ("removed", "Removed"),
    ("rejected", "Rejected"),
)


def boxes(run: RunRecord, now: datetime) -> tuple[tuple[str, str], ...]:
    """What the boxes of a run are called, and what is in them."""
    counts = run.counts or {k: v for k, v in pass_outcome(run.tasks).items() if k in ("source", "rejected")}
    return (
        *((label, _number(counts.get(name))) for name, label in _BOXES),
        ("Requests", _number(sum(run.requests.values()) if run.requests else None)),
        ("Time", duration((run.ended_at or now) - run.started_at)),
    )


def outcomes(run: RunRecord) -> list[tuple[str, int]]:
    """Rows by what became of them; while the run goes on by what is known of them."""
    if run.counts:
        return [(name.capitalize(), run.counts[name]) for name in OUTCOMES if run.counts.get(name)]
    found = pass_outcome(run.tasks)
    so_far = {
        "To send": found.get("added", 0) + found.get("changed", 0),
        "Unchanged": found.get("unchanged", 0),
        "To remove": found.get("removed", 0),
        "Rejected": found.get("rejected", 0),
        "Duplicates": found.get("duplicates", 0),
    }
    return [(name, number) for name, number in so_far.items() if number]


def task_line(task: TaskRecord, now: datetime) -> str:
    """How far a task is, or what came of it."""
    progress = task.progress
    if progress is None:
        return summary(task.outcome)
    done, total, unit = progress.get("done", 0), progress.get("total"), progress.get("unit", "")
    parts = [f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"]
    if total and done and task.started_at is not None:
        left = (now - task.started_at) * ((total - done) / done)
        parts.append(f"about {duration(left)} left")
    return ", ".join([*parts, *_wait(task, now)])


def _wait(task: TaskRecord, now: datetime) -> list[str]:
    progress = task.progress or {}
    if "until" not in progress:
        return []
    seconds = (datetime.fromisoformat(progress["until"]) - now).total_seconds()
    if seconds <= 0:
        return []
    minute = calls_a_minute(progress["waits_for"])
    window = f"the {minute:g}/min window" if minute else "the window"
    return [f"waiting for {window} of {progress['waits_for']}, {seconds:.0f} s"]


def share(task: TaskRecord) -> float | None:
    """How far a task is, from 0 to 1; None where it is not at work or nobody knows."""
    progress = task.progress or {}
    return progress["done"] / progress["total"] if progress.get("total") else None


def undo_text(run: RunRecord) -> tuple[str, ...]:
    """What an undo of a run puts back, and what it does not, a sentence each."""
    added, removed = run.counts.get("added") or 0, run.counts.get("removed") or 0
    touched = run.counts.get("changed") or 0
    back = [
        *([f"{counted(added, 'person', 'people')} that this run added leave the list."] if added else []),
        *([f"{counted(removed, 'person', 'people')} that it removed come back to it."] if removed else []),
    ]
    stays = ["Not put back: profiles stay in Klaviyo, with the fields that were sent."]
    if touched:
        profiles = counted(touched, "profile keeps", "profiles keep")
        stays.append(f"{profiles} what the run changed or cleared: Klaviyo does not keep old values.")
    return (*back, *stays, "Only what is still so today is put back; the next run sends what the query then says.")


def duration(length: timedelta) -> str:
    """A length of time as people say it."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004 -- two digits are enough
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def title(run: RunRecord) -> str:
    """What a run is called."""
    return f"Undo: {run.orchestration}" if run.kind == "undo" else run.orchestration


def notes(watched: Watched) -> Sequence[str]:
    """Sentences that are good to know and no warnings."""
    told: Sequence[str] = pass_outcome(watched.run.tasks).get("notes", [])
    return told


def warnings(watched: Watched) -> Sequence[str]:
    """What did not go as it should; while the run goes on, as far as its tasks have said so."""
    if watched.run.warnings:
        return watched.run.warnings
    return [text for task in watched.tasks for text in task.outcome.get("warnings", [])]


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"
