"""The table of the processes that carry runs out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime


class Worker(Base):
    """One process. It counts as gone when ``seen_at`` is long ago; then another one takes its runs over."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    process: Mapped[str] = mapped_column(String(63), server_default="")
    """The name of its connections in PostgreSQL; see ``Catalog.process``."""
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it counts as gone; from then on its runs write nothing more, even if it lives."""
