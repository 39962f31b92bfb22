from __future__ import annotations

import pytest

from segue.errors import UsageError
from segue.services import drafts
from segue.services.configuration import ConfigurationError
from segue.services.editing import ChangedError, get_configured
from segue.services.overview import orchestration_lines, query_lines

OLD = "SELECT email AS email FROM Customer360"
NEW = "SELECT email, given_name FROM Customer360"


@pytest.fixture
def workspace(site, example):
    site.apply(example)
    return site.workspace


def entry(workspace):
    return get_configured(workspace, "queries", "Loyalty").entry


def test_a_draft_leaves_what_runs_use_alone_until_it_is_made_active(workspace):
    opened = drafts.open_query(workspace, "Loyalty")
    assert (opened.sql, opened.active_sql, opened.is_draft) == (OLD, OLD, False)
    saved = drafts.save_draft(workspace, "Loyalty", NEW, tag=opened.tag)
    assert (saved.sql, saved.active_sql, saved.by) == (NEW, OLD, "local operator")
    assert entry(workspace)["sql"] == OLD
    done = drafts.activate(workspace, "Loyalty", NEW, tag=saved.tag)
    assert (done.sql, done.active_sql, done.by) == (NEW, NEW, None)
    assert entry(workspace)["sql"] == NEW
    assert entry(workspace)["status"] == "active"


def test_a_draft_may_be_wrong_an_active_query_may_not(workspace):
    opened = drafts.open_query(workspace, "Loyalty")
    saved = drafts.save_draft(workspace, "Loyalty", "SELECT emai FROM Customer360", tag=opened.tag)
    with pytest.raises(ConfigurationError, match="emai"):
        drafts.activate(workspace, "Loyalty", saved.sql, tag=saved.tag)
    assert entry(workspace)["sql"] == OLD
    assert drafts.discard_draft(workspace, "Loyalty").sql == OLD


@pytest.mark.parametrize("second", [drafts.activate, drafts.save_draft])
def test_who_saves_second_is_told_and_nothing_is_overwritten(workspace, second):
    seen = drafts.open_query(workspace, "Loyalty")
    drafts.save_draft(workspace, "Loyalty", NEW, tag=seen.tag)
    with pytest.raises(ChangedError):
        second(workspace, "Loyalty", "SELECT 1", tag=seen.tag)
    assert drafts.open_query(workspace, "Loyalty").sql == NEW


def test_a_draft_that_says_what_is_active_is_none(workspace):
    opened = drafts.open_query(workspace, "Loyalty")
    saved = drafts.save_draft(workspace, "Loyalty", NEW, tag=opened.tag)
    assert drafts.save_draft(workspace, "Loyalty", OLD, tag=saved.tag).by is None
    with pytest.raises(UsageError, match="empty"):
        drafts.save_draft(workspace, "Loyalty", " \n", tag=drafts.open_query(workspace, "Loyalty").tag)


def test_a_query_that_was_never_active_is_a_draft_itself(workspace):
    made = drafts.new_query(workspace, "New", database="customer360", sql="SELECT nonsense")
    assert (made.active_sql, made.sql) == (None, "SELECT nonsense")
    saved = drafts.save_draft(workspace, made.id, NEW, tag=made.tag)
    assert (saved.active_sql, saved.sql) == (None, NEW)
    assert drafts.activate(workspace, made.id, NEW, tag=saved.tag).active_sql == NEW


def test_a_renamed_query_is_still_sent(workspace):
    drafts.rename_query(workspace, "Loyalty", "Loyal")
    assert get_configured(workspace, "orchestrations", "Loyalty to Klaviyo").entry["query"] == "Loyal"
    drafts.copy_query(workspace, "Loyal", "Copy")
    with pytest.raises(UsageError, match="already"):
        drafts.rename_query(workspace, "Copy", "Loyal")
    for bad in ("", "x" * 256, "a\nb"):
        with pytest.raises(UsageError, match="visible"):
            drafts.rename_query(workspace, "Copy", bad)


def test_the_overview_says_how_everything_stands(workspace):
    drafts.copy_query(workspace, "Loyalty", "Copy")
    opened = drafts.open_query(workspace, "Loyalty")
    drafts.save_draft(workspace, "Loyalty", NEW, tag=opened.tag)
    lines = {line.name: line for line in query_lines(workspace)}
    assert {name: (line.status, line.draft, line.used_by) for name, line in lines.items()} == {
        "Copy": ("draft", False, ()),
        "Loyalty": ("activated", True, ("Loyalty to Klaviyo",)),
    }
    (line,) = orchestration_lines(workspace)
    assert (line.query, line.destination, line.list_name, line.ready, line.last) == (
        "Loyalty", "Klaviyo", "Loyalty", True, None,
    )  # fmt: skip
