"""The table of what came of the last check of each credential's connection."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime, now


class ConnectionCheck(Base):
    """sound: whether runs can use it; said: a sentence for people, without secrets; by: name of who checked."""

    __tablename__ = "connection_checks"

    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    by: Mapped[str] = mapped_column(String(255))
    sound: Mapped[bool] = mapped_column(Boolean)
    said: Mapped[str] = mapped_column(Text)
