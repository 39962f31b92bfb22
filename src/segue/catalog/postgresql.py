"""The metadata database in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from segue.catalog.locks import lock_key
from segue.errors import BusyError, SegueError, StateError
from segue.security import redact

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
_IDLE_SECONDS = 20
"""A process that stops in the middle of a transaction holds the others up no longer than this."""
_LOCK_NOT_AVAILABLE = "55P03"
_INSUFFICIENT_PRIVILEGE = "42501"
_READERS: dict[str, Any] = {"segue_read_only": True, "isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def is_postgresql(url: URL) -> bool:
    """Whether a URL names a database of PostgreSQL."""
    return url.get_backend_name() == "postgresql"


def connect(url: URL, *, process: str) -> Engine:
    """An engine for url. process: the name under which the server knows the connections of this process."""
    engine = create_engine(
        _with_driver(url),
        # Parameters hold people's data and ciphertext: they stay out of exceptions.
        hide_parameters=True,
        pool_pre_ping=True,
        max_overflow=20,
        connect_args=_arguments(
            url, process, lock_timeout=_LOCK_SECONDS, idle_in_transaction_session_timeout=_IDLE_SECONDS
        ),
    )
    event.listen(engine, "begin", _one_writer)
    return engine


def connect_for_locks(url: URL, *, process: str) -> Engine:
    """An engine whose connections each hold a lock. The server notices within half a minute that their machine is gone."""
    alive = {"tcp_keepalives_idle": 15, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
    arguments = _arguments(url, process)
    arguments["options"] += "".join(f" -c {name}={value}" for name, value in alive.items())
    return create_engine(_with_driver(url), hide_parameters=True, poolclass=NullPool, connect_args=arguments)


def connect_for_engine(url: URL, *, process: str) -> Engine:
    """An engine for the tables of the durable engine, which has transactions of its own kind."""
    return create_engine(
        _with_driver(url),
        hide_parameters=True,
        pool_pre_ping=True,
        max_overflow=20,
        connect_args=_arguments(url, process, idle_in_transaction_session_timeout=_IDLE_SECONDS),
    )


def readers(engine: Engine) -> Engine:
    """The same database for transactions that see one moment and write nothing."""
    return engine.execution_options(**_READERS)


def end_connections(engine: Engine, process: str) -> None:
    """End every connection of a process that is taken for dead: its locks and half-done transactions go with them."""
    ended = text(
        """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND application_name = :process"""
    )
    with engine.connect() as connection:
        connection.execute(ended, {"process": process})


def explain(url: URL, error: DBAPIError) -> SegueError | None:
    """What an error of the server means for people; None for one that is a fault of Segue."""
    state = getattr(error.orig, "sqlstate", None)
    if state == _LOCK_NOT_AVAILABLE:
        return BusyError(
            "another process is writing to the workspace",
            code="workspace_busy",
            steps=("Wait until the other command has ended, then try again.",),
        )
    if isinstance(error, OperationalError) or error.connection_invalidated:
        step = "Check that PostgreSQL runs, and the address, user and password in SEGUE_DATABASE_URL."
    elif isinstance(error, ProgrammingError) and state == _INSUFFICIENT_PRIVILEGE:
        step = "Give the user of SEGUE_DATABASE_URL the right to create schemas and tables in this database."
    else:
        return None
    return StateError(
        f"the metadata database {place(url)} cannot be used",
        code="database_unavailable",
        cause=redact(str(error.orig).strip().partition("\n")[0]),
        steps=(step,),
    )


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what the server says into errors that name the next step."""
    try:
        yield
    except DBAPIError as error:
        told = explain(url, error)
        if told is None:
            raise
        raise told from error


def place(url: URL) -> str:
    """The database as people may see it: neither user nor password, nor what else is in the URL."""
    return f"{url.database} at {url.host or 'this machine'}{f':{url.port}' if url.port else ''}"


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg")


def _arguments(url: URL, process: str, **milliseconds: int) -> dict[str, Any]:
    given = url.query.get("options", "")
    options = [given] if isinstance(given, str) else list(given)
    options += [f"-c {name}={seconds * 1000}" for name, seconds in milliseconds.items()]
    return {
        "application_name": process,
        "connect_timeout": _CONNECT_SECONDS,
        "options": " ".join(["-c timezone=UTC", *options]),
    }


def _one_writer(connection: Connection) -> None:
    """Who writes is alone, as with SQLite: what is read before a write is still so when it is written."""
    if not connection.get_execution_options().get("segue_read_only", False):
        connection.execute(_WRITE, {"key": lock_key("writer")})


_WRITE = text("SELECT pg_advisory_xact_lock(:key)")
