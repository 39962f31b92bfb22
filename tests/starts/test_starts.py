"""What is forked is a process of its own, and behaves as the installed program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.starts import on_the_path, segue

PLAIN = (sys.executable, "-m", "segue.cli")


def outcome(program, *arguments, cwd):
    environment = {"PATH": os.environ["PATH"], "SEGUE_HOME": "here", "SEGUE_CHUNK_ROWS": "7"}
    done = subprocess.run(
        [*program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [("limits", "--nonsense"), ("init",), ("apply", "nothing.yaml")])
def test_it_does_what_the_program_does_with_its_arguments_environment_and_folder(tmp_path, arguments):
    results = []
    for name, program in (("plain", PLAIN), ("forked", segue())):
        (tmp_path / name).mkdir()
        code, out, err = outcome(program, *arguments, cwd=tmp_path / name)
        results.append((code, out.replace(name, ""), err.replace(name, ""), (tmp_path / name / "here").exists()))
    assert results[0] == results[1]


@pytest.fixture
def standing(tmp_path):
    """One that waits for a file to be written, and its process."""
    fifo = tmp_path / "segue.yaml"
    os.mkfifo(fifo)
    environment = {**os.environ, "SEGUE_HOME": str(tmp_path / "home")}
    subprocess.run([*segue(), "init"], env=environment, check=True, capture_output=True)
    command = [str(on_the_path() / "segue"), "apply", str(fifo)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as front:
        with fifo.open("wb"):  # opens once the command has opened its end
            [forked] = [p for p in psutil.process_iter() if p.pid != front.pid and opened(p, fifo)]
            yield front, forked
        front.kill()


def held(process: psutil.Process) -> list[str]:
    """What it has open, as /proc names it."""
    return [str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()]


def opened(process: psutil.Process, path: Path) -> bool:
    try:
        return process.pid != os.getpid() and str(path) in held(process)
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_dies_of_a_signal_and_says_so(standing, number):
    front, forked = standing
    forked.send_signal(number)
    assert front.wait(60) == -number


def test_a_signal_to_the_front_reaches_it(standing):
    front, forked = standing
    front.send_signal(signal.SIGINT)
    assert front.wait(60) == 130
    assert front.stderr.read() == b"interrupted\n"
    assert not forked.is_running()


def test_it_does_not_outlive_its_front(standing):
    front, forked = standing
    front.kill()
    psutil.wait_procs([forked], timeout=60)
    assert not forked.is_running()


def test_it_holds_nothing_that_others_have_open(standing):
    _, forked = standing
    assert not [name for name in held(forked) if name.startswith(("socket:", "anon_inode:"))]
