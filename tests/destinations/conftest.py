"""A fake Klaviyo at the transport."""

from __future__ import annotations

import pytest

from tests.destinations.fake import Fake


@pytest.fixture
def fake() -> Fake:
    """Knows no route yet."""
    return Fake()
