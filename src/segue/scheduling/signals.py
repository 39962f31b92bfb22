"""Upstream signals: somebody says that data are ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from segue.catalog import Catalog, base
from segue.catalog.base import new_id, now
from segue.catalog.groups import Signal
from segue.errors import UsageError
from segue.scheduling.groups import Group, load_groups
from segue.services.names import suggestion

_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A signal that came."""

    id: str
    name: str
    at: datetime


def record_signal(catalog: Catalog, name: str, *, clock: Callable[[], datetime] = now) -> tuple[Group, ...]:
    """Write a signal down; returns the enabled groups that wait for it. Nothing is started here.

    Raises UsageError for a name that no group could wait for.
    """
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _LONGEST:
        raise UsageError(
            "a signal needs a name of 1 to 255 characters without blanks around it",
            code="bad_signal",
            steps=("Take the name that the group has under `after_signal`.",),
        )
    with catalog.session() as session:
        session.add(Signal(id=new_id(), name=name, received_at=clock()))
        return tuple(group for group in load_groups(session) if group.enabled and group.after_signal == name)


def latest_signals(
    catalog: Catalog, *, name: str | None = None, limit: int = 20, before: tuple[datetime, str] | None = None
) -> tuple[Received, ...]:
    """The signals that came last, newest first. before: moment and id of the one after which to go on."""
    query = select(Signal).order_by(Signal.received_at.desc(), Signal.id.desc()).limit(limit)
    if name is not None:
        query = query.where(Signal.name == name)
    if before is not None:
        query = query.where(base.before(Signal.received_at, Signal.id, before))
    with catalog.session(read_only=True) as session:
        return tuple(Received(id=row.id, name=row.name, at=row.received_at) for row in session.scalars(query))


def hint_for(catalog: Catalog, name: str) -> str:
    """What to say of a signal that started nothing."""
    with catalog.session(read_only=True) as session:
        known = {group.after_signal for group in load_groups(session) if group.after_signal}
    return f"no enabled group waits for it{'' if name in known else suggestion(name, known)}"
