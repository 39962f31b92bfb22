from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL for the tests of this process, started when the first of them asks for it."""
    with cluster() as running:
        yield running
