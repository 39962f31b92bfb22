from __future__ import annotations

import os
import stat

import pytest
from sqlalchemy import text

from segue.catalog import schema
from segue.catalog.catalog import connect
from segue.errors import StateError
from segue.services.configuration import apply_files
from segue.services.workspace import (
    Layout,
    database_url,
    init_workspace,
    make_sample,
    open_workspace,
    upgrade_workspace,
)
from segue.settings import Settings

KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="


@pytest.fixture
def home(tmp_path):
    return tmp_path / "deep" / "home"


@pytest.fixture
def settings(home):
    return Settings.from_env({"SEGUE_HOME": str(home)})


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_a_private_workspace_whatever_the_umask(settings, home):
    before = os.umask(0)
    try:
        made = init_workspace(settings)
    finally:
        os.umask(before)
    assert {path.relative_to(home.parent).as_posix() for path in made} == {
        "home",
        "home/snapshots",
        "home/runs",
        "home/locks",
        "home/segue.db",
        "home/secret.key",
    }
    for folder in (home, home / "snapshots", home / "runs", home / "locks"):
        assert mode(folder) == 0o700
    assert mode(home / "segue.db") == 0o600
    assert mode(home / "secret.key") == 0o600


def test_init_again_changes_nothing(settings, home):
    init_workspace(settings)
    before = {path: path.read_bytes() for path in home.iterdir() if path.is_file()}
    assert init_workspace(settings) == ()
    assert {path: path.read_bytes() for path in home.iterdir() if path.is_file()} == before


def test_init_makes_what_is_missing_and_leaves_an_existing_folder_its_mode(settings, home):
    home.mkdir(parents=True)
    home.chmod(0o755)
    init_workspace(settings)
    assert mode(home) == 0o755
    (home / "locks").rmdir()
    assert init_workspace(settings) == (home / "locks",)


def test_with_a_key_in_the_environment_no_key_file_is_made(home):
    settings = Settings.from_env({"SEGUE_HOME": str(home), "SEGUE_SECRET_KEY": KEY})
    assert home / "secret.key" not in init_workspace(settings)
    assert not (home / "secret.key").exists()
    open_workspace(settings).close()


def test_a_lost_key_is_not_replaced_where_it_sealed_something(settings, home, tmp_path):
    init_workspace(settings)
    workspace = open_workspace(settings)
    file = tmp_path / "segue.yaml"
    file.write_text("version: 1\ncredentials: [{name: k, type: klaviyo, api_key: pk_x}]\n")
    apply_files(workspace, [file], environ={})
    workspace.close()
    (home / "secret.key").unlink()
    with pytest.raises(StateError, match=r"secret\.key is gone") as caught:
        init_workspace(settings)
    assert caught.value.code == "key_missing"
    assert not (home / "secret.key").exists()
    with pytest.raises(StateError, match="cannot be read"):
        open_workspace(settings)


def test_a_home_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made") as caught:
        init_workspace(Settings.from_env({"SEGUE_HOME": str(tmp_path / "file" / "home")}))
    assert "SEGUE_HOME" in caught.value.steps[0]


def test_open_without_init_is_told(settings, home):
    with pytest.raises(StateError, match="no workspace"):
        open_workspace(settings)
    assert not home.exists()


def test_upgrade_brings_an_older_workspace_forward_after_a_copy(settings, home):
    init_workspace(settings)
    assert upgrade_workspace(settings) is None
    # The oldest workspace there can be: a metadata database without any table.
    layout = Layout(home=home)
    layout.database.unlink()
    engine = connect(database_url(settings), create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE keepsake (x TEXT)"))
    engine.dispose()
    with pytest.raises(StateError, match="older"):
        open_workspace(settings)
    done = upgrade_workspace(settings)
    assert done is not None
    before, after, copy = done
    assert (before, after) == ("empty", schema.revisions()[-1])
    assert copy == home / "segue.db.empty.bak"
    assert copy is not None
    assert mode(copy) == 0o600
    open_workspace(settings).close()
    engine = connect(f"sqlite:///{copy}")
    assert schema.current(engine) is None
    engine.dispose()


def test_the_sample_fits_its_configuration_and_is_never_overwritten(settings, home):
    init_workspace(settings)
    assert make_sample(settings, rows=200) == (home / "customer360.duckdb", home / "segue.yaml")
    workspace = open_workspace(settings)
    report = apply_files(workspace, [home / "segue.yaml"], environ={})
    assert report.changed
    assert report.warnings == ()
    workspace.close()
    (home / "segue.yaml").write_text("mine")
    before = (home / "customer360.duckdb").read_bytes()
    assert make_sample(settings, rows=10) == ()
    assert (home / "segue.yaml").read_text() == "mine"
    assert (home / "customer360.duckdb").read_bytes() == before
