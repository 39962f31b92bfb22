"""Places where a test may kill the process, to prove that a crash there loses nothing. Nothing is armed in normal use."""

from __future__ import annotations

import os
import signal

_armed: dict[str, int] = {}


def arm(text: str) -> None:
    """Kill this process when it reaches a place: ``name`` at the first time, ``name:3`` at the third."""
    name, _, times = text.rpartition(":")
    if times.isdigit():
        _armed[name] = int(times)
    else:
        _armed[text] = 1


def reach(name: str) -> None:
    """Die here when the place is armed and its turn has come."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
