"""Asynchronous jobs of an account and the states they pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LIFETIME_SECONDS = 7 * 86_400.0
"""A job and its errors are forgotten this long after their creation."""


@dataclass(kw_only=True, slots=True)
class Job:
    """A bulk import job.

    The rows are kept as the text that came in until they are processed: parsed rows of many waiting jobs would take
    six times the memory.
    """

    id: str
    created: float
    due: float
    """When its rows are applied and it completes."""
    total: int
    list_ids: tuple[str, ...] = ()
    body: bytes = b""
    status: str = "queued"
    completed: int = 0
    failed: int = 0
    started_at: float | None = None
    completed_at: float | None = None
    cancel_after: int | None = None
    """Rows to apply before the job ends as cancelled; None: it runs to its end."""
    profile_ids: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it has yet to end."""
        return self.status in ("queued", "processing")

    def status_at(self, now: float) -> str:
        """``processing`` begins halfway between creation and completion."""
        if self.status == "queued" and self.due > self.created and now >= self.start:
            return "processing"
        return self.status

    @property
    def start(self) -> float:
        """When processing begins, in seconds."""
        return round(self.created + (self.due - self.created) / 2, 6)

    @property
    def expires(self) -> float:
        """When the job is forgotten, in seconds."""
        return self.created + LIFETIME_SECONDS

    def cancel(self, now: float, *, after_rows: int = 0) -> None:
        """End as cancelled: at once, or after some rows of a job that is not yet being processed."""
        if not self.open:
            return
        if after_rows:
            self.cancel_after = after_rows
            return
        self.status, self.completed_at, self.body = "cancelled", now, b""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionJob:
    """A suppress or unsuppress job; it is done when it is created."""

    id: str
    kind: str
    created: float
    total: int
    completed: int
    skipped: int
    list_id: str | None = None
    segment_id: str | None = None
