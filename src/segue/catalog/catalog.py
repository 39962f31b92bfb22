"""The door to the metadata database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from pathlib import Path

from sqlalchemy import URL, Engine, make_url, text
from sqlalchemy.orm import Session

from segue.catalog import postgresql, schema, sqlite
from segue.catalog.locks import AdvisoryLocks, FileLocks, Locks
from segue.failpoints import reach


class Catalog:
    """An open metadata database of exactly the schema that this Segue needs.

    url: an SQLAlchemy URL such as ``sqlite:////home/me/.segue/segue.db`` or ``postgresql://user:password@host/segue``. Raises
    StateError when the database is missing, damaged or out of reach, or when its schema is older (`segue upgrade` helps) or
    newer.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.process = f"segue-{os.urandom(8).hex()}"
        """A name of this process that no other has: PostgreSQL knows its connections by it."""
        self._check: Callable[[Session], None] | None = None
        self.engine = connect(self.url, process=self.process)
        self._readers = (postgresql if self.is_shared else sqlite).readers(self.engine)
        try:
            with translated(self.url):
                schema.check(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def is_shared(self) -> bool:
        """Whether processes of several machines may use it: whether it is in PostgreSQL."""
        return postgresql.is_postgresql(self.url)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back by an exception; never committed when read-only.

        One process writes at a time, so what a writing session reads stays so until its end. Raises BusyError when another
        one writes for longer than 10 seconds (SQLite) or 30 (PostgreSQL).
        """
        engine = self._readers if read_only else self.engine
        with translated(self.url), Session(engine, expire_on_commit=False) as session:
            if not read_only and self._check is not None:
                self._check(session)
            yield session
            if read_only:
                session.rollback()
                return
            if self._check is not None:
                reach("commit-before")
            session.commit()
            if self._check is not None:
                reach("commit-after")

    def checked(self, check: Callable[[Session], None]) -> Catalog:
        """The same catalog for somebody who may lose the right to write: check is called first in each writing session,
        and refuses it by raising."""
        other = copy(self)
        other._check = check  # noqa: SLF001 -- a copy of this very class
        return other

    def locks(self, folder: Path) -> Locks:
        """The locks of those who use this catalog. folder: where files of locks may lie."""
        if self.is_shared:
            return AdvisoryLocks(postgresql.connect_for_locks(self.url, process=self.process))
        return FileLocks(folder)

    def ping(self) -> None:
        """Read one row. Raises StateError when the database cannot be used."""
        with self.session(read_only=True) as session:
            session.execute(text("SELECT 1"))

    def for_engine(self) -> Engine | None:
        """Connections for the durable engine, where its tables are beside these; None for SQLite: it has a file of its own."""
        return postgresql.connect_for_engine(self.url, process=self.process) if self.is_shared else None

    def end_process(self, process: str) -> None:
        """End all connections of a process that is taken for dead, and with them its locks."""
        if self.is_shared and process:
            postgresql.end_connections(self._readers, process)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def connect(url: str | URL, *, process: str = "segue", create: bool = False) -> Engine:
    """An engine for url. process: its name, for PostgreSQL; create: make a SQLite file that is not there; otherwise that is
    a StateError."""
    parsed = make_url(url)
    if postgresql.is_postgresql(parsed):
        return postgresql.connect(parsed, process=process)
    return sqlite.connect(parsed, create=create)


def translated(url: URL) -> AbstractContextManager[None]:
    """Turn what the database says into errors that name the next step."""
    if postgresql.is_postgresql(url):
        return postgresql.translated(url)
    return sqlite.translated(url)
