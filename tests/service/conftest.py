from __future__ import annotations

from pathlib import Path

import pytest

from klaviyo_emulator.server import Running
from tests.cluster import Cluster
from tests.e2e.shop import Shop


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path, emulator: Running) -> Shop:
    """A shop whose metadata are in either database, and whose chunks are small."""
    url = None
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        url = cluster.workspace()
    shop = Shop(folder=tmp_path, emulator=emulator, database_url=url)
    shop.environment["SEGUE_CHUNK_ROWS"] = "10"
    return shop
