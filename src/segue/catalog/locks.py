"""Locks across processes, by name. They go when the process that holds them goes, however it ends."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError


class Locks(Protocol):
    """The locks of a workspace."""

    def hold(self, name: str, *, shared: bool = False) -> AbstractContextManager[bool]:
        """Whether the lock is ours for the time of the block; False when somebody else has it. It is not waited for.

        shared: beside others who hold it so, and beside nobody who holds it alone.
        """
        ...

    def is_held(self, name: str) -> bool:
        """Whether some process holds the lock, this one included."""
        ...


class FileLocks:
    """Locks of the operating system on files of a folder: for the processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str, *, shared: bool = False) -> Iterator[bool]:
        """See ``Locks``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path(name).open("a") as file:
            yield _take(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def is_held(self, name: str) -> bool:
        """See ``Locks``."""
        try:
            with self._path(name).open() as file:
                # Two who look at once do not take each other for a holder.
                return not _take(file, fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


class AdvisoryLocks:
    """PostgreSQL's advisory locks: for the processes of all machines that use one database.

    engine: makes a connection of its own for each lock and keeps none; the lock lives as long as its connection.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def hold(self, name: str, *, shared: bool = False) -> Iterator[bool]:
        """See ``Locks``."""
        take = text(f"SELECT pg_try_advisory_lock{'_shared' if shared else ''}(:key)")
        connection = self._engine.connect()
        try:
            yield bool(connection.scalar(take, {"key": lock_key(name)}))
        finally:
            # Whoever took this process for dead has ended the connection, and the lock with it.
            with suppress(DBAPIError):
                connection.close()

    def is_held(self, name: str) -> bool:
        """See ``Locks``."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(_HELD, {"key": lock_key(name)}))


_HELD = text(
    """SELECT EXISTS (SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid::bigint = (CAST(:key AS bigint) >> 32) & 4294967295
      AND objid::bigint = CAST(:key AS bigint) & 4294967295)"""
)
"""PostgreSQL shows the halves of a key."""


def lock_key(name: str) -> int:
    """The number that stands for a name: PostgreSQL's advisory locks have 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"segue {name}".encode()).digest()[:8], signed=True)


def _take(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
