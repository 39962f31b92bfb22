# ruff: noqa: D103 -- the name of a test says what it shows
"""Programs are measured with their children."""

from __future__ import annotations

import sys

import pytest

from benchmarks.process import measured

# The child holds 300 MB while the parent waits for it; both are looked at every tenth of a second.
_CHILD = (
    "import time; held = bytearray(b'x') * 300_000_000; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
)
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_CHILD!r}], check=True); print('said')"


def test_time_memory_and_output_of_a_program_and_its_child() -> None:
    finished = measured([sys.executable, "-c", _PARENT])
    assert finished.output == "said\n"
    assert finished.seconds > 1
    assert finished.cpu > 0.3
    assert finished.peak > 300_000_000


def test_an_exit_code_that_is_not_accepted_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended with 4"):
        measured([sys.executable, "-c", "raise SystemExit(4)"], accepted=(0, 3))
