"""The metadata database in PostgreSQL: the same schema, one writer at a time, locks that hold across processes."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import autogenerate
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, select, text

from segue.catalog import Catalog, schema
from segue.catalog.locks import FileLocks, Locks, lock_key
from segue.catalog.models import Database
from segue.errors import StateError
from segue.services.workspace import Workspace, init_workspace, open_workspace, upgrade_workspace
from segue.settings import Settings
from tests.cluster import Cluster


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.make()


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    return Settings.from_env({"SEGUE_HOME": str(tmp_path / "home"), "SEGUE_DATABASE_URL": url})


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    init_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()


def database(name: str) -> Database:
    return Database(name=name, engine="duckdb", path="/x.duckdb", tables={})


def test_the_migrated_schema_is_the_schema_of_the_models(workspace: Workspace) -> None:
    with workspace.catalog.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.metadata()) == []


def test_no_file_is_made_and_making_it_again_changes_nothing(workspace: Workspace, settings: Settings) -> None:
    assert not (settings.home / "segue.db").exists()
    assert (settings.home / "secret.key").exists()
    assert init_workspace(settings) == ()
    assert upgrade_workspace(settings) is None


def test_two_that_read_before_they_write_do_not_overlap(workspace: Workspace) -> None:
    """Each adds the number of rows that it has seen: with one writer at a time the names are 0, 1, ... 19."""

    def add() -> None:
        for _ in range(5):
            with workspace.catalog.session() as session:
                session.add(database(str(len(session.scalars(select(Database)).all()))))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with workspace.catalog.session(read_only=True) as session:
        assert sorted(map(int, session.scalars(select(Database.name)))) == list(range(20))


def test_a_reader_does_not_wait_for_a_writer_and_sees_one_moment(workspace: Workspace) -> None:
    with workspace.catalog.session() as writing:
        writing.add(database("one"))
        writing.flush()
        with workspace.catalog.session(read_only=True) as session:
            assert session.scalars(select(Database)).all() == []
    with workspace.catalog.session(read_only=True) as session:
        assert len(session.scalars(select(Database)).all()) == 1
        with workspace.catalog.session() as writing:
            writing.add(database("two"))
        assert len(session.scalars(select(Database)).all()) == 1


@pytest.fixture(params=["file", "postgresql"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Locks:
    if request.param == "file":
        return FileLocks(tmp_path)
    opened: Workspace = request.getfixturevalue("workspace")
    return opened.locks


def test_a_lock_is_held_by_one(locks: Locks) -> None:
    assert not locks.is_held("a")
    with locks.hold("a") as first, locks.hold("a") as second, locks.hold("b") as other:
        assert (first, second, other) == (True, False, True)
        assert locks.is_held("a")
        assert not locks.is_held("c")
    assert not locks.is_held("a")


def test_a_shared_lock_is_held_by_many_and_by_nobody_alone(locks: Locks) -> None:
    with locks.hold("a", shared=True) as first, locks.hold("a", shared=True) as second, locks.hold("a") as alone:
        assert (first, second, alone) == (True, True, False)
    with locks.hold("a") as alone, locks.hold("a", shared=True) as shared:
        assert (alone, shared) == (True, False)


def test_a_lock_goes_with_its_process(workspace: Workspace, settings: Settings, url: str) -> None:
    code = f"""import sys
from segue.catalog import Catalog
catalog = Catalog({url!r})
with catalog.locks(None).hold("a"):
    print("held", flush=True)
    sys.stdin.read()"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert workspace.locks.is_held("a")
    process.kill()
    process.communicate()
    # The server notices the closed socket by itself, in its own time.
    for _ in range(1000):
        if not workspace.locks.is_held("a"):
            break
        threading.Event().wait(0.02)
    with workspace.locks.hold("a") as ours:
        assert ours


def test_the_keys_of_locks_are_those_of_every_version() -> None:
    """Two versions of Segue that work side by side must mean the same."""
    expected = int(hashlib.sha256(b"segue writer").hexdigest()[:16], 16)
    assert lock_key("writer") == (expected - 2**64 if expected >= 2**63 else expected)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://segue:hush-hush@/x?host={tmp_path}&application_name=a"
    with pytest.raises(StateError) as caught:
        Catalog(url)
    assert caught.value.code == "database_unavailable"
    told = repr([caught.value.message, caught.value.cause, caught.value.steps])
    assert "hush" not in told
    assert "SEGUE_DATABASE_URL" in told


def test_an_empty_database_asks_for_init(url: str) -> None:
    with pytest.raises(StateError, match="is empty") as caught:
        Catalog(url)
    assert caught.value.code == "no_workspace"
    assert "segue init" in caught.value.steps[0]


def test_one_who_may_not_make_tables_is_told_so(postgres: Cluster, url: str, tmp_path: Path) -> None:
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS guest"))
        connection.execute(text("CREATE ROLE guest LOGIN"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    admin.dispose()
    guest = re.sub("segue@", "guest@", url)
    with pytest.raises(StateError, match="cannot be used") as caught:
        init_workspace(Settings.from_env({"SEGUE_HOME": str(tmp_path / "h"), "SEGUE_DATABASE_URL": guest}))
    assert "right to create" in caught.value.steps[0]
