"""Starts ``segue`` as a second process within a fraction of a second: forked from one that has loaded everything.

A start from nothing takes one to three seconds of processor time, and tests start hundreds. What they start here is a
process of its own all the same: with its own id, arguments, environment, folder and descriptors, and it can be killed at
any moment. Some tests start the installed program itself: those of the README, of the tutorial, of the examples, of
Ctrl-C and of what a start loads.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def segue() -> tuple[str, ...]:
    """The beginning of a command line that is ``segue``; what follows are its arguments."""
    return (sys.executable, "-I", "-S", str(_HERE / "segue.py"), str(_address()))


@cache
def on_the_path() -> Path:
    """A folder with such a ``segue``, for the beginning of PATH."""
    folder = _address().parent / "bin"
    folder.mkdir()
    program = folder / "segue"
    program.write_text(f'#!/bin/sh\nexec {" ".join(segue())} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


@cache
def _address() -> Path:
    """The socket of the process that others are forked from, which ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="starts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address = folder / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(16)
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.starts.forking", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(listener.fileno(),),
            cwd=_HERE.parents[1],
            env={
                **os.environ,
                "ARROW_DEFAULT_MEMORY_POOL": "system",
                "JE_ARROW_MALLOC_CONF": "background_thread:false",  # what has several threads cannot be forked
            },
        )
    atexit.register(parent.communicate)
    return address
