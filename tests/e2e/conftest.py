from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running

from .shop import Shop


@pytest.fixture
def emulator() -> Iterator[Running]:
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: Running) -> Shop:
    return Shop(folder=tmp_path, emulator=emulator)
