"""A workspace as a user has it, made by ``segue init`` and ``segue apply``, run by ``segue run``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import EMAILS, PROFILES
from benchmarks.process import Finished, Receiver, measured, python
from segue.services.workspace import open_workspace
from segue.settings import Settings
from segue.workflow.records import RunRecords

_CONFIGURATION = """
version: 1
databases:
  - {{name: customers, engine: duckdb, path: {database}}}
credentials:
  - {{name: klaviyo, type: klaviyo, api_key: pk_test, base_url: "{url}"}}
queries:
  - {{name: Profiles, database: customers, status: active, sql: {profiles}}}
  - {{name: Emails, database: customers, status: active, sql: {emails}}}
destinations:
  - {{name: Klaviyo, plugin: klaviyo, credential: klaviyo, description: "receiver of the benchmark"}}
data_templates:
  - {{name: Profiles, destination: Klaviyo, list_name: Bench, use_full_profile: true, read_back: {read_back},
      duplicates: {{latest_by: customer_since}}}}
  - {{name: Emails, destination: Klaviyo, list_name: Bench, read_back: {read_back}}}
orchestrations:
  - {{name: Profiles, query: Profiles, destination: Klaviyo, data_template: Profiles, workflow: manual}}
  - {{name: Emails, query: Emails, destination: Klaviyo, data_template: Emails, workflow: manual}}
"""
COMPLETED = (0, 3)
"""Exit codes of a completed run: without and with warnings. The sample holds bad phones, so there are warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A workspace in ``folder``, over a database file. read_back: how many profiles a run reads back."""

    folder: Path
    database: Path
    read_back: int

    @property
    def environment(self) -> Mapping[str, str]:
        """What ``segue`` is started with; every other setting keeps its default."""
        return {"SEGUE_HOME": str(self.folder), "SEGUE_RATE_SCALE": "0"}

    def run(self, orchestration: str, receiver: Receiver, **environment: str) -> tuple[Finished, dict[str, Any]]:
        """One ``segue run``, measured, and the object that it prints."""
        command = python("segue.cli", "run", orchestration, "--json", "--yes")
        finished = measured(
            command, environment={**self.environment, **environment}, receiver=receiver, accepted=COMPLETED
        )
        return finished, json.loads(finished.output)

    def point(self, url: str) -> None:
        """Send to this receiver from now on."""
        text = _CONFIGURATION.format(
            database=json.dumps(str(self.database.absolute())),
            url=url,
            profiles=json.dumps(PROFILES),
            emails=json.dumps(EMAILS),
            read_back=self.read_back,
        )
        configuration = self.folder / "bench.yaml"
        configuration.write_text(text, encoding="utf-8")
        measured(python("segue.cli", "apply", configuration), environment=self.environment)

    def tasks(self, run_id: str) -> dict[str, float]:
        """Seconds of each task of a run."""
        workspace = open_workspace(Settings(home=self.folder.absolute()))
        try:
            tasks = RunRecords(workspace.catalog).get(run_id).tasks
        finally:
            workspace.close()
        return {t.name: (t.ended_at - t.started_at).total_seconds() for t in tasks if t.ended_at and t.started_at}


def make_home(folder: Path, *, database: Path, url: str, read_back: int = 0) -> Home:
    """A new workspace over a database file, sending to ``url``.

    read_back: the sink keeps no profile, so nothing can be read back from it; the emulator answers truly.
    """
    home = Home(folder=folder, database=database, read_back=read_back)
    measured(python("segue.cli", "init"), environment=home.environment)
    home.point(url)
    return home
