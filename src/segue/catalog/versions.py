"""The table of versions: what a query said, and who wrote it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime


class QueryVersion(Base):
    """The SQL of a query at a time. number: from 1 for each query; active: whether runs used it; by: the name of who saved
    it, empty where that is not known."""

    __tablename__ = "query_versions"

    query_id: Mapped[str] = mapped_column(ForeignKey("queries.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sql: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
