"""The door to the metadata database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from segue.catalog import schema
from segue.errors import BusyError, StateError

_BUSY_SECONDS = 10
_READ_ONLY = {"segue_read_only": True}


class Catalog:
    """An open metadata database of exactly the schema that this Segue needs.

    url: an SQLAlchemy URL such as ``sqlite:////home/me/.segue/segue.db``. Raises StateError when the file is
    missing or damaged, or when its schema is older (`segue upgrade` helps) or newer.
    """

    def __init__(self, url: str | URL) -> None:
        self.engine = connect(url)
        try:
            with _translated(url):
                schema.check(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back by an exception; never committed when read-only.

        A writing session takes SQLite's write lock first: a lock taken after a read could fail at once
        instead of waiting. Raises BusyError when another process holds it for longer than 10 seconds.
        """
        engine = self.engine.execution_options(**_READ_ONLY) if read_only else self.engine
        with _translated(self.engine.url), Session(engine, expire_on_commit=False) as session:
            yield session
            if read_only:
                session.rollback()
            else:
                session.commit()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def connect(url: str | URL, *, create: bool = False) -> Engine:
    """An engine for url. create: make a SQLite file that is not there; otherwise that is a StateError."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, hide_parameters=True)
    path = Path(parsed.database or "")
    if not create and not path.is_file():
        raise StateError(
            f"there is no workspace at {path.parent}",
            code="no_workspace",
            steps=(
                "Run `segue init` to make one.",
                "Or set SEGUE_HOME to the folder of an existing workspace.",
            ),
        )
    # Parameters hold people's data and ciphertext: they stay out of exceptions.
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # The driver on its own begins late, and not for DDL: a failed migration would stay half done.
    read_only = connection.get_execution_options().get("segue_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def _translated(url: str | URL) -> Iterator[None]:
    """Turn what SQLite says about its file into errors that name the next step."""
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig):
            raise BusyError(
                "another process is writing to the workspace",
                code="workspace_busy",
                steps=("Wait until the other command has ended, then try again.",),
            ) from error
        raise _damaged(url, error) from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise _damaged(url, error) from error
        raise


def _damaged(url: str | URL, error: DatabaseError) -> StateError:
    return StateError(
        f"the metadata database {make_url(url).render_as_string()} cannot be used",
        code="workspace_damaged",
        cause=str(error.orig),
        steps=("Check the file and its permissions.", "Restore the workspace from a backup."),
    )
