from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.services.workspace import Workspace, open_workspace
from segue.settings import Settings
from tests.workspaces import new_workspace


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"SEGUE_HOME": str(tmp_path / "home"), "SEGUE_RATE_SCALE": "0"})


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    new_workspace(settings)
    opened = open_workspace(settings)
    yield opened
    opened.close()
