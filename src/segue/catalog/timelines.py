"""The table of when runs called their destination."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base


class RunTimeline(Base):
    """See ``segue.delivery.timeline.Timeline``. It names endpoints and answers, nobody's data."""

    __tablename__ = "run_timelines"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    width: Mapped[int] = mapped_column(Integer)
    lines: Mapped[list[list[Any]]] = mapped_column(JSON)
