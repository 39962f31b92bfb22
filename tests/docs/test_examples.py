"""The demo and the soak end as they should, and notice when they should not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest

from examples.sandbox import SandboxError, sandbox
from examples.soak import soak
from tests.docs.pages import ROOT

pytestmark = pytest.mark.timeout(600)


def test_demo_ends_equal(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--rows", "300", "--folder", str(tmp_path / "demo")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nequal\n" in done.stdout
    assert "city=None" in done.stdout


def test_soak_compares_after_each_round(tmp_path):
    with sandbox(tmp_path / "soak", rows=200, configuration=ROOT / "examples" / "soak.yaml") as place:
        assert soak(place, seed=3, rounds=2, seconds=300) == 2
        place.admin.remove_members("People", place.admin.emails("People")[:1])
        with pytest.raises(SandboxError, match="the list lacks 1 people"):
            soak(place, seed=4, rounds=1, seconds=300)


def test_demo_serves_the_web_app_at_the_end(tmp_path):
    command = [sys.executable, "-m", "examples.demo", "--no-once", "--rows", "100", "--folder", str(tmp_path / "demo")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        printed = next(line for line in process.stdout if line.startswith("the web app is at"))
        assert httpx.get(printed.split()[-1], follow_redirects=True).status_code == 200
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
