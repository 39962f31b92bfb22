"""Workspaces for tests: one is made as users make theirs, the others are copies of it. Migrations take a third of a second."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from segue.services.workspace import init_workspace
from segue.settings import Settings


def new_workspace(settings: Settings) -> None:
    """A workspace at ``settings.home``, as ``segue init`` makes it; on SQLite."""
    shutil.copytree(_made(), settings.home)


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="segue-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    init_workspace(Settings.from_env({"SEGUE_HOME": str(folder / "home")}))
    return folder / "home"
