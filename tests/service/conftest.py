from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from klaviyo_emulator import serve
from klaviyo_emulator.server import Running


@pytest.fixture
def emulator() -> Iterator[Running]:
    with serve(limit_scale=0) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: Running) -> Any:
    from tests.e2e.shop import Shop

    return Shop(folder=tmp_path, emulator=emulator)
