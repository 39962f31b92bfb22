"""A small workspace behind a server whose tests each have an orchestration, a table and a list of their own."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from examples.sandbox import Sandbox
from klaviyo_emulator import serve
from klaviyo_emulator.admin_client import EmulatorAdmin
from segue.services import editing
from segue.services.links import password_link, redeem_link
from segue.services.permissions import Option, Policy
from segue.services.users import create_user
from segue.services.workspace import Workspace, open_workspace
from segue.settings import Settings
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.requests import request_run
from tests.web.browser import PASSWORD, logged_in, web_app

_PATIENCE = 60.0


@dataclass(frozen=True)
class Small:
    """url: of the web app; admin: of the emulator. One import job takes one row."""

    place: Sandbox
    url: str
    cookies: dict[str, str]
    admin: EmulatorAdmin

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """The workspace, in this process."""
        with closing(open_workspace(Settings.from_env(self.place.variables))) as workspace:
            yield workspace

    def people(self, name: str, emails: Collection[str], *, city: str = "Graz") -> None:
        """Make a table hold these people, called Ana."""
        with duckdb.connect(str(self.place.folder / "small.duckdb")) as connection:
            connection.execute(f'CREATE OR REPLACE TABLE "{name}" (email VARCHAR, first_name VARCHAR, city VARCHAR)')
            if emails:
                connection.executemany(f"INSERT INTO \"{name}\" VALUES (?, 'Ana', ?)", [[e, city] for e in emails])

    def change(self, sql: str) -> None:
        """Change the tables."""
        with duckdb.connect(str(self.place.folder / "small.duckdb")) as connection:
            connection.execute(sql)

    def orchestration(self, name: str, emails: Collection[str], *, key: str = "pk_test", **template: Any) -> None:
        """A table, a query, a list and an orchestration of this name. key: of its credential."""
        self.people(name, emails)
        with self.opened() as workspace:
            for kind, entry in (
                ("credentials", {"type": "klaviyo", "api_key": key, "base_url": self.place.url}),
                ("queries", {"database": "small", "status": "active", "sql": f'SELECT * FROM "{name}"'}),
                ("destinations", {"plugin": "klaviyo", "credential": name, "allow_restricted_pii": True}),
                (
                    "data_templates",
                    {
                        "destination": name,
                        "list_name": name,
                        "use_full_profile": True,
                        "max_reject_share": 1,
                        **template,
                    },
                ),
                ("orchestrations", {"query": name, "destination": name, "data_template": name}),
            ):
                editing.create(workspace, kind, {"name": name, **entry})

    def begin(self, name: str) -> str:
        """Ask the server for a run; its id."""
        with self.opened() as workspace:
            return request_run(workspace, name).run.id

    def run(self, name: str) -> RunRecord:
        """A run that has ended."""
        return self.ended(self.begin(name))

    def ended(self, run_id: str) -> RunRecord:
        """A run once it has ended."""
        with self.opened() as workspace:
            deadline = time.monotonic() + _PATIENCE
            while not (run := RunRecords(workspace.catalog).get(run_id)).status.ended:
                assert time.monotonic() < deadline, f"run {run_id} did not end in time"
                time.sleep(0.05)
            return run

    def restricted(self, name: str) -> dict[str, str]:
        """The cookies of an operator who may not see personal data."""
        with self.opened() as workspace:
            create_user(workspace, name, Policy.OPERATOR, [Option.RESTRICT_PII])
            redeem_link(workspace, password_link(workspace, name).token, PASSWORD)
        return logged_in(self.place, name)


@contextmanager
def small(folder: Path) -> Iterator[Small]:
    """Serve one in this folder."""
    with serve(limit_scale=0) as emulator:
        place = Sandbox(folder=folder, url=emulator.url)
        place.captured("init")
        with duckdb.connect(str(folder / "small.duckdb")):
            pass
        with closing(open_workspace(Settings.from_env(place.variables))) as workspace:
            database = {"name": "small", "engine": "duckdb", "path": str(folder / "small.duckdb")}
            editing.create(workspace, "databases", database)
        with web_app(place, SEGUE_RATE_SCALE="0", SEGUE_CHUNK_ROWS="1") as url:
            yield Small(place=place, url=url, cookies=logged_in(place), admin=emulator.admin)
