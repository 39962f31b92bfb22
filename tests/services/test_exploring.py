"""What is in a table, and databases that are saved once they can be read. Expected values: counted by hand."""

from __future__ import annotations

import duckdb
import pytest

from segue.errors import BusyError, ConfigError, UsageError
from segue.services.audit import audit_page
from segue.services.configuration import ConfigurationError
from segue.services.databases import database_lines, save_database
from segue.services.editing import get_configured, list_configured
from segue.services.exploring import table_statistics
from segue.services.permissions import Actor, NotPermittedError, Option, Policy
from segue.services.privacy import MASK

ROWS = '''
SELECT * FROM (VALUES
    (1, 'ada@shop.test', 'gold', 'write to bob@shop.test', [1, 2]),
    (2, 'bob@shop.test', 'gold', NULL, [1, 2]),
    (3, NULL, 'gold', NULL, [3]),
    (4, 'cy@shop.test', 'blue', NULL, NULL)
) AS t (id, email, "tier ""x""", remark, things)
'''


@pytest.fixture
def shop(workspace, tmp_path):
    """A workspace with a database of one table and a view on it."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE People AS {ROWS}")
        connection.execute('CREATE VIEW "Odd "" view" AS SELECT id FROM People')
    assert save_database(workspace, {"name": "shop", "engine": "duckdb", "path": str(path)}) == 2
    return workspace


def columns(found):
    return {column.name: (column.filled, column.distinct) for column in found.columns}


def test_completion_and_values_are_counted(shop, settings):
    found = table_statistics(shop, settings, "shop", "People")
    assert (found.rows, found.total, found.is_part) == (4, 4, False)
    assert columns(found) == {"id": (4, 4), "email": (3, 3), 'tier "x"': (4, 2), "remark": (1, 1), "things": (3, 2)}
    examples = {column.name: column.examples for column in found.columns}
    assert set(examples["email"]) == {"ada@shop.test", "bob@shop.test", "cy@shop.test"}
    # The most frequent one first.
    assert examples['tier "x"'] == ("gold", "blue")
    assert examples["things"][0] == "[1, 2]"
    assert [column.type for column in found.columns][:2] == ["INTEGER", "VARCHAR"]


def test_only_the_first_rows_of_a_large_table_are_looked_at(shop, settings):
    found = table_statistics(shop, settings, "shop", "People", rows=2)
    assert (found.rows, found.total, found.is_part) == (2, 4, True)
    assert columns(found)["remark"] == (1, 1)


def test_a_name_with_quotes_is_a_name(shop, settings):
    assert table_statistics(shop, settings, "shop", 'Odd " view').rows == 4
    with pytest.raises(UsageError, match='did you mean "People"'):
        table_statistics(shop, settings, "shop", "Peoples")


def test_who_sees_no_personal_data_sees_no_example_of_them(shop, settings):
    acting = shop.acting_as(Actor(name="somebody", policy=Policy.ACTIVATOR, options=frozenset({Option.RESTRICT_PII})))
    found = table_statistics(acting, settings, "shop", "People")
    examples = {column.name: column.examples for column in found.columns}
    assert examples["email"] == (MASK,)
    assert examples['tier "x"'] == ("gold", "blue")
    assert "shop.test" not in repr(found)
    assert columns(found)["email"] == (3, 3)


def test_who_may_not_run_queries_does_not_look(shop, settings):
    with pytest.raises(NotPermittedError):
        table_statistics(shop.acting_as(Actor(name="v", policy=Policy.VIEWER)), settings, "shop", "People")


def test_a_look_is_in_the_activity_log(shop, settings):
    table_statistics(shop, settings, "shop", "People")
    [line] = audit_page(shop, action="table.explore")
    assert (line.subject, line.after) == ("People", {"database": "shop"})


@pytest.mark.parametrize("made", [False, True])
def test_a_database_that_cannot_be_read_is_not_saved(workspace, tmp_path, made):
    path = tmp_path / "other.duckdb"
    if made:
        path.write_text("no database")
    with pytest.raises((ConfigError, BusyError)):
        save_database(workspace, {"name": "d", "engine": "duckdb", "path": str(path)})
    assert list_configured(workspace, "databases") == ()


def test_a_database_without_tables_is_not_saved(workspace, tmp_path):
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    with pytest.raises(ConfigError, match="has no tables"):
        save_database(workspace, {"name": "d", "engine": "duckdb", "path": str(tmp_path / "empty.duckdb")})
    with pytest.raises(ConfigurationError):
        save_database(workspace, {"name": "d", "engine": "duckdb"})
    assert list_configured(workspace, "databases") == ()


def test_a_database_of_files_is_changed(shop, tmp_path):
    (tmp_path / "orders.csv").write_text("id,email\n1,ada@shop.test\n")
    files = {"name": "files", "engine": "duckdb", "tables": {"Orders": str(tmp_path / "orders.csv")}}
    assert save_database(shop, files) == 1
    thing = get_configured(shop, "databases", "files")
    assert save_database(shop, {**files, "personal": ["id"]}, seen=thing) == 1
    assert [(line.name, line.personal) for line in database_lines(shop)] == [("files", ("id",)), ("shop", ())]
