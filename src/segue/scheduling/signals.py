"""Upstream signals: somebody says that data are ready."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from segue.catalog import Catalog
from segue.catalog.base import new_id, now
from segue.catalog.groups import Signal
from segue.errors import UsageError
from segue.scheduling.groups import Group, load_groups

_LONGEST = 255


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
