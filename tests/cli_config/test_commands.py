from __future__ import annotations

import json

import duckdb
import pytest
import yaml

from segue.cli.main import run

FILE = """\
version: 1
databases:
  - {name: "c360 [eu]", engine: duckdb, path: ./c360.duckdb}
credentials:
  - {name: klaviyo, type: klaviyo, api_key: "${KLAVIYO_API_KEY}"}
queries:
  - {name: Loyalty, database: "c360 [eu]", status: active, sql: SELECT email FROM Customer360}
destinations:
  - {name: Klaviyo, plugin: klaviyo, credential: klaviyo}
data_templates:
  - {name: Email only, destination: Klaviyo, list_name: Loyalty}
orchestrations:
  - {name: Loyalty to Klaviyo, query: Loyalty, destination: Klaviyo, data_template: Email only}
"""


@pytest.fixture
def segue(tmp_path, monkeypatch, capsys):
    """Run a command line; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEGUE_HOME", "SEGUE_SECRET_KEY", "SEGUE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_0123456789")
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments):
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def ready(segue, tmp_path):
    with duckdb.connect(str(tmp_path / "c360.duckdb")) as connection:
        connection.execute("CREATE TABLE Customer360 (email VARCHAR)")
    (tmp_path / "segue.yaml").write_text(FILE)
    assert segue("init")[0] == 0
    return segue


def test_version(segue):
    from importlib.metadata import version

    assert segue("--version") == (0, f"segue {version('segue')}\n", "")


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("apply", "--help"), ("export", "-h")])
def test_help(segue, arguments):
    code, out, err = segue(*arguments)
    assert (code, err) == (0, "")
    assert "Usage: segue" in out


def test_no_command_shows_the_help_and_is_a_usage_error(segue):
    code, out, err = segue()
    assert code == 2
    assert "Usage: segue" in out + err


def test_init_tells_what_was_made_and_what_comes_next(segue, tmp_path):
    code, out, err = segue("init")
    assert (code, err) == (0, "")
    assert f"made {tmp_path / '.segue' / 'segue.db'}" in out
    assert "segue apply" in out
    code, out, _ = segue("init")
    assert code == 0
    assert "made /" not in out


def test_init_with_a_sample_leads_to_a_first_apply(segue, tmp_path):
    code, out, _ = segue("init", "--sample", "--rows", "50")
    assert code == 0
    sample = tmp_path / ".segue" / "customer360.duckdb"
    assert f"made {sample}" in out
    assert f"segue apply {tmp_path / '.segue' / 'segue.yaml'}" in out
    with duckdb.connect(str(sample), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM Merged_Customers").fetchone() == (50,)
    assert segue("apply", str(tmp_path / ".segue" / "segue.yaml"))[0] == 0


def test_segue_home_moves_the_workspace(segue, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_HOME", "elsewhere")
    assert segue("init")[0] == 0
    assert (tmp_path / "elsewhere" / "segue.db").exists()


def test_upgrade_of_a_current_workspace(ready):
    assert ready("upgrade") == (0, "the workspace is up to date\n", "")


def test_apply_shows_changes_and_then_none(ready):
    code, out, err = ready("apply", "segue.yaml")
    assert (code, err) == (0, "")
    assert "+ database c360 [eu]\n" in out
    assert "+ data template Email only\n" in out
    assert out.endswith("6 created\n")
    assert ready("apply", "segue.yaml") == (0, "6 unchanged\n", "")


def test_apply_shows_fields_before_and_after_but_no_secret(ready, tmp_path, monkeypatch):
    ready("apply", "segue.yaml")
    (tmp_path / "segue.yaml").write_text(FILE.replace("list_name: Loyalty", "list_name: Fans, max_rows: 10"))
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_another")
    code, out, _ = ready("apply", "segue.yaml", "--dry-run")
    assert code == 0
    assert "~ data template Email only\n    list_name: Loyalty -> Fans\n    max_rows: (not set) -> 10\n" in out
    assert "~ credential klaviyo\n    api_key: changed\n" in out
    assert "pk_" not in out
    assert out.endswith("dry run, nothing saved: 2 updated, 4 unchanged\n")
    assert "2 updated, 4 unchanged" in ready("apply", "segue.yaml")[1]


def test_apply_json_is_one_object_without_secrets(ready):
    code, out, err = ready("apply", "segue.yaml", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["applied"] is True
    assert report["warnings"] == []
    credential = next(change for change in report["changes"] if change["kind"] == "credentials")
    assert credential == {
        "kind": "credentials",
        "name": "klaviyo",
        "action": "create",
        "renamed_from": None,
        "fields": [
            {"name": "type", "old": None, "new": "klaviyo"},
            {"name": "api_key", "old": None, "new": "(secret)"},
        ],
    }


def test_apply_prune_deletes(ready, tmp_path):
    ready("apply", "segue.yaml")
    (tmp_path / "segue.yaml").write_text(FILE.partition("data_templates")[0])
    out = ready("apply", "segue.yaml", "--prune")[1]
    assert "- orchestration Loyalty to Klaviyo\n- data template Email only\n2 deleted, 4 unchanged\n" in out


def test_warnings_go_to_stderr(ready, tmp_path):
    (tmp_path / "segue.yaml").write_text(FILE.replace("${KLAVIYO_API_KEY}", "pk_literal"))
    code, out, err = ready("apply", "segue.yaml")
    assert code == 0
    assert err.startswith("warning: segue.yaml:5:45: an API key stands in the file")
    assert "pk_literal" not in out + err


def test_mistakes_are_listed_with_their_places(ready, tmp_path):
    (tmp_path / "segue.yaml").write_text(FILE.replace("query: Loyalty", "query: Loyal").replace("type: k", "type: x"))
    code, out, err = ready("apply", "segue.yaml")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "error: segue.yaml:5:27: \"type\" takes 'klaviyo' [configuration]",
        'segue.yaml:13:39: there is no query "Loyal"; did you mean "Loyalty"?',
        "  1. Correct the lines above and apply again; nothing was changed.",
    ]


def test_export_writes_a_file_that_applies_without_changes(ready, tmp_path, monkeypatch):
    ready("apply", "segue.yaml")
    code, out, _ = ready("export", "--output", "out.yaml")
    assert (code, out) == (0, "")
    text = (tmp_path / "out.yaml").read_text()
    assert yaml.safe_load(text)["databases"] == [{"name": "c360 [eu]", "engine": "duckdb", "path": "./c360.duckdb"}]
    monkeypatch.delenv("KLAVIYO_API_KEY")
    assert ready("apply", "out.yaml") == (0, "6 unchanged\n", "")
    assert ready("export")[1].replace(f"{tmp_path}/", "./") == text


def test_export_does_not_replace_a_file_unless_forced(ready, tmp_path):
    (tmp_path / "out.yaml").write_text("mine")
    code, _, err = ready("export", "-o", "out.yaml")
    assert code == 2
    assert err.startswith("error: out.yaml is there already [file_exists]\n")
    assert (tmp_path / "out.yaml").read_text() == "mine"
    assert ready("export", "-o", "out.yaml", "--force")[0] == 0
    assert (tmp_path / "out.yaml").read_text() == "version: 1\n"
    assert ready("export", "-o", "none/out.yaml")[0] == 2


def test_list_shows_tables_without_secrets(ready):
    ready("apply", "segue.yaml")
    code, out, err = ready("list")
    assert (code, err) == (0, "")
    for word in ("c360 [eu]", "Loyalty to Klaviyo", "data templates", "list name", "****"):
        assert word in out
    assert "pk_" not in out


@pytest.mark.parametrize("kind", ["data_templates", "data-template", "Data Template"])
def test_list_of_one_kind(ready, kind):
    ready("apply", "segue.yaml")
    assert json.loads(ready("list", kind, "--json")[1]) == {
        "data_templates": [{"name": "Email only", "destination": "Klaviyo", "list_name": "Loyalty"}]
    }


def test_list_of_an_unknown_kind(ready):
    code, _, err = ready("list", "querys")
    assert code == 2
    assert 'did you mean "queries"' in err


def test_list_before_anything_is_configured(ready):
    assert "nothing yet" in ready("list", "queries")[1]


def test_how_long_things_are_kept_is_set_shown_and_taken_back(ready, monkeypatch):
    monkeypatch.setenv("SEGUE_KEEP_RUNS", "200d")
    assert ready("retention", "set")[0] == 2
    assert ready("retention", "set", "--keep-payloads", "30d", "--most-payloads", "9")[0] == 0
    assert json.loads(ready("retention", "show", "--json")[1]) == {
        "set": {"keep_payloads": "30d", "most_payloads": 9},
        "effective": {
            "keep_payloads": 30 * 86400,
            "most_payloads": 9,
            "keep_runs": 200 * 86400,
            "most_runs": None,
            "keep_last_runs": 20,
        },
    }
    code, _, told = ready("retention", "set", "--keep-runs", "1d")
    assert (code, "outlive" in told) == (2, True)
    ready("retention", "set", "--keep-payloads", "default")
    shown = ready("retention", "show")[1]
    assert [line.split()[1:3] for line in shown.splitlines() if "keep_payloads" in line] == [["90", "days"]]


def test_apply_tells_a_change_of_retention(ready, tmp_path):
    (tmp_path / "kept.yaml").write_text("version: 1\nretention: {keep_payloads: 30d}\n")
    out = ready("apply", "kept.yaml")[1]
    assert "~ retention of the workspace" in out
    assert "keep_payloads: (not set) -> 30d" in out
    assert "1 unchanged" in ready("apply", "kept.yaml")[1]
