from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from segue.cli.main import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def segue(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments):
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    assert command("init")[0] == 0
    return command


def test_a_token_is_shown_once(segue):
    code, text, _ = segue("token", "create", "nightly", "--scope", "run", "--scope", "configure", "--days", "30")
    assert code == 0
    assert re.fullmatch(r"sk_segue_[0-9a-f]{64}\n", text)
    (listed,) = json.loads(segue("token", "list", "--json")[1])
    assert (listed["name"], listed["scopes"], listed["status"]) == ("nightly", ["configure", "run"], "valid")
    assert text.strip() not in segue("token", "list")[1]
    assert segue("token", "revoke", "nightly")[0] == 0
    assert json.loads(segue("token", "list", "--json")[1])[0]["status"] == "revoked"
    code, _, told = segue("token", "revoke", "nightli")
    assert code == 2
    assert 'did you mean "nightly"?' in told


def test_a_token_reads_only_unless_more_is_asked_for(segue):
    segue("token", "create", "ci")
    assert json.loads(segue("token", "list", "--json")[1])[0]["scopes"] == ["read"]


def test_the_reference_is_current():
    made = subprocess.run(
        [sys.executable, "-m", "docs.make_api"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    assert (ROOT / "docs/reference/api.md").read_text(encoding="utf-8") == made.stdout
