"""Home, in a browser, from an empty workspace on."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from segue.services.glance import curves, setup_of
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings


def test_the_last_runs_and_the_members_are_shown(visitor):
    page = visitor.go("/")
    table = page.get_by_role("region", name="Last runs")
    expect(table.get_by_role("row").filter(has_text="Customers to Klaviyo")).to_contain_text(re.compile("Completed"))
    members = len(visitor.site.place.admin.emails("Customers"))
    chart = page.get_by_role("img", name=re.compile("Members by list"))
    expect(chart).to_have_attribute("aria-label", re.compile(f"Customers {members:,}"))


@pytest.fixture
def workspace(tmp_path):
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    init_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()


def test_an_empty_workspace_has_everything_to_do(workspace):
    found = setup_of(workspace)
    assert (found.databases, found.active_queries, found.orchestrations, found.good_runs) == (0, 0, 0, 0)
    assert curves(workspace) == ()


def test_curves_have_the_members_after_each_good_run(workspace):
    from segue.catalog.runs import Run

    def run(number: int, status: str, **counts: int) -> Run:
        columns: dict[str, Any] = {column.name: None for column in Run.__table__.columns}
        return Run(
            **{
                **columns,
                "id": f"r{number}",
                "orchestration_id": "o",
                "orchestration": "A",
                "kind": "sync",
                "status": status,
                "started_at": datetime(2026, 1, number, tzinfo=UTC),
                "settings": {},
                "list_name": "L",
                "list_created": False,
                "counts": counts,
                "requests": {},
                "warnings": [],
                "started_by": "user",
                "priority": 10,
                "attempt": 0,
                "options": {},
            }
        )

    with workspace.catalog.session() as session:
        session.add_all(
            [
                run(1, "completed", added=5, changed=0, unchanged=0, removed=0),
                run(2, "failed", added=9),
                run(3, "completed with warnings", added=2, changed=1, unchanged=3, removed=1),
            ]
        )
    (curve,) = curves(workspace)
    assert (curve.list_name, [members for _, members in curve.points]) == ("L", [5, 6])
    assert setup_of(workspace).good_runs == 1
