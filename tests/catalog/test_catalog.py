from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from segue.catalog import Catalog, upgrade
from segue.catalog.catalog import connect
from segue.catalog.models import Credential, Database, Query
from segue.errors import BusyError, StateError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "segue.db"


@pytest.fixture
def catalog(path):
    engine = connect(f"sqlite:///{path}", create=True)
    upgrade(engine)
    engine.dispose()
    catalog = Catalog(f"sqlite:///{path}")
    yield catalog
    catalog.close()


def database(name="c360"):
    return Database(name=name, engine="duckdb", path="/x.duckdb", tables={})


def test_a_session_commits_at_its_end(catalog):
    with catalog.session() as session:
        session.add(database())
    with catalog.session(read_only=True) as session:
        assert session.scalars(select(Database.name)).all() == ["c360"]


def test_an_exception_rolls_back(catalog):
    def fail():
        with catalog.session() as session:
            session.add(database())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with catalog.session() as session:
        assert session.scalars(select(Database)).all() == []


def test_a_read_only_session_keeps_nothing(catalog):
    with catalog.session(read_only=True) as session:
        session.add(database())
        session.flush()
    with catalog.session() as session:
        assert session.scalars(select(Database)).all() == []


def test_ids_are_stable_when_a_name_changes(catalog):
    with catalog.session() as session:
        session.add(row := database())
        session.flush()
        first = row.id
        row.name = "lake"
    with catalog.session() as session:
        assert session.scalars(select(Database)).one().id == first
    assert len(first) == 32


def test_moments_come_back_in_utc(catalog):
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    with catalog.session() as session:
        row = database()
        row.created_at = moment
        session.add(row)
    with catalog.session() as session:
        stored = session.scalars(select(Database)).one().created_at
    assert stored == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert stored.tzinfo is UTC


def test_a_naive_moment_is_refused(catalog):
    row = database()
    row.created_at = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"), catalog.session() as session:
        session.add(row)


def test_names_are_unique_and_references_hold(catalog):
    with pytest.raises(IntegrityError), catalog.session() as session:
        session.add_all([database(), database()])
    with pytest.raises(IntegrityError), catalog.session() as session:
        session.add(Query(name="q", database_id="nowhere", sql="SELECT 1", status="draft"))


def test_an_error_of_the_database_does_not_tell_values(catalog):
    with pytest.raises(IntegrityError) as caught, catalog.session() as session:
        session.add_all([Credential(name="k", type="klaviyo", sealed="ciphertext-123") for _ in range(2)])
    assert "ciphertext-123" not in str(caught.value)


def test_the_database_is_in_wal_mode_and_survives_a_reader(catalog, path):
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM databases").fetchone() == (0,)
        with catalog.session() as session:
            session.add(database())
        assert other.execute("SELECT count(*) FROM databases").fetchone() == (0,)


def test_a_second_writer_waits_then_is_told(catalog, path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other, catalog.engine.connect() as connection:
        # The waiting itself is SQLite's; a shorter one keeps the test quick.
        connection.connection.execute("PRAGMA busy_timeout=10")
        connection.close()
        other.execute("BEGIN IMMEDIATE")
        with catalog.session(read_only=True) as session:
            assert session.scalars(select(Database)).all() == []
        with pytest.raises(BusyError, match="another process") as caught, catalog.session() as session:
            session.scalars(select(Database)).all()
        assert caught.value.code == "workspace_busy"


def test_writers_wait_for_ten_seconds_by_default(catalog):
    with catalog.session(read_only=True) as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 10_000


def test_a_missing_workspace_is_told_and_not_made(tmp_path):
    with pytest.raises(StateError, match="no workspace") as caught:
        Catalog(f"sqlite:///{tmp_path / 'segue.db'}")
    assert "segue init" in caught.value.steps[0]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(path):
    path.write_bytes(b"this is not a database at all, not even a small one" * 40)
    with pytest.raises(StateError, match="cannot be used") as caught:
        Catalog(f"sqlite:///{path}")
    assert caught.value.code == "workspace_damaged"
