"""The tables of orchestration groups: what they are, what they wait for, and what has come of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from segue.catalog.base import Base, Named, UtcDateTime
from segue.catalog.models import Orchestration


class OrchestrationGroup(Named, Base):
    """Orchestrations that run together. What makes it due: its cron, its signal, the end of another group, or a person."""

    __tablename__ = "orchestration_groups"

    enabled: Mapped[bool] = mapped_column(Boolean)
    cron: Mapped[str | None] = mapped_column(String(255))
    timezone: Mapped[str | None] = mapped_column(String(64))
    missed: Mapped[str | None] = mapped_column(String(10))
    """``run_once`` or ``skip``: what becomes of times at which nothing watched; None without a cron."""
    after_signal: Mapped[str | None] = mapped_column(String(255))
    after_group: Mapped[str | None] = mapped_column(String(255))
    """The other group's name: as an id it would force an order on saving and deleting groups."""
    offset: Mapped[float] = mapped_column(Float)
    """Seconds between being due and starting."""
    only_if_changed: Mapped[bool] = mapped_column(Boolean)

    members: Mapped[list[GroupMember]] = relationship(
        order_by="GroupMember.position", cascade="all, delete-orphan", lazy="selectin"
    )


class GroupMember(Base):
    """One orchestration of a group."""

    __tablename__ = "group_members"

    group_id: Mapped[str] = mapped_column(ForeignKey("orchestration_groups.id"), primary_key=True)
    orchestration_id: Mapped[str] = mapped_column(ForeignKey("orchestrations.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    after: Mapped[list[str]] = mapped_column(JSON)
    """Ids of the orchestrations of the same group that must have succeeded before."""

    orchestration: Mapped[Orchestration] = relationship(lazy="joined")


class Signal(Base):
    """Somebody upstream said that data are ready. Never changed, so that it cannot be lost or taken twice."""

    __tablename__ = "signals"
    __table_args__ = (Index("ix_signals_name_received_at", "name", "received_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GroupRun(Base):
    """One run of a group, from being due on; status as in ``segue.scheduling.status``.

    cause and trigger say why: ``schedule`` and the local time in UTC, ``signal`` and its id, ``group`` and the run that ended,
    ``manual`` and the run's own id. They are unique for a group: whatever happens twice, one cause makes one run.
    """

    __tablename__ = "group_runs"
    __table_args__ = (
        UniqueConstraint("group_id", "cause", "trigger"),
        Index("ix_group_runs_group_id_due_at", "group_id", "due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    group_id: Mapped[str] = mapped_column(String(32))
    group: Mapped[str] = mapped_column(String(255))
    cause: Mapped[str] = mapped_column(String(10))
    trigger: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(30), index=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was to start: the offset is added already."""
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """What the sources looked like before the first member began; None where nobody asked."""
    warnings: Mapped[list[str]] = mapped_column(JSON)

    members: Mapped[list[GroupRunMember]] = relationship(order_by="GroupRunMember.position", lazy="selectin")


class GroupRunMember(Base):
    """How one orchestration fared in a run of its group."""

    __tablename__ = "group_run_members"

    group_run_id: Mapped[str] = mapped_column(ForeignKey("group_runs.id"), primary_key=True)
    orchestration: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    after: Mapped[list[str]] = mapped_column(JSON)
    """Names of the orchestrations before it, as they were when the run began."""
    status: Mapped[str] = mapped_column(String(30))
    run_id: Mapped[str | None] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(Text)
    """Why it failed or was not started; no personal data."""


class GroupCursor(Base):
    """How far the scheduler has looked for what makes a group due."""

    __tablename__ = "group_cursors"

    group_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    triggers: Mapped[Any] = mapped_column(JSON)
    """What the group waited for then, to notice a change."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    """Since when it waits for that: a signal or the end of a group before this moment does not count."""
    looked_until: Mapped[datetime] = mapped_column(UtcDateTime)
    """Times of the schedule up to this moment are dealt with; the offset is not added."""


class SchedulerHeartbeat(Base):
    """One row, the scheduler's sign of life."""

    __tablename__ = "scheduler_heartbeats"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
