"""The tables of who may come in: users, their sessions and recovery codes, failed attempts, one-time links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from segue.catalog.base import Base, Named, UtcDateTime, now


class User(Named, Base):
    """Somebody who may log in."""

    __tablename__ = "users"

    policy: Mapped[str] = mapped_column(String(20))
    options: Mapped[list[str]] = mapped_column(JSON)
    password: Mapped[str | None] = mapped_column(Text)
    """Argon2 hash with its parameters and salt; None until one is chosen, and for those who log in elsewhere."""
    totp: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of the secret of the second factor; None without one."""
    totp_step: Mapped[int | None] = mapped_column(Integer)
    """The time step of the last code that was taken: none is taken twice."""
    subject: Mapped[str | None] = mapped_column(String(500), unique=True)
    """``issuer|subject`` at the identity provider; None for local users."""
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_zone: Mapped[str | None] = mapped_column(String(100))
    """IANA name of the zone in which pages show times; None: the browser's."""


class LoginSession(Base):
    """A browser that somebody is logged in with. Its token is not kept, only what it is recognised by."""

    __tablename__ = "login_sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of the token, in hex."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str | None] = mapped_column(String(100))

    user: Mapped[User] = relationship()


class RecoveryCode(Base):
    """A code that stands in once for one of the phone that is lost."""

    __tablename__ = "recovery_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of the user's id and the code, in hex."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


class LoginFailure(Base):
    """How often a log-in went wrong without one that went right between: of a user name, or from an address."""

    __tablename__ = "login_failures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of what failed: people type passwords where the name belongs."""
    count: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OneTimeLink(Base):
    """A link that lets its holder choose a password once: of a user, or of the first administrator (user_id None)."""

    __tablename__ = "one_time_links"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
