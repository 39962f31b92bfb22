from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from klaviyo_emulator import EmulatorAdmin, Running, serve

# Tests are imported by path, so what they share must be put on the import path.
sys.path.insert(0, str(Path(__file__).parent))

from emulator_kit import HEADERS, START, Api


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    with serve(frozen_at=START) as running:
        yield running


@pytest.fixture
def emulator(server: Running) -> Running:
    """An emulator as at its start, its clock standing still at START."""
    server.admin.reset()
    return server


@pytest.fixture
def admin(emulator: Running) -> EmulatorAdmin:
    return emulator.admin


@pytest.fixture
def api(emulator: Running) -> Iterator[Api]:
    with httpx.Client(base_url=emulator.url, headers=HEADERS, timeout=30, verify=False, trust_env=False) as client:
        yield Api(client, emulator.admin)
