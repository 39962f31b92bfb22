"""A workspace that the first version of Segue left behind is upgraded, and goes on from its baseline."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running
from segue.catalog import schema
from segue.errors import StateError
from segue.services.workspace import open_workspace, upgrade_workspace
from segue.settings import Settings

OLD = Path(__file__).with_name("workspace.zip")
NAME = "People to Klaviyo"


@pytest.fixture
def emulator() -> Iterator[Running]:
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, emulator: Running) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The old workspace, beside the data and the Klaviyo that it was made for; gives a way to call ``segue`` there."""
    home = tmp_path / "home"
    with zipfile.ZipFile(OLD) as archive:
        archive.extractall(home)
    home.joinpath("secret.key").chmod(0o600)
    people = {f"p{i}@mail.shop": f"Ana{i}" for i in range(1, 21)} | {"p1@mail.shop": "Eva"}
    write(tmp_path / "people.csv", people)
    emulator.admin.add_members("People", list(people))
    for email, name in people.items():
        emulator.admin.change_profile(email, {"email": email, "first_name": name, "location": {"city": "Graz"}})
    [made] = emulator.admin.lists()
    with closing(sqlite3.connect(home / "segue.db")) as database:
        # Where the data, Klaviyo and the list are in this test; all else is as it was left.
        database.execute("UPDATE databases SET tables = ?", (json.dumps({"People": str(tmp_path / "people.csv")}),))
        database.execute("UPDATE credentials SET base_url = ?", (emulator.url,))
        database.execute("UPDATE audience_snapshots SET list_id = ?", (made["id"],))
        database.execute("UPDATE runs SET list_id = ?", (made["id"],))
        database.commit()

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SEGUE_HOME": str(home), "SEGUE_RATE_SCALE": "0"}
        return subprocess.run(
            [sys.executable, "-m", "segue.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return call


def write(path: Path, people: dict[str, str]) -> None:
    path.write_text("email,first_name,city\n" + "".join(f"{email},{name},Graz\n" for email, name in people.items()))


def test_an_old_workspace_is_refused_until_it_is_upgraded(command, tmp_path: Path) -> None:
    settings = Settings.from_env({"SEGUE_HOME": str(tmp_path / "home")})
    with pytest.raises(StateError, match=r"older schema \(0002_runs\)"):
        open_workspace(settings)
    done = upgrade_workspace(settings)
    assert done is not None
    assert done[:2] == ("0002_runs", schema.revisions()[-1])
    with closing(sqlite3.connect(str(done[2]))) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002_runs",)]
    open_workspace(settings).close()


def test_it_goes_on_from_its_baseline(command, tmp_path: Path, emulator: Running) -> None:
    assert command("upgrade").returncode == 0
    same = json.loads(command("run", NAME, "--json").stdout)
    assert same["counts"]["unchanged"] == 20
    assert emulator.admin.jobs() == []
    # One is changed, one is gone, one is new: that and no more is sent.
    people = {f"p{i}@mail.shop": f"Ana{i}" for i in range(2, 22)} | {"p2@mail.shop": "Mia"}
    write(tmp_path / "people.csv", people)
    run = json.loads(command("run", NAME, "--json").stdout)
    assert run["error"] is None
    counts = {name: run["counts"][name] for name in ("added", "changed", "removed", "unchanged")}
    assert counts == {"added": 1, "changed": 1, "removed": 1, "unchanged": 18}
    assert set(emulator.admin.emails("People")) == set(people)
    profile = emulator.admin.profile("p2@mail.shop")
    assert profile is not None
    assert profile["first_name"] == "Mia"


def test_its_history_is_still_told(command) -> None:
    assert command("upgrade").returncode == 0
    runs = command("runs", "--json")
    assert [run["counts"]["added"] for run in json.loads(runs.stdout)] == [1, 20]
    history = command("history", "p0@mail.shop")
    assert history.returncode == 0
    assert "removed" in history.stdout
