"""The workers of a workspace, as the catalog knows them: who gives signs of life, and who counts as gone."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.workers import Worker
from segue.workflow.steps import Suspended

_BEATS = 4
"""Signs of life in the time after which a silent worker counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneWorker:
    """A worker that counts as gone, and the name of its connections."""

    id: str
    process: str


class Workers:
    """Every method is one transaction. silence: seconds without a sign of life after which a worker counts as gone; on SQLite
    all others are gone, as a workspace has one server at a time.

    The clock is the database's where machines share one.
    """

    def __init__(self, catalog: Catalog, *, silence: float) -> None:
        self._catalog = catalog
        self._silence = silence if catalog.is_shared else 0.0
        self.beat_every = silence / _BEATS
        """Seconds between two signs of life."""

    def join(self, worker_id: str) -> None:
        """Make a worker known: its first sign of life."""
        with self._catalog.session() as session:
            moment = _moment(session)
            session.add(
                Worker(
                    id=worker_id,
                    host=socket.gethostname()[:255],
                    pid=os.getpid(),
                    started_at=moment,
                    seen_at=moment,
                    process=self._catalog.process,
                )
            )

    def beat(self, worker_id: str) -> bool:
        """A sign of life. False when it comes too late: the worker counts as gone."""
        with self._catalog.session() as session:
            beaten = session.execute(update(Worker).where(*_here(worker_id)).values(seen_at=_moment(session)))
            assert isinstance(beaten, CursorResult)  # noqa: S101 -- so says SQLAlchemy's type of an UPDATE
            return beaten.rowcount == 1

    def leave(self, worker_id: str) -> None:
        """The worker ends, and others need not wait for its silence."""
        with self._catalog.session() as session:
            session.execute(update(Worker).where(*_here(worker_id)).values(gone_at=_moment(session)))

    def here(self) -> frozenset[str]:
        """The ids of the workers that do not count as gone."""
        with self._catalog.session(read_only=True) as session:
            return frozenset(session.scalars(select(Worker.id).where(Worker.gone_at.is_(None))))

    def gone(self, worker_id: str) -> Sequence[GoneWorker]:
        """The other workers that are gone, those included that are silent for too long: from now on they count so."""
        with self._catalog.session() as session:
            moment = _moment(session)
            silent = Worker.seen_at <= moment - timedelta(seconds=self._silence)
            query = select(Worker).where(Worker.id != worker_id, or_(Worker.gone_at.is_not(None), silent))
            rows = session.scalars(query).all()
            for row in rows:
                row.gone_at = row.gone_at or moment
            return [GoneWorker(id=row.id, process=row.process) for row in rows]

    def forget(self, gone: Sequence[GoneWorker]) -> None:
        """Drop workers whose runs have been taken over."""
        with self._catalog.session() as session:
            session.execute(delete(Worker).where(Worker.id.in_([worker.id for worker in gone])))


def refuse_gone(worker_id: str, session: Session) -> None:
    """Raise Suspended where a worker counts as gone: its runs are another one's, and this one may not write any more."""
    if session.scalars(select(Worker.id).where(*_here(worker_id))).first() is None:
        raise Suspended


def _here(worker_id: str) -> tuple[ColumnElement[bool], ...]:
    return (Worker.id == worker_id, Worker.gone_at.is_(None))


def _moment(session: Session) -> datetime:
    if session.get_bind().dialect.name != "postgresql":
        return now()
    moment = session.scalar(select(func.clock_timestamp()))
    assert isinstance(moment, datetime)  # noqa: S101 -- so says PostgreSQL
    return moment
