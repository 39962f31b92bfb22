"""The tables of the API: its tokens, and the run starts that may be repeated."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from segue.catalog.base import Base, UtcDateTime, new_id, now


class ApiToken(Base):
    """A token that opens the API. The token itself is not kept, only what it is recognised by."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """sha256 of the token, in hex."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    user_id: Mapped[str | None] = mapped_column(String(32))
    """Whose it is; None for one that the command line made for the workspace itself."""
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """To the minute; None until it was used."""


class RunStart(Base):
    """A request to start a run, by the key that its sender gave it: repeated, it answers with the same run."""

    __tablename__ = "run_starts"

    token_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """sha256 of what was asked for: the same key for something else is a mistake."""
    run_id: Mapped[str | None] = mapped_column(String(32))
    """None until the run is known."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
