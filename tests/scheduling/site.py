"""A workspace with groups, a scheduler whose clock the test sets, and members that say when they begin."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import update

from segue.catalog.groups import OrchestrationGroup
from segue.scheduling import GroupRecord, MemberResult, MemberStatus, Scheduler, Turn, record_signal
from segue.services.configuration import apply_files
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.workspaces import new_workspace

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""When every group of these tests was made."""
MEMBERS = ("A", "B", "C", "D")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def document(groups: Iterable[Any], *, sql: str = "SELECT email FROM People", path: str = "./people.csv") -> Any:
    """A configuration with the orchestrations A to D, whose query is a draft, and these groups."""
    return {
        "version": 1,
        "databases": [{"name": "shop", "engine": "duckdb", "tables": {"People": path}}],
        "credentials": [{"name": "klaviyo", "type": "klaviyo", "api_key": "pk_test"}],
        "queries": [{"name": "People", "database": "shop", "sql": sql}],
        "destinations": [{"name": "Klaviyo", "plugin": "klaviyo", "credential": "klaviyo"}],
        "data_templates": [{"name": "Email", "destination": "Klaviyo", "list_name": "People"}],
        "orchestrations": [
            {"name": name, "query": "People", "destination": "Klaviyo", "data_template": "Email"} for name in MEMBERS
        ],
        "orchestration_groups": list(groups),
    }


class Starts:
    """Runs members: says which began, in order; some fail."""

    def __init__(self, **results: MemberResult | Exception) -> None:
        self.names: list[str] = []
        self.results = results

    def __call__(self, turn: Turn) -> MemberResult:
        name = turn.orchestration
        self.names.append(name)
        result = self.results.get(name, MemberResult(run_id=f"run-{name}", status=MemberStatus.COMPLETED))
        if isinstance(result, Exception):
            raise result
        return result


class Site:
    """A workspace with groups and a scheduler whose clock the test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings.from_env({"SEGUE_HOME": str(folder / "home")})
        new_workspace(self.settings)
        self.workspace = open_workspace(self.settings)
        self.catalog = self.workspace.catalog
        self.now = SINCE
        self.people = folder / "people.csv"
        self.people.write_text("email\nada@shop-mail.test\n")

    def apply(self, *groups: Any, at: datetime = SINCE, **changes: Any) -> None:
        """Make these the groups, as at a moment."""
        path = self.folder / "segue.yaml"
        path.write_text(yaml.safe_dump(document(groups, **changes)))
        report = apply_files(self.workspace, [path], environ={}, prune=True)
        changed = {
            change.name
            for change in report.changes
            if change.kind == "orchestration_groups" and change.action != "unchanged"
        }
        made = {change.name for change in report.changes if change.action == "create"}
        for name in changed:
            values = {"updated_at": at} | ({"created_at": at} if name in made else {})
            with self.catalog.session() as session:
                session.execute(update(OrchestrationGroup).where(OrchestrationGroup.name == name).values(**values))

    def scheduler(self, **options: Any) -> Scheduler:
        return Scheduler(catalog=self.catalog, locks=self.workspace.locks, clock=lambda: self.now, **options)

    def due(self, at: str) -> list[tuple[str, str]]:
        """Names and causes of the runs that are due at a moment."""
        self.now = utc(at)
        return [(run.group, str(run.cause)) for run in self.scheduler().due(self.now)]

    def turn(self, at: str, start: Any = None, stop: threading.Event | None = None) -> list[GroupRecord]:
        """Look and run what is due; the runs as they ended."""
        self.now = utc(at)
        scheduler = self.scheduler(stop=stop or threading.Event())
        ended = [scheduler.run_group(run, start or Starts()) for run in scheduler.due(self.now)]
        return [run for run in ended if run is not None]

    def signal(self, name: str, at: str) -> list[str]:
        return [group.name for group in record_signal(self.catalog, name, clock=lambda: utc(at))]

    def runs(self, group: str) -> list[GroupRecord]:
        """Every run of a group, the oldest first."""
        from segue.scheduling import find_group

        with self.catalog.session(read_only=True) as session:
            found = find_group(session, group)
        return list(reversed(self.scheduler().records.latest(found.id, limit=100)))

    def later(self) -> datetime:
        """A moment after everything that was done with the real clock."""
        return datetime.now(UTC) + timedelta(minutes=1)
