from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest

from klaviyo_emulator import EmulatorAdmin
from klaviyo_emulator.cli import main

COMMAND = (sys.executable, "-c", "from klaviyo_emulator.cli import main; raise SystemExit(main())")


def test_the_command_serves_until_it_is_interrupted() -> None:
    options = ("--port", "0", "--limit-scale", "0", "--job-delay", "3", "--key", "pk_a", "--key", "pk_b")
    with subprocess.Popen(
        (*COMMAND, *options, "--set", "row_errors=row", "--set", "error_pointers=false", "--set", "max_groups=7"),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None
        settings = EmulatorAdmin(found.group()).settings()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert "pk_a" not in line
    chosen = {
        name: settings[name] for name in ("limit_scale", "job_delay", "row_errors", "error_pointers", "max_groups")
    }
    assert chosen == {
        "limit_scale": 0.0,
        "job_delay": 3.0,
        "row_errors": "row",
        "error_pointers": False,
        "max_groups": 7,
    }


@pytest.mark.parametrize("option", ["speed=1", "row_errors", "row_errors=some"])
def test_a_wrong_switch_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--set", option]) == 2
    assert capsys.readouterr().err.startswith("klaviyo-emulator: ")


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "in use" in capsys.readouterr().err
