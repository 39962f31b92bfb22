"""A fresh orchestration for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audience.harness import Orchestration


@pytest.fixture
def loyalty(tmp_path: Path) -> Orchestration:
    """Nothing was sent yet."""
    return Orchestration(folder=tmp_path)
