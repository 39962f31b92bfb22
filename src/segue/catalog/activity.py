"""The tables of what people are told: recent activity, alerts, and how things stood when an alert last spoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, Named, UtcDateTime


class Activity(Base):
    """One line of the recent activity. kind is ``running``, ``completed``, ``warning`` or ``error``."""

    __tablename__ = "activity"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    run_id: Mapped[str | None] = mapped_column(String(32), index=True)


class ActivitySeen(Base):
    """Somebody has looked at a line. reader: id of the user; the name of who is none."""

    __tablename__ = "activity_seen"

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(255), primary_key=True)


class Alert(Named, Base):
    """Who is told of what. ``sealed`` is the ciphertext of the address, which is a secret."""

    __tablename__ = "alerts"

    sealed: Mapped[str] = mapped_column(Text)
    when: Mapped[list[Any]] = mapped_column(JSON)
    """Conditions as they stand in a file; see ``segue.alerts.conditions``."""
    orchestrations: Mapped[list[str]] = mapped_column(JSON)
    """Names; empty: all of them."""


class AlertState(Base):
    """How one condition of an alert stood when it was last looked at: a message is sent when this changes."""

    __tablename__ = "alert_states"

    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Id of the orchestration, or the name of a group."""
    condition: Mapped[str] = mapped_column(String(30), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    count: Mapped[int | None] = mapped_column(Integer)
    """Source rows at that time."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
