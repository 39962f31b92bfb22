"""The workers of a workspace, as the catalog knows them."""

from __future__ import annotations

import os
import socket

from sqlalchemy import delete, select

from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.workers import Worker

BEAT = 5.0
"""Seconds between two signs of life."""


class Workers:
    """Every method is one transaction."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def beat(self, worker_id: str) -> None:
        """A sign of life; the first one makes the worker known."""
        with self._catalog.session() as session:
            row = session.get(Worker, worker_id)
            if row is None:
                row = Worker(id=worker_id, host=socket.gethostname()[:255], pid=os.getpid(), started_at=now())
                session.add(row)
            row.seen_at = now()

    def others(self, worker_id: str) -> list[str]:
        """The other workers. Where a workspace has one worker at a time, they are gone."""
        with self._catalog.session(read_only=True) as session:
            return list(session.scalars(select(Worker.id).where(Worker.id != worker_id)))

    def forget(self, worker_ids: list[str]) -> None:
        """Drop workers that are gone."""
        with self._catalog.session() as session:
            session.execute(delete(Worker).where(Worker.id.in_(worker_ids)))
