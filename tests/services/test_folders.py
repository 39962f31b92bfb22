"""Folders of queries: what the slashes in their names mean, and what becomes of queries when a folder changes."""

from __future__ import annotations

import pytest

from segue.errors import UsageError
from segue.services import editing
from segue.services.audit import audit_page
from segue.services.folders import delete_folder, folder_path, folder_tree, rename_folder
from segue.services.permissions import Actor, NotPermittedError, Policy

DATABASE = {"name": "d", "engine": "duckdb", "tables": {"T": "t.csv"}}


@pytest.fixture
def shop(workspace, tmp_path):
    (tmp_path / "t.csv").write_text("email\n")
    editing.create(workspace, "databases", {**DATABASE, "tables": {"T": str(tmp_path / "t.csv")}})
    for name, folder in (("a", "VIP"), ("b", "VIP / Spring"), ("c", "VIP/Spring/Gold"), ("d", "VIPs"), ("e", None)):
        entry = {"name": name, "database": "d", "sql": "SELECT email FROM T"}
        editing.create(workspace, "queries", entry if folder is None else {**entry, "folder": folder})
    return workspace


def folders(workspace):
    return {q.name: q.entry.get("folder") for q in editing.list_configured(workspace, "queries")}


def test_a_path_is_what_is_between_the_slashes():
    assert folder_path(" VIP / Spring //") == "VIP/Spring"
    assert folder_path(None) == folder_path(" / ") == ""


def test_the_tree_counts_what_is_in_a_folder_and_in_those_in_it():
    tree = folder_tree(["VIP", "VIP/Spring", "VIP / Spring/Gold", "archive", None])
    assert [(f.path, f.count) for f in tree] == [("archive", 1), ("VIP", 3)]
    [spring] = tree[1].folders
    assert (spring.name, spring.path, spring.count) == ("Spring", "VIP/Spring", 2)
    assert [f.path for f in spring.folders] == ["VIP/Spring/Gold"]


def test_a_renamed_folder_takes_all_its_queries_along_and_nobody_else_s(shop):
    assert rename_folder(shop, "VIP", "Best / Ever") == 3
    assert folders(shop) == {
        "a": "Best/Ever",
        "b": "Best/Ever/Spring",
        "c": "Best/Ever/Spring/Gold",
        "d": "VIPs",
        "e": None,
    }
    lines = audit_page(shop, action="query.move")
    assert {(line.subject, (line.after or {}).get("folder")) for line in lines} == {
        ("a", "Best/Ever"),
        ("b", "Best/Ever/Spring"),
        ("c", "Best/Ever/Spring/Gold"),
    }


def test_the_queries_of_a_deleted_folder_go_where_it_was(shop):
    assert delete_folder(shop, "VIP/Spring") == 2
    assert folders(shop) == {"a": "VIP", "b": "VIP", "c": "VIP/Gold", "d": "VIPs", "e": None}
    delete_folder(shop, "VIP")
    assert folders(shop) == {"a": None, "b": None, "c": "Gold", "d": "VIPs", "e": None}


def test_what_makes_no_sense_is_refused_and_moves_nothing(shop):
    before = folders(shop)
    for path, name, code in (
        ("VIP", " / ", "bad_name"),
        ("VIP", "x" * 250, "bad_name"),  # with what is below it, too long
        ("nowhere", "x", "unknown_folder"),
        ("", "x", "unknown_folder"),
    ):
        with pytest.raises(UsageError) as caught:
            rename_folder(shop, path, name)
        assert caught.value.code == code
    with pytest.raises(NotPermittedError):
        delete_folder(shop.acting_as(Actor(name="ana", policy=Policy.VIEWER)), "VIP")
    assert folders(shop) == before
