from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic import autogenerate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from segue.catalog import Base, Catalog, schema, sqlite
from segue.catalog.catalog import connect
from segue.errors import StateError


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'segue.db'}"


@pytest.fixture
def engine(url):
    engine = connect(url, create=True)
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_schema_of_the_models(engine):
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.metadata()) == []


def test_migrated_and_directly_made_tables_have_the_same_constraints(tmp_path, engine):
    schema.upgrade(engine)
    fresh = connect(f"sqlite:///{tmp_path / 'fresh.db'}", create=True)
    schema.metadata().create_all(fresh)
    statement = text("SELECT name, tbl_name FROM sqlite_master WHERE tbl_name != 'alembic_version' ORDER BY 1")
    with engine.connect() as migrated, fresh.connect() as made:
        assert migrated.execute(statement).all() == made.execute(statement).all()
        for table in Base.metadata.tables:
            columns = text(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}') ORDER BY cid")
            assert migrated.execute(columns).all() == made.execute(columns).all()
            keys = text(f'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{table}\') ORDER BY 1, 2')
            assert migrated.execute(keys).all() == made.execute(keys).all()
    fresh.dispose()


def test_alembic_knows_the_same_revisions_in_the_same_order():
    directory = ScriptDirectory(str(schema.MIGRATIONS))
    history = [script.revision for script in directory.walk_revisions()]
    assert tuple(reversed(history)) == schema.revisions()


def test_every_module_of_the_catalog_is_seen_by_the_migrations():
    # In a process of its own: here other tests may have imported everything already.
    code = "import segue.catalog.schema as s; print(len(s.metadata().tables))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(out.stdout) == len(schema.metadata().tables) >= 6


def test_upgrade_twice_changes_nothing(engine):
    head = schema.revisions()[-1]
    assert schema.upgrade(engine) == (None, head)
    assert schema.upgrade(engine) == (head, head)


def test_a_failed_migration_leaves_nothing_behind(engine):
    # A table of the last statement is in the way: the tables made before it must go again.
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orchestrations (id TEXT)"))
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(engine)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert tables == ["orchestrations"]


@pytest.mark.parametrize(
    ("revision", "code", "step"),
    [("0000_before", "schema_newer", "Install"), ("9999_later", "schema_newer", "Install")],
)
def test_a_schema_of_another_segue_is_refused(url, engine, revision, code, step):
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    with pytest.raises(StateError, match=revision) as caught:
        Catalog(url)
    assert caught.value.code == code
    assert caught.value.steps[0].startswith(step)
    with pytest.raises(StateError, match=revision):
        schema.upgrade(engine)


def test_an_older_schema_asks_for_upgrade(url, engine):
    with engine.connect():
        pass
    with pytest.raises(StateError, match="older") as caught:
        Catalog(url)
    assert caught.value.code == "schema_older"
    assert "segue upgrade" in caught.value.steps[0]


def test_a_backup_is_a_whole_database(tmp_path, engine):
    schema.upgrade(engine)
    copy = tmp_path / "copy's.bak"
    sqlite.back_up(engine, copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.revisions()[-1],)]
