"""The tables of what was run: runs, their tasks, what was delivered, and what the destination has acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime

ENDED_WELL = ("completed", "completed with warnings")
"""The values of ``Run.status`` of a run that did all it was to do."""


class Run(Base):
    """One execution of an orchestration. kind is ``sync`` or ``undo``; status as in ``segue.workflow.status``."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_orchestration_id_started_at", "orchestration_id", "started_at"),
        Index("ix_runs_status_started_at", "status", "started_at"),
        # All that a search by text looks at, in the order of the list.
        Index("ix_runs_search", "started_at", "id", "orchestration", "list_name"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    orchestration_id: Mapped[str] = mapped_column(String(32))
    orchestration: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    undoes: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(30))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    plan_id: Mapped[str | None] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The merged template settings that this run goes by, from its start to its end."""
    account_id: Mapped[str | None] = mapped_column(String(64))
    list_id: Mapped[str | None] = mapped_column(String(64))
    list_name: Mapped[str | None] = mapped_column(String(255))
    list_created: Mapped[bool] = mapped_column(Boolean)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    requests: Mapped[dict[str, int]] = mapped_column(JSON)
    warnings: Mapped[list[str]] = mapped_column(JSON)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    started_by: Mapped[str] = mapped_column(String(20), server_default="user")
    """``user``, ``api``, ``signal`` or ``schedule``."""
    priority: Mapped[int] = mapped_column(Integer, server_default="10")
    """Among the waiting runs of an account the lowest number starts first."""
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    """How often the run was given to the workers."""
    options: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    """What was asked for with it; see ``segue.workflow.requests.Options``."""
    credential_id: Mapped[str | None] = mapped_column(String(32))
    worker_id: Mapped[str | None] = mapped_column(String(32))
    """The worker that carries it out, or did; None for a run in the process of a command."""


class Task(Base):
    """One step of a run. ``outcome`` is what later steps and readers need of it, without personal data."""

    __tablename__ = "tasks"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """``done``, ``total`` and ``unit`` while a worker is at it."""


class DeliveryPart(Base):
    """See ``segue.delivery.ledger.Part``."""

    __tablename__ = "delivery_parts"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    start: Mapped[int] = mapped_column(Integer, primary_key=True)
    stop: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    job: Mapped[str | None] = mapped_column(String(64))


class DeliveryReject(Base):
    """See ``segue.delivery.ledger.RowReject``."""

    __tablename__ = "delivery_rejects"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    at_submit: Mapped[bool] = mapped_column(Boolean)
    key: Mapped[str] = mapped_column(Text, index=True)
    field: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)


class AudienceSnapshot(Base):
    """What the destination holds of an orchestration; see ``segue.audience.snapshot.Snapshot``."""

    __tablename__ = "audience_snapshots"

    orchestration_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    account_id: Mapped[str] = mapped_column(String(64))
    list_id: Mapped[str] = mapped_column(String(64))
    list_name: Mapped[str] = mapped_column(String(255))
    """The name that the template asked for when the list was found; another name now means another list."""
    columns: Mapped[list[str]] = mapped_column(JSON)
    rows: Mapped[int] = mapped_column(Integer)
    segments: Mapped[list[str]] = mapped_column(JSON)
    """File names under the orchestration's snapshot folder, oldest first."""
    run_id: Mapped[str] = mapped_column(String(32))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProfileId(Base):
    """A profile id that the destination told us, by account and key."""

    __tablename__ = "profile_ids"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(254), primary_key=True)
    profile_id: Mapped[str] = mapped_column(String(64))
