"""Whatever goes wrong ends in a few lines on stderr and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from segue.cli.main import run

HEAVY = ("sqlalchemy", "alembic", "pydantic", "duckdb", "pyarrow", "sqlglot", "cryptography", "yaml", "httpx")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("SEGUE_HOME", "SEGUE_SECRET_KEY", "SEGUE_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def test_a_missing_workspace_says_what_to_do(capsys, tmp_path):
    assert run(["list"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"error: there is no workspace at {tmp_path / '.segue'} [no_workspace]",
        "  1. Run `segue init` to make one.",
        "  2. Or set SEGUE_HOME to the folder of an existing workspace.",
    ]


def test_a_cause_is_shown(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEGUE_HOME", "file/home")
    assert run(["init"]) == 1
    assert "\ncause: Not a directory\n" in capsys.readouterr().err


def test_a_bad_setting_is_a_usage_error(capsys, monkeypatch):
    monkeypatch.setenv("SEGUE_QUERY_MEMORY", "lots")
    assert run(["init"]) == 2
    assert capsys.readouterr().err.startswith("error: SEGUE_QUERY_MEMORY takes a size")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "nonsense"),
        (["apply"], "FILE..."),
        (["init", "--rows", "none"], "--rows"),
        (["init", "--rows", "0"], "--rows"),
        (["export", "--outptu", "x"], "--outptu"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(capsys, arguments, message):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert "--help`." in err.splitlines()[-1]
    assert len(err.splitlines()) == 2


def test_a_traceback_appears_only_in_debug(capsys, monkeypatch):
    assert run(["list"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("SEGUE_DEBUG", "1")
    assert run(["list"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: there is no workspace")
    assert "Traceback (most recent call last)" in err


def test_an_unforeseen_error_shows_its_type_and_not_its_text(capsys, tmp_path, monkeypatch):
    # A metadata database whose schema was meddled with is nothing that Segue expects.
    import sqlite3
    from contextlib import closing

    run(["init"])
    with closing(sqlite3.connect(tmp_path / ".segue" / "segue.db")) as connection:
        connection.execute(
            "INSERT INTO databases (id, name, created_at, updated_at, engine, path, tables) "
            "VALUES ('1', 'ada@shop-mail.test', 'no date', 'no date', 'duckdb', '/x', '{}')"
        )
        connection.commit()
    capsys.readouterr()
    assert run(["list"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: Segue failed unexpectedly (ValueError) [unexpected]\n")
    assert "ada@" not in err
    assert "no date" not in err
    assert "SEGUE_DEBUG=1" in err
    monkeypatch.setenv("SEGUE_DEBUG", "1")
    assert run(["list"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ValueError" in err
    assert "ada@" not in err
    assert "no date" not in err


def test_ctrl_c_ends_with_130_and_one_line(tmp_path):
    run(["init"])
    fifo = tmp_path / "segue.yaml"
    os.mkfifo(fifo)
    command = subprocess.Popen(
        [sys.executable, "-c", "import sys; from segue.cli import main; sys.exit(main())", "apply", str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Opening waits until the command has opened its end, and so is in the middle of its work.
    with fifo.open("wb"):
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert (out, err) == ("", "interrupted\n")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from segue.cli.main import run; run(['--help']); "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], sep=',', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "\n"
    assert "apply" in done.stdout


def test_what_libraries_log_is_redacted():
    code = (
        "import logging; from segue.cli.main import run; run(['--version']); "
        "logging.getLogger('lib').warning('sent %s to %s', 'pk_0123456789', 'ada@shop-mail.test'); "
        "logging.getLogger('lib').info('quiet')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "WARNING lib: sent pk_**** to ****@****\n"
