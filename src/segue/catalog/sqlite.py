"""The metadata database in a file, with SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from segue.errors import BusyError, StateError

_BUSY_SECONDS = 10


def connect(url: URL, *, create: bool = False) -> Engine:
    """An engine for url. create: make a file that is not there; otherwise that is a StateError."""
    path = Path(url.database or "")
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
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def readers(engine: Engine) -> Engine:
    """The same file for transactions that see one moment and write nothing."""
    return engine.execution_options(segue_read_only=True)


@contextmanager
def translated(url: URL) -> Iterator[None]:
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


def back_up(engine: Engine, target: Path) -> None:
    """Write a consistent copy of the file to target, readable by its owner alone; it must not exist."""
    target.touch(mode=0o600, exist_ok=False)
    with closing(engine.raw_connection()) as raw:
        raw.cursor().execute("VACUUM INTO ?", (str(target),))


def _prepare(connection: Any, _record: object) -> None:
    # Without the last one the addresses of deleted rows would stay in the file.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # The driver on its own begins late, and not for DDL: a failed migration would stay half done. A write lock that is
    # taken after a read could fail at once instead of waiting.
    read_only = connection.get_execution_options().get("segue_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _damaged(url: URL, error: DatabaseError) -> StateError:
    return StateError(
        f"the metadata database {url.render_as_string()} cannot be used",
        code="workspace_damaged",
        cause=str(error.orig),
        steps=("Check the file and its permissions.", "Restore the workspace from a backup."),
    )
