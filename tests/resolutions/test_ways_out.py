"""Every entry of the catalogue: its fault is made to happen, the way out is offered, taken, and the run ends well."""

from __future__ import annotations

import threading

import pytest

from segue.catalog import sqlite
from segue.destinations.klaviyo import confirm
from segue.resolutions import Action, catalogue
from tests.e2e.shop import Shop
from tests.resolutions.cases import files, klaviyo, others, queries, workspace
from tests.resolutions.journey import Journey, travel

JOURNEYS: dict[str, Journey] = {
    "stored": queries.STORED,
    "moved": queries.MOVED,
    "files": files.FILES,
    "connecting": klaviyo.CONNECTING,
    "naming": klaviyo.NAMING,
    "sending": klaviyo.SENDING,
    "given up": klaviyo.GIVEN_UP,
    "leaving": klaviyo.LEAVING,
    "running": workspace.RUNNING,
    "anew": workspace.ANEW,
    "before": workspace.BEFORE,
    "undo": others.UNDO,
    "stopped": others.STOPPED,
    "gone": others.GONE,
    "plugin": others.PLUGIN,
}


@pytest.mark.parametrize("name", JOURNEYS)
def test_every_fault_has_a_way_out(
    name: str, shop: Shop, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stop = Hurried()
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.1)
    monkeypatch.setattr(confirm, "_PATIENCE", 60.0)
    travel(JOURNEYS[name], shop, subtests)


class Hurried(threading.Event):
    """Time flies for whoever waits."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_every_code_of_the_catalogue_has_a_case() -> None:
    codes = {code for entry in catalogue() for code in entry.codes}
    assert {case.code for journey in JOURNEYS.values() for case in journey.cases} == codes


def test_every_action_is_taken() -> None:
    assert {case.take for journey in JOURNEYS.values() for case in journey.cases} == set(Action)
