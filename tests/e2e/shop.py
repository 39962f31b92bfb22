"""A shop to run orchestrations in: a table of people, a workspace, and an emulated Klaviyo whose state tests assert."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from klaviyo_emulator.server import Running
from segue.delivery.progress import Progress, Quiet
from segue.services.configuration import apply_files
from segue.services.history import Entry, history
from segue.services.planning import Plan
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings
from segue.workflow.records import RunRecord
from segue.workflow.run import Runner
from segue.workflow.sync import plan
from tests.starts import segue
from tests.workspaces import new_workspace

COLUMNS = {
    "email": "VARCHAR",
    "first_name": "VARCHAR",
    "phone_number": "VARCHAR",
    "external_id": "VARCHAR",
    "city": "VARCHAR",
    "tier": "VARCHAR",
    "points": "INTEGER",
    "last_event_date": "TIMESTAMP",
}
NAME = "People to Klaviyo"
SQL = f"SELECT {', '.join(COLUMNS)} FROM People"


@dataclass
class Shop:
    """One database, one orchestration. Settings of the template can change between runs."""

    folder: Path
    emulator: Running
    sql: str = SQL
    template: dict[str, Any] = field(default_factory=lambda: {"list_name": "People", "use_full_profile": True})
    key: str = "pk_test"
    rate_scale: float = 0.0
    database_url: str | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    """What a test holds open beside Segue."""
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Quiet)

    def __post_init__(self) -> None:
        self.admin = self.emulator.admin
        self.environment = {"SEGUE_HOME": str(self.folder / "home"), "SEGUE_RATE_SCALE": str(self.rate_scale)}
        if self.database_url is not None:
            self.environment["SEGUE_DATABASE_URL"] = self.database_url
        if self.database_url is None:
            new_workspace(self.settings)
        else:
            init_workspace(self.settings)
        self.people([])
        self.configure()

    @property
    def settings(self) -> Settings:
        return Settings.from_env(self.environment)

    def people(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Make the table hold exactly these rows; columns that a row does not have are NULL."""
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            definition = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE OR REPLACE TABLE People ({definition})")
            values = [[row.get(name) for name in COLUMNS] for row in rows]
            if values:
                marks = ", ".join("?" for _ in COLUMNS)
                connection.executemany(f"INSERT INTO People VALUES ({marks})", values)

    def generate(self, rows: int, *, domain: str = "mail.shop") -> None:
        """Many people at once."""
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            connection.execute(f"""CREATE OR REPLACE TABLE People AS SELECT
                'p' || i || '@{domain}' AS email, 'Ana' || i AS first_name, NULL::VARCHAR AS phone_number,
                'x' || i AS external_id, 'Graz' AS city, 'gold' AS tier, i::INTEGER AS points,
                TIMESTAMP '2026-01-01' AS last_event_date FROM range({rows}) r(i)""")

    def change(self, sql: str) -> None:
        """Change the table in place."""
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            connection.execute(sql)

    def configure(self, **template: Any) -> None:
        """Apply the configuration, with these settings of the template changed."""
        self.template = {**self.template, **template}
        document = {
            "version": 1,
            "databases": [{"name": "shop", "engine": "duckdb", "path": str(self.folder / "shop.duckdb")}],
            "credentials": [{"name": "klaviyo", "type": "klaviyo", "api_key": self.key, "base_url": self.emulator.url}],
            "queries": [{"name": "People", "database": "shop", "status": "active", "sql": self.sql}],
            "destinations": [{"name": "Klaviyo", "plugin": "klaviyo", "credential": "klaviyo"}],
            "data_templates": [{"name": "Template", "destination": "Klaviyo", **self.template}],
            "orchestrations": [
                {
                    "name": NAME,
                    "query": "People",
                    "destination": "Klaviyo",
                    "data_template": "Template",
                    "workflow": "manual",
                }
            ],
        }
        path = self.folder / "segue.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        workspace = open_workspace(self.settings)
        try:
            apply_files(workspace, [path], environ={})
        finally:
            workspace.close()

    def run(self, **options: Any) -> RunRecord:
        """Run the orchestration in this process."""
        return self._with_runner(lambda runner: runner.run(NAME, **options).run)

    def resume(self, run_id: str, **options: Any) -> RunRecord:
        """Take a run up in this process."""
        return self._with_runner(lambda runner: runner.resume(run_id, **options))

    def undo(self, run_id: str, **options: Any) -> RunRecord:
        """Undo a run in this process."""
        return self._with_runner(lambda runner: runner.undo(run_id, **options).run)

    def plan(self) -> Plan:
        """What a run would do."""
        return self._with_runner(lambda runner: plan(runner, NAME))

    def history(self, email: str) -> tuple[Entry, ...]:
        """What became of a person."""
        return self._with_runner(lambda runner: history(runner.workspace, runner.settings, email))

    def _with_runner(self, use: Any) -> Any:
        workspace = open_workspace(self.settings)
        try:
            return use(Runner(workspace=workspace, settings=self.settings, progress=self.progress, stop=self.stop))
        finally:
            workspace.close()

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a user does, in a process of its own."""
        return subprocess.run(
            [*segue(), *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def killed_at(self, failpoint: str) -> None:
        """Run in a process of its own that kills itself at a failpoint."""
        done = self.command("run", NAME, "--json", SEGUE_FAILPOINT=failpoint)
        assert done.returncode == -signal.SIGKILL, (failpoint, done.returncode, done.stdout, done.stderr)

    def members(self, name: str = "People") -> set[str]:
        """Who is on the list at Klaviyo."""
        return set(self.admin.emails(name))

    def profile(self, email: str) -> dict[str, Any]:
        """A person at Klaviyo."""
        found = self.admin.profile(email)
        assert found is not None, email
        return found

    def calls(self) -> dict[str, int]:
        """Requests that Klaviyo has seen, by endpoint."""
        return {name: entry["requests"] for name, entry in self.admin.requests()["endpoints"].items()}
