from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running
from tests.cluster import Cluster, cluster
from tests.e2e.shop import Shop


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL for the tests of this process, started when the first of them asks for it."""
    with cluster() as running:
        yield running


@pytest.fixture
def emulator() -> Iterator[Running]:
    """Klaviyo without rate limits."""
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: Running) -> Iterator[Shop]:
    """A brand with a database, a workspace and one orchestration."""
    shop = Shop(folder=tmp_path, emulator=emulator)
    with shop.closing:
        yield shop
