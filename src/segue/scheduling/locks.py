"""Locks of the operating system: one process a group, one scheduler a workspace. They go when the process goes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def try_lock(folder: Path, name: str) -> Iterator[bool]:
    """Whether the lock is ours for the time of the block; False when somebody else has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def group_lock(group_id: str) -> str:
    """The name of a group's lock."""
    return f"group-{group_id}"
