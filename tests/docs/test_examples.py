"""The demo and the soak end as they should, and notice when they should not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest

from examples.demo import look_around, options
from examples.sandbox import Sandbox, SandboxError, sandbox
from examples.soak import soak
from tests.docs.pages import ROOT

pytestmark = pytest.mark.timeout(600)


def test_demo_ends_equal_and_serves_the_web_app(tmp_path):
    command = [sys.executable, "-m", "examples.demo", "--no-once", "--rows", "300", "--folder", str(tmp_path / "demo")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if line.startswith("the web app is at"):
                break
        assert "equal\n" in printed, "".join(printed)
        assert any("city=None" in line for line in printed)
        assert httpx.get(printed[-1].split()[-1], follow_redirects=True).status_code == 200
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_demo_ends_at_once_without_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo"])
    once = options().once
    assert once
    look_around(Sandbox(folder=tmp_path, url="http://127.0.0.1:9"), serve=not once)
    assert str(tmp_path) in capsys.readouterr().out


def test_soak_compares_after_each_round(tmp_path):
    with sandbox(tmp_path / "soak", rows=200, configuration=ROOT / "examples" / "soak.yaml") as place:
        assert soak(place, seed=3, rounds=2, seconds=300) == 2
        place.admin.remove_members("People", place.admin.emails("People")[:1])
        with pytest.raises(SandboxError, match="the list lacks 1 people"):
            soak(place, seed=4, rounds=1, seconds=300)
