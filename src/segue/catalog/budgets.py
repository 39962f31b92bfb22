"""The table of how much of each account of a destination may be used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime, now


class AccountBudget(Base):
    """Of an account that was given a budget. share: percent of the destination's rate windows; lists_a_day: lists that may be
    made in 24 hours, None for no limit but the destination's."""

    __tablename__ = "account_budgets"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    share: Mapped[int] = mapped_column(Integer)
    lists_a_day: Mapped[int | None] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)
