"""The table of drafts: what somebody makes of an active query before it counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime


class QueryDraft(Base):
    """The SQL that an active query is to have. by: the name of who saved it."""

    __tablename__ = "query_drafts"

    query_id: Mapped[str] = mapped_column(ForeignKey("queries.id", ondelete="CASCADE"), primary_key=True)
    sql: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(255))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
