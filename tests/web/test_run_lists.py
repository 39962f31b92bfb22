"""The list of runs and of what is set up to run: read in few and short reads, shown in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import event, select, text
from sqlalchemy.dialects import sqlite

from segue.catalog.runs import Run
from segue.services.permissions import Actor, NotPermittedError
from segue.services.run_pages import RunFilter, run_lines, wanted_runs
from segue.services.workspace import Workspace, init_workspace, open_workspace
from segue.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path) -> Iterator[Workspace]:
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    init_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()


def run(number: int, **values: Any) -> Run:
    begun = START + timedelta(minutes=number)
    columns: dict[str, Any] = {column.name: None for column in Run.__table__.columns}
    return Run(
        **{
            **columns,
            "id": f"r{number:06}",
            "orchestration_id": "o1",
            "orchestration": "Loyalty",
            "kind": "sync",
            "status": "completed",
            "started_at": begun,
            "ended_at": begun + timedelta(seconds=90),
            "settings": {},
            "list_name": "Gold",
            "list_created": False,
            "counts": {"source": 7, "added": 3, "removed": 1},
            "requests": {},
            "warnings": [],
            "started_by": "user",
            "priority": 10,
            "attempt": 0,
            "options": {},
            **values,
        }
    )


def add(workspace: Workspace, *runs: Run) -> None:
    with workspace.catalog.session() as session:
        session.add_all(runs)


def test_pages_follow_each_other_whoever_begins_meanwhile(workspace):
    add(workspace, *(run(number) for number in range(5)))
    first = run_lines(workspace, RunFilter(), limit=2)
    assert [line.id for line in first.lines] == ["r000004", "r000003"]
    add(workspace, run(9))
    second = run_lines(workspace, RunFilter(), cursor=first.cursor, limit=2)
    third = run_lines(workspace, RunFilter(), cursor=second.cursor, limit=2)
    assert [line.id for line in (*second.lines, *third.lines)] == ["r000002", "r000001", "r000000"]
    assert third.cursor is None
    line = third.lines[0]
    assert (line.rows, line.added, line.removed, line.seconds) == (7, 3, 1, 90.0)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(status="failed"), ["r000002"]),
        (RunFilter(orchestration_id="o2"), ["r000003"]),
        (RunFilter(started_by="schedule"), ["r000004"]),
        (RunFilter(since=START + timedelta(minutes=4)), ["r000004"]),
        (RunFilter(text="winback"), ["r000003"]),
        (RunFilter(text="silv"), ["r000001"]),
        (RunFilter(text="r000002"), ["r000002"]),
        (RunFilter(text="%"), []),
        (RunFilter(status="failed", started_by="schedule"), []),
    ],
)
def test_runs_are_found_by(workspace, wanted, found):
    add(
        workspace,
        run(1, list_name="Silver"),
        run(2, status="failed"),
        run(3, orchestration_id="o2", orchestration="Winback"),
        run(4, started_by="schedule"),
    )
    assert [line.id for line in run_lines(workspace, wanted).lines] == found


def test_a_page_is_one_read_however_many_runs_it_has(workspace):
    add(workspace, *(run(number) for number in range(60)))
    asked: list[str] = []
    engine = workspace.catalog._readers
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert len(run_lines(workspace, RunFilter(), limit=50).lines) == 50
    assert len([sql for sql in asked if sql.lstrip().upper().startswith("SELECT")]) == 1


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (RunFilter(), "ix_runs_search"),
        (RunFilter(status="completed"), "ix_runs_status_started_at"),
        (RunFilter(orchestration_id="o1"), "ix_runs_orchestration_id_started_at"),
        (RunFilter(started_by="schedule"), "ix_runs_search"),
        (RunFilter(since=START), "ix_runs_search"),
    ],
)
def test_a_page_is_read_in_the_order_of_an_index(workspace, wanted, index):
    """What is sorted only after it was read whole takes as long as there are runs."""
    query = wanted_runs(select(Run.id), wanted, None, 100)
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    sql = str(compiled).replace(":", r"\:")
    with workspace.catalog.session(read_only=True) as session:
        plan = [row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert index in plan[0]
    # Runs of the same moment are put in order among themselves; nothing else is sorted.
    sorts = [step for step in plan if "B-TREE" in step]
    assert all(step.startswith(("USE TEMP B-TREE FOR LAST TERM", "USE TEMP B-TREE FOR RIGHT PART")) for step in sorts)


def test_a_search_looks_at_an_index_alone(workspace):
    """One that finds nobody looks at every run: rows hold settings and numbers, and take ten times as long to read."""
    query = wanted_runs(select(Run), RunFilter(text="nobody"), None, 100)
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    sql = str(compiled).replace(":", r"\:")
    with workspace.catalog.session(read_only=True) as session:
        plan = [row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert "SCAN runs USING COVERING INDEX ix_runs_search" in plan
    assert [step for step in plan if step.startswith("SCAN runs")] == ["SCAN runs USING COVERING INDEX ix_runs_search"]


def test_who_may_nothing_sees_no_runs(workspace):
    nobody = workspace.acting_as(Actor(name="nobody", policy=None))
    with pytest.raises(NotPermittedError):
        run_lines(nobody, RunFilter())


@pytest.fixture
def many(site) -> Iterator[str]:
    """250 runs of an orchestration that is gone, in the workspace of the site; its id."""
    opened = open_workspace(Settings.from_env(site.place.variables))
    # Long ago: other tests look at the latest runs.
    old = {"orchestration_id": "gone", "orchestration": "Gone orchestration"}
    made = [run(number, id=f"gone{number:03}", **old) for number in range(250)]
    made[100].status = "failed"
    add(opened, *made)
    yield "gone"
    with opened.catalog.session() as session:
        session.execute(text("DELETE FROM runs WHERE orchestration_id = 'gone'"))
    opened.close()


def test_more_runs_come_as_one_scrolls_and_filters_are_the_servers(visitor, many):
    page = visitor.go(f"/workflows?orchestration={many}")
    table = page.get_by_role("region", name="Runs")
    expect(page.get_by_label("Orchestration")).to_have_value("Gone orchestration")
    expect(table.get_by_role("row").filter(has_text="gone249")).to_be_visible()
    expect(page.get_by_text("100, and more")).to_be_visible()
    bottom = "box => { box.scrollTop = box.scrollHeight }"
    table.evaluate(bottom)
    expect(page.get_by_text("200, and more")).to_be_visible()
    table.evaluate(bottom)
    expect(page.get_by_text("250", exact=True)).to_be_visible()
    table.evaluate(bottom)
    expect(table.get_by_role("row").filter(has_text="gone000")).to_be_visible()

    page.get_by_label(re.compile("^Status")).select_option("failed")
    expect(table.get_by_role("row")).to_have_count(2)  # with the head
    expect(table.get_by_role("row").filter(has_text="gone100")).to_be_visible()
    page.get_by_label("Search: Runs").fill("nothing has this")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_what_is_set_up_is_told_with_its_last_run(visitor):
    page = visitor.go("/workflows/configured")
    row = page.get_by_role("row").filter(has_text="Loyalty to Klaviyo")
    expect(row).to_contain_text("by hand")
    page.get_by_role("link", name="Customers to Klaviyo").click()
    expect(page.get_by_label("Orchestration")).to_have_value("Customers to Klaviyo")
