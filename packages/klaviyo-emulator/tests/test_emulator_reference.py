"""The reference page names every switch with its default, every fault and every call of the administration."""

from __future__ import annotations

import re
from pathlib import Path

from klaviyo_emulator.admin import Admin
from klaviyo_emulator.admin_client import EmulatorAdmin
from klaviyo_emulator.faults import KINDS
from klaviyo_emulator.settings import Settings
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import World

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "emulator.md").read_text()


def test_switches() -> None:
    section = PAGE.split("## Switches")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", section, re.MULTILINE))
    assert set(listed) == set(Settings().as_dict())
    for name, value in Settings().as_dict().items():
        shown = listed[name]
        assert (
            float(shown) == value
            if isinstance(value, float)
            else shown == str(value).replace("True", "true").replace("False", "false")
        )


def test_faults() -> None:
    section = PAGE.split("## Faults")[1].split("\n## ")[0]
    assert set(KINDS) <= set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_administration() -> None:
    section = PAGE.split("## Administration")[1]
    world = World()
    for route in Admin(world, Worker(world)).routes():
        path = route.path.replace("{ref:path}", "{name or id}").replace("{id:int}", "{id}")
        assert f"/admin{path}" in section, path
    for name in vars(EmulatorAdmin):
        if not name.startswith("_") and name not in ("for_account", "url"):
            assert f"{name}(" in section or f"`{name}`" in section, name
