"""Versions of queries: one for each save that says something else, whoever saves it and however."""

from __future__ import annotations

import duckdb
import pytest

from segue.errors import UsageError
from segue.services.audit import audit_page
from segue.services.drafts import activate, discard_draft, move_query, new_query, open_query, save_draft
from segue.services.editing import create, delete, get_configured, replace
from segue.services.permissions import NOBODY, Actor, NotPermittedError, Policy
from segue.services.versions import KEPT, difference, query_versions

FIRST, SECOND, THIRD = (f"SELECT email, {n} AS n FROM People" for n in (1, 2, 3))


@pytest.fixture
def shop(workspace, tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE People AS SELECT 'ada@shop.test' AS email")
    create(workspace, "databases", {"name": "shop", "engine": "duckdb", "path": str(path)})
    return workspace.acting_as(Actor(name="ana", policy=Policy.ADMINISTRATOR))


def told(workspace):
    return [(v.number, v.sql, v.active, v.by) for v in query_versions(workspace, "Q")]


def test_each_save_that_says_something_else_is_a_version(shop):
    query = new_query(shop, "Q", database="shop", sql=FIRST)
    assert told(shop) == [(1, FIRST, False, "ana")]
    query = activate(shop, query.id, FIRST, tag=query.tag)
    assert told(shop) == [(1, FIRST, True, "ana")]
    bob = shop.acting_as(Actor(name="bob", policy=Policy.OPERATOR))
    query = save_draft(bob, query.id, SECOND, tag=query.tag)
    query = save_draft(bob, query.id, SECOND, tag=query.tag)
    assert told(shop) == [(2, SECOND, False, "bob"), (1, FIRST, True, "ana")]
    query = activate(shop, query.id, SECOND, tag=query.tag)
    assert told(shop)[0] == (2, SECOND, True, "bob")
    # As a file has it.
    thing = get_configured(shop, "queries", "Q")
    replace(shop, "queries", "Q", {**thing.entry, "sql": THIRD}, tag=thing.tag)
    assert told(shop) == [(3, THIRD, True, "ana"), (2, SECOND, True, "bob"), (1, FIRST, True, "ana")]


def test_a_draft_that_is_thrown_away_is_still_a_version(shop):
    query = new_query(shop, "Q", database="shop", sql=FIRST)
    query = activate(shop, query.id, FIRST, tag=query.tag)
    save_draft(shop, query.id, SECOND, tag=query.tag)
    discard_draft(shop, query.id)
    assert [sql for _, sql, _, _ in told(shop)] == [SECOND, FIRST]


def test_the_oldest_go(shop):
    query = new_query(shop, "Q", database="shop", sql="SELECT 0")
    for n in range(1, KEPT + 5):
        query = save_draft(shop, query.id, f"SELECT {n}", tag=query.tag)
    numbers = [v.number for v in query_versions(shop, "Q")]
    assert numbers == list(range(KEPT + 5, 5, -1))


def test_a_move_changes_the_folder_alone_and_is_no_version(shop):
    query = new_query(shop, "Q", database="shop", sql=FIRST)
    assert move_query(shop, "Q", " Weekly ").folder == "Weekly"
    assert move_query(shop, query.id, "").folder is None
    assert len(told(shop)) == 1
    assert [line.after for line in audit_page(shop, action="query.move")] == [{"folder": None}, {"folder": "Weekly"}]
    with pytest.raises(UsageError):
        move_query(shop, "Q", "a\nb")
    with pytest.raises(NotPermittedError):
        move_query(shop.acting_as(Actor(name="v", policy=Policy.VIEWER)), "Q", "x")
    assert open_query(shop, "Q").folder is None


def test_versions_go_with_their_query(shop):
    new_query(shop, "Q", database="shop", sql=FIRST)
    delete(shop, "queries", "Q", tag=None)
    with pytest.raises(UsageError, match="there is no query"):
        query_versions(shop, "Q")
    new_query(shop, "Q", database="shop", sql=SECOND)
    assert told(shop) == [(1, SECOND, False, "ana")]
    with pytest.raises(NotPermittedError):
        query_versions(shop.acting_as(NOBODY), "Q")


def test_lines_that_differ_are_told():
    before, after = "SELECT\n  email\nFROM People", "SELECT\n  email,\n  city\nFROM People"
    assert difference(before, after) == (
        (" ", "SELECT"),
        ("-", "  email"),
        ("+", "  email,"),
        ("+", "  city"),
        (" ", "FROM People"),
    )
    assert difference(before, before) == ()


def test_lines_that_are_far_from_a_difference_are_left_out():
    before = [f"line {n}" for n in range(20)]
    after = [*before[:10], "another", *before[11:]]
    lines = difference("\n".join(before), "\n".join(after))
    assert lines[0] == lines[-1] == ("…", "")
    assert [text for mark, text in lines if mark == " "] == [f"line {n}" for n in (7, 8, 9, 11, 12, 13)]
    assert [(mark, text) for mark, text in lines if mark in "+-"] == [("-", "line 10"), ("+", "another")]
