"""What every table of the catalog shares."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, MetaData, String, TypeDecorator, and_, or_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base; constraints get predictable names so that a migration can name them."""

    metadata = MetaData(naming_convention=_NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets zones, so it is stored without one there and comes back with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn an aware moment into UTC. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The stored moment, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> str:
    """A new row id: 32 hex characters. Ids stay when names change."""
    return uuid.uuid4().hex


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def before(at: Any, identity: Any, place: tuple[datetime, Any]) -> ColumnElement[bool]:
    """Says of rows, the newest first, that they come after a place in the list. at, identity: the columns that order them."""
    moment, last = place
    return or_(at < moment, and_(at == moment, identity < last))


class Named:
    """Columns of a configured thing: a stable id, a unique name, and when it was made and changed."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id, sort_order=-4)
    name: Mapped[str] = mapped_column(String(255), unique=True, sort_order=-3)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, sort_order=-2)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now, sort_order=-1)
