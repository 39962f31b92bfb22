"""The table of what a whole workspace is set to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime, now


class WorkspaceSetting(Base):
    """One group of settings by its name, such as ``retention``; a value that is not in it is not set."""

    __tablename__ = "workspace_settings"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)
