from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import psutil
import pytest

from segue.database import DatabaseConfig, Engine, QueryLimits, open_engine
from segue.database.forks import QUERIES


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A database file with two tables, a view, and a schema that no query may see."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE People AS SELECT i AS id, 'p' || i AS name FROM range(1, 1001) AS t(i)")
        con.execute("CREATE TABLE Odd (email VARCHAR, value DECIMAL(10, 2), seen TIMESTAMP)")
        con.execute("INSERT INTO Odd VALUES ('ann@inbox.test', 1.50, '2026-01-02 03:04:05'), ('x', NULL, NULL)")
        con.execute("CREATE VIEW Adults AS SELECT id FROM People WHERE id > 990")
        con.execute("CREATE SCHEMA vault")
        con.execute("CREATE TABLE vault.secrets AS SELECT 'marker-7f3a' AS secret")
    return path


@pytest.fixture
def engine(shop: Path) -> Engine:
    return open_engine(DatabaseConfig(name="shop", path=shop))


@pytest.fixture
def rows(engine: Engine) -> Callable[..., list[tuple[object, ...]]]:
    """Run a query to its end and give its rows."""

    def run(sql: str, **limits: object) -> list[tuple[object, ...]]:
        with engine.run(sql, limits=QueryLimits(**limits)) as reader:  # type: ignore[arg-type]
            columns = [column.to_pylist() for column in reader.read_all().columns]
        return list(zip(*columns, strict=True))

    return run


@pytest.fixture
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Afterwards there are no more processes, open files or temporary folders than before."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    QUERIES.start().close()  # what queries are forked from stays
    before = open_files()
    yield
    assert own_children() == []
    assert open_files() == before
    assert list(temporary.iterdir()) == []


def own_children() -> list[psutil.Process]:
    """The processes of queries of this process."""
    return queries_of(psutil.Process())


def queries_of(process: psutil.Process) -> list[psutil.Process]:
    """The processes of its queries, which the one that they are forked from has as children."""
    found = []
    for child in process.children():
        with suppress(psutil.Error):
            if any(part.endswith("forkserver.py") for part in child.cmdline()):
                found += child.children()
    return found


def open_files() -> int:
    return psutil.Process().num_fds()
