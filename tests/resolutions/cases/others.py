"""Undo, plans, runs that were stopped, killed or lost, and plug-ins of others."""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta

from sqlalchemy import update

from segue.catalog import models
from segue.catalog.base import now
from segue.delivery.progress import Quiet
from segue.destinations.registry import known_plugins
from segue.errors import CredentialError, DataError, DestinationError, SegueError
from segue.resolutions import Action
from segue.services.workspace import open_workspace
from segue.workflow.garbage import collect
from segue.workflow.queue import RunQueue
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.requests import request_run
from segue.workflow.status import RunStatus
from segue.workflow.worker import LOST
from tests.e2e.shop import NAME, Shop
from tests.resolutions import fussy
from tests.resolutions.cases.workspace import latest, without
from tests.resolutions.journey import RESTART, Case, Journey, Prepare, both, nothing

ANEW = Action.ANEW


def undo_latest(shop: Shop) -> RunRecord:
    return shop.undo(latest(shop).id, allowed=["max_remove_share"])


def undo_unchanged(shop: Shop) -> RunRecord:
    shop.run()
    return undo_latest(shop)


def undo_elsewhere(shop: Shop) -> RunRecord:
    """The list is another one since the run."""
    shop.change("DELETE FROM People WHERE points = 11")
    removal = shop.run()
    shop.configure(list_name="VIP")
    shop.generate(12)
    shop.run()
    return shop.undo(removal.id)


def undo_expired(shop: Shop) -> RunRecord:
    """The run removed somebody so long ago that nobody knows whom."""
    shop.environment["SEGUE_KEEP_PAYLOADS"] = "0.001"
    shop.change("DELETE FROM People WHERE points = 11")
    shop.run()
    workspace = open_workspace(shop.settings)
    try:
        collect(workspace, shop.settings, at=now() + timedelta(days=91))
    finally:
        workspace.close()
    return undo_latest(shop)


def run_of_a_plan(shop: Shop) -> RunRecord:
    """Somebody leaves the query after the plan was looked at."""
    shop.generate(13)
    seen = shop.plan()
    shop.generate(12)
    return shop.run(plan_id=seen.id)


UNDO = Journey(
    before=lambda shop: shop.run(),
    begin=undo_unchanged,
    cases=(
        Case(code="nothing_to_undo", wrong=nothing, take=ANEW),
        Case(
            code="list_moved",
            wrong=nothing,
            begin=undo_elsewhere,
            right=lambda shop: shop.configure(list_name="People"),
            take=ANEW,
        ),
        Case(
            code="changes_expired",
            wrong=nothing,
            begin=undo_expired,
            right=both(without("SEGUE_KEEP_PAYLOADS"), lambda shop: shop.generate(12)),
            take=ANEW,
        ),
        Case(code="plan_outdated", task="fuses", begin=run_of_a_plan, wrong=nothing, take=RESTART),
    ),
)


class Stopping(Quiet):
    """Whoever watches stops the run when its rows are sent."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        if task == "confirm":
            self._shop.stop.set()


def stopped(shop: Shop) -> None:
    shop.admin.settings(job_delay=60)
    shop.progress = Stopping(shop)


def going_on(shop: Shop) -> None:
    shop.stop.clear()
    shop.progress = Quiet()
    shop.admin.advance(60)


STOPPED = Journey(
    cases=(Case(code="stopped", task="confirm", ends=RunStatus.STOPPED, wrong=stopped, right=going_on),), jobs=1
)


def killed(shop: Shop) -> RunRecord:
    """A run whose process is killed before anything was sent, as the next one finds it."""
    shop.killed_at("list-create-before")
    dead = latest(shop)
    shop.run()
    found: RunRecord = shop._with_runner(lambda runner: runner.records.get(dead.id))
    return found


def lost(shop: Shop) -> RunRecord:
    """A server took the run, died at it too often, and the next one says so."""
    workspace = open_workspace(shop.settings)
    try:
        asked = request_run(workspace, NAME).run
        queue = RunQueue(workspace.catalog)
        assert queue.take(asked.id, worker_id="gone", settings=shop_settings(shop))
        queue.fail(asked.id, asked.attempt, LOST)
        return RunRecords(workspace.catalog).get(asked.id)
    finally:
        workspace.close()


def shop_settings(shop: Shop) -> dict[str, object]:
    """What a worker takes the run with."""
    settings: dict[str, object] = shop._with_runner(lambda runner: runner.load(NAME).settings.model_dump(mode="json"))
    return settings


GONE = Journey(
    begin=killed,
    cases=(
        Case(code="died", task=None, wrong=nothing, take=RESTART),
        Case(code="run_lost", task=None, begin=lost, wrong=nothing),
    ),
)


def installed(shop: Shop) -> None:
    """A distribution with a plug-in of its own is installed, and the destination uses it."""
    site = shop.folder / "site"
    info = site / "fussy-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fussy\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[segue.destinations]\nfussy = tests.resolutions.fussy:plugin\n")
    sys.path.append(str(site))
    shop.closing.callback(sys.path.remove, str(site))
    importlib.invalidate_caches()
    known_plugins.cache_clear()
    shop.closing.callback(known_plugins.cache_clear)
    workspace = open_workspace(shop.settings)
    try:
        with workspace.catalog.session() as session:
            session.execute(update(models.Destination).values(plugin="fussy"))
    finally:
        workspace.close()


def raises(kind: type[SegueError]) -> Prepare:
    """The plug-in does not like it, once."""
    return lambda _shop: fussy.mood.append(kind)


PLUGIN = Journey(
    before=installed,
    cases=(
        Case(code="destination", wrong=raises(DestinationError)),
        Case(code="credential", wrong=raises(CredentialError)),
        Case(code="data", wrong=raises(DataError)),
    ),
)
