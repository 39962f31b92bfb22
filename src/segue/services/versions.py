"""What a query said before: who saved which SQL when, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from segue.catalog import models
from segue.catalog.base import now
from segue.catalog.versions import QueryVersion
from segue.services.names import unknown
from segue.services.permissions import Actor
from segue.services.workspace import Workspace

KEPT = 100
"""Versions of a query; with another one, the oldest goes."""

_AROUND = 3
"""Lines around those that differ."""
Mark = Literal[" ", "-", "+", "…"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a query. active: whether runs used it; by: empty where that is not known."""

    number: int
    sql: str
    active: bool
    by: str
    at: datetime


def query_versions(workspace: Workspace, ref: str) -> tuple[Version, ...]:
    """The versions of a query that are kept, the newest first. Raises NotPermittedError, UsageError for no such query."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        names = {name: query_id for query_id, name in session.execute(select(models.Query.id, models.Query.name))}
        query_id = names.get(ref, ref if ref in names.values() else None)
        if query_id is None:
            raise unknown("query", ref, names)
        query = select(QueryVersion).where(QueryVersion.query_id == query_id).order_by(QueryVersion.number.desc())
        return tuple(
            Version(number=row.number, sql=row.sql, active=row.active, by=row.by, at=row.at)
            for row in session.scalars(query)
        )


def record_version(session: Session, actor: Actor, query_id: str, sql: str, *, active: bool) -> None:
    """Add a version in a transaction, unless the newest one says the same; a draft that became active is the same."""
    newest = session.scalars(
        select(QueryVersion).where(QueryVersion.query_id == query_id).order_by(QueryVersion.number.desc()).limit(1)
    ).one_or_none()
    if newest is not None and newest.sql == sql:
        newest.active = newest.active or active
        return
    number = newest.number + 1 if newest is not None else 1
    session.add(QueryVersion(query_id=query_id, number=number, sql=sql, active=active, by=actor.name, at=now()))
    session.execute(delete(QueryVersion).where(QueryVersion.query_id == query_id, QueryVersion.number <= number - KEPT))


def difference(before: str, after: str) -> tuple[tuple[Mark, str], ...]:
    """The lines of two texts that are gone or new, with a few around them that are in both; ``…`` where some are left out.
    Nothing for equal texts."""
    return tuple(_lines(before.splitlines(), after.splitlines()))


def _lines(before: list[str], after: list[str]) -> Iterator[tuple[Mark, str]]:
    reached = 0
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND):
        if group[0][1] > reached:
            yield "…", ""
        for word, a, b, c, d in group:
            reached = b
            if word == "equal":
                yield from ((" ", line) for line in before[a:b])
            else:
                yield from (("-", line) for line in before[a:b])
                yield from (("+", line) for line in after[c:d])
    if 0 < reached < len(before):
        yield "…", ""
