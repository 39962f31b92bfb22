"""Lists take as many reads for one thing as for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import event
from sqlalchemy.engine import Engine

from segue.catalog.groups import GroupRun, GroupRunMember
from segue.catalog.runs import Run, Task
from segue.services.configuration import KINDS, apply_files
from segue.services.editing import get_configured, list_configured
from segue.services.orchestrating import save_orchestration
from segue.services.overview import last_runs, orchestration_lines, query_lines
from segue.services.query_status import QueryState, query_status, query_statuses
from segue.services.run_pages import run_page
from segue.services.workspace import Workspace, init_workspace, open_workspace
from segue.settings import Settings
from segue.wire import group_states_of
from segue.workflow.grouping import scheduler_of
from segue.workflow.records import RunRecords
from segue.workflow.rows import new_run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def workspace_with(folder: Any, count: int) -> Workspace:
    """So many of every kind, each orchestration in a group and with runs."""
    settings = Settings.from_env({"SEGUE_HOME": str(folder / f"home{count}")})
    init_workspace(settings)
    workspace = open_workspace(settings)
    names = [f"n{i:02}" for i in range(count)]
    document = {
        "version": 1,
        "databases": [{"name": n, "engine": "duckdb", "tables": {"People": "./people.csv"}} for n in names],
        "credentials": [{"name": n, "type": "klaviyo", "api_key": "pk_0123456789"} for n in names],
        "queries": [{"name": n, "database": n, "status": "active", "sql": "SELECT email FROM People"} for n in names],
        "destinations": [{"name": n, "plugin": "klaviyo", "credential": n} for n in names],
        "data_templates": [{"name": n, "destination": n, "list_name": n} for n in names],
        "orchestrations": [{"name": n, "query": n, "destination": n, "data_template": n} for n in names],
        "orchestration_groups": [{"name": n, "members": [{"orchestration": n}]} for n in names],
        "alerts": [{"name": n, "url": "json://127.0.0.1/", "when": ["failed"]} for n in names],
    }
    (folder / "people.csv").write_text("email\n")
    (folder / "segue.yaml").write_text(yaml.safe_dump(document))
    apply_files(workspace, [folder / "segue.yaml"], environ={})
    groups = {group.name: group.id for group in list_configured(workspace, "orchestration_groups")}
    for thing in list_configured(workspace, "orchestrations"):
        for hours, status in ((3, "completed"), (2, "failed"), (1, "stopped")):
            run_of(workspace, thing, status, NOW - timedelta(hours=hours))
        with workspace.catalog.session() as session:
            member = GroupRunMember(orchestration=thing.name, position=0, after=[], status="completed", message="")
            session.add(
                GroupRun(
                    id=f"g-{thing.name}",
                    group_id=groups[thing.name],
                    group=thing.name,
                    cause="manual",
                    trigger=thing.name,
                    status="completed",
                    due_at=NOW,
                    warnings=[],
                    members=[member],
                )
            )
    return workspace


def run_of(workspace: Workspace, thing: Any, status: str, at: datetime, *, kind: str = "sync", rows: int = 7) -> Run:
    run = new_run(orchestration_id=thing.id, orchestration=thing.name, kind=kind, settings={}, credential_id="c")
    run.status, run.started_at, run.ended_at = status, at, at + timedelta(minutes=1)
    run.id += f"{at:%H%M%S}"
    run.counts = {"source": rows} if status.startswith("completed") else {}
    task = Task(run_id=run.id, name="query", position=0, status="succeeded", attempts=1, outcome={})
    with workspace.catalog.session() as session:
        session.add(run)
    with workspace.catalog.session() as session:
        session.add(task)
    return run


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


READS: dict[str, Callable[[Workspace], Any]] = {
    "query_statuses": query_statuses,
    "query_lines": query_lines,
    "orchestration_lines": orchestration_lines,
    "last_runs": last_runs,
    "group_states": lambda workspace: group_states_of(scheduler_of(workspace), now=NOW).items,
    "runs": lambda workspace: RunRecords(workspace.catalog).several(
        run_page(workspace, orchestration=None, status=None, cursor=None, limit=100).ids
    ),
    **{kind: lambda workspace, kind=kind: list_configured(workspace, kind) for kind in KINDS},  # type: ignore[misc]
}


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Workspace]]:
    folder = tmp_path_factory.mktemp("reads")
    made = {count: workspace_with(folder, count) for count in (1, 20)}
    yield made
    for workspace in made.values():
        workspace.close()


@pytest.mark.parametrize("name", READS)
def test_a_list_takes_as_many_reads_for_twenty_as_for_one(workspaces: dict[int, Workspace], name: str) -> None:
    reads, sizes = {}, {}
    for count, workspace in workspaces.items():
        with counted() as statements:
            sizes[count] = len(READS[name](workspace))
        reads[count] = len(statements)
    assert sizes[20] == 20 * sizes[1] > 0
    assert reads[20] == reads[1] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_one_thing_is_read_alone(workspaces: dict[int, Workspace], kind: str) -> None:
    with counted() as statements:
        assert get_configured(workspaces[20], kind, "n07").name == "n07"
    assert statements
    assert all(" WHERE " in " ".join(statement.split()) for statement in statements)


def test_a_save_reads_the_whole_configuration_once(workspaces: dict[int, Workspace]) -> None:
    thing = get_configured(workspaces[20], "orchestrations", "n07")
    entry = {**thing.entry, "settings": {"list_name": "another"}}
    with counted() as statements:
        save_orchestration(workspaces[20], entry, groups=("n07",), seen=thing)
    told = [" ".join(statement.split()) for statement in statements]
    assert len([text for text in told if "queries.sql" in text and " WHERE " not in text]) == 1
    assert get_configured(workspaces[20], "orchestrations", "n07").entry["settings"] == {"list_name": "another"}


def test_a_query_stands_as_the_last_run_that_says_something_of_it(tmp_path: Any) -> None:
    workspace = workspace_with(tmp_path, 2)
    try:
        first, second = list_configured(workspace, "orchestrations")
        # The last run was stopped, the one before it failed, the one before that counted the rows.
        assert [(s.query, s.status, s.row_count) for s in query_statuses(workspace, now=NOW)] == [
            ("n00", QueryState.ERROR, 7),
            ("n01", QueryState.ERROR, 7),
        ]
        run_of(workspace, first, "completed with warnings", NOW - timedelta(minutes=30), rows=9)
        run_of(workspace, first, "completed", NOW - timedelta(minutes=20), kind="undo", rows=1)
        run_of(workspace, second, "running", NOW - timedelta(minutes=10))
        one = query_status(workspace, "n00", now=NOW)
        assert (one.status, one.row_count, one.last_run_at) == (
            QueryState.COMPLETED, 9, NOW - timedelta(minutes=30),
        )  # fmt: skip
        assert query_status(workspace, "n01", now=NOW).status is QueryState.RUNNING
        late = NOW + timedelta(days=31)
        assert [s.status for s in query_statuses(workspace, now=late)] == [QueryState.INACTIVE, QueryState.RUNNING]
        # The web app's list says the same.
        shown = {line.name: (line.last_run_at, line.rows) for line in query_lines(workspace)}
        assert shown["n00"] == (NOW - timedelta(minutes=30), 9)
    finally:
        workspace.close()
