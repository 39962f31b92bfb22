from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running
from segue.cli.main import run
from segue.database.sample import create_sample
from segue.settings import Settings
from tests.workspaces import new_workspace

NAME = "People to Klaviyo"
COLUMNS = {
    "email": "VARCHAR",
    "first_name": "VARCHAR",
    "phone_number": "VARCHAR",
    "city": "VARCHAR",
    "tier": "VARCHAR",
    "points": "INTEGER",
}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Site:
    """A folder with a database, a workspace and the command line, beside an emulated Klaviyo."""

    def __init__(self, folder: Path, emulator: Running, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.emulator = emulator
        self.admin = emulator.admin
        self._capsys = capsys
        self._processes: list[subprocess.Popen[str]] = []

    def segue(self, *arguments: str) -> Result:
        code = run(arguments)
        captured = self._capsys.readouterr()
        return Result(code=code, out=captured.out, err=captured.err)

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        """The real command in a process of its own, which does not outlive the test."""
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from segue.cli import main; sys.exit(main())", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
            cwd=self.folder,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            with process:
                process.kill()

    def people(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Make the table People hold exactly these rows; what a row does not have is NULL."""
        self.database(f"CREATE OR REPLACE TABLE People ({', '.join(f'{n} {k}' for n, k in COLUMNS.items())})")
        values = [[row.get(name) for name in COLUMNS] for row in rows]
        if values:
            with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
                connection.executemany(f"INSERT INTO People VALUES ({', '.join('?' for _ in COLUMNS)})", values)

    def database(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            return connection.execute(sql).fetchall()

    def apply(self, *, sql: str = "SELECT * FROM People", key: str | None = None, **changes: Any) -> None:
        """Apply the configuration; changes: settings of the data template, or whole sections."""
        sections: dict[str, Any] = {name: changes.pop(name) for name in ("databases", "queries") if name in changes}
        # A first send that unsets properties warns; runs here are to end without a warning unless a test is about one.
        quiet = {"max_reject_share": 1.0, "first_send_nulls": "keep"}
        template: dict[str, Any] = {"list_name": "People", "use_full_profile": True, **quiet, **changes}
        document = {
            "version": 1,
            "databases": [{"name": "shop", "engine": "duckdb", "path": "./shop.duckdb"}],
            "credentials": [
                {
                    "name": "klaviyo",
                    "type": "klaviyo",
                    "api_key": key or self.emulator.key,
                    "base_url": self.emulator.url,
                }
            ],
            "queries": [{"name": "People", "database": "shop", "status": "active", "sql": sql}],
            "destinations": [{"name": "Klaviyo", "plugin": "klaviyo", "credential": "klaviyo"}],
            "data_templates": [{"name": "Full", "destination": "Klaviyo", **template}],
            "orchestrations": [
                {
                    "name": NAME,
                    "query": "People",
                    "destination": "Klaviyo",
                    "data_template": "Full",
                    "workflow": "manual",
                }
            ],
            **sections,
        }
        (self.folder / "segue.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        assert self.segue("apply", "segue.yaml").code == 0

    def send(self, *options: str) -> Any:
        """Run the orchestration; its JSON."""
        result = self.segue("run", NAME, "--json", *options)
        assert result.out, result.err
        return result.json


@pytest.fixture
def emulator() -> Iterator[Running]:
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def site(
    tmp_path: Path, emulator: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Site]:
    """A workspace with an empty table People, not applied yet."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEGUE_SECRET_KEY", "SEGUE_DEBUG", "SEGUE_FAILPOINT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEGUE_RATE_SCALE", "0")
    made = Site(tmp_path, emulator, capsys)
    made.people([])
    new_workspace(Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")}))
    yield made
    made.close()


@pytest.fixture
def shop(site: Site) -> Site:
    """The same with the configuration applied."""
    site.apply()
    return site


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "customer360.duckdb"
    create_sample(path, rows=200)
    return path


@pytest.fixture
def sample(site: Site, sample_file: Path) -> Site:
    """The shop's database is the sample of 200 customers; nothing is applied."""
    shutil.copy(sample_file, site.folder / "shop.duckdb")
    return site
