"""A run's staging, and the plan that is the same staging without the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import SegueError, fill_in
from segue.services.audit import note
from segue.services.fuses import check_fuses
from segue.services.plan_samples import PlanSamples, plan_samples
from segue.services.planning import Plan, make_plan
from segue.services.shared_lists import SharedLists
from segue.services.snapshots import Held, load_snapshot
from segue.services.staged import Connected, Staged
from segue.services.staging import Staging, connect
from segue.services.workspace import Workspace
from segue.workflow.context import RunContext
from segue.workflow.gate import require_start
from segue.workflow.records import RunRecords

if TYPE_CHECKING:
    from segue.workflow.run import Runner


def stage_sync(context: RunContext) -> Staged:
    """Query and compare with what was acknowledged."""
    layout = context.workspace.layout
    with context.workspace.catalog.session(read_only=True) as session:
        held = load_snapshot(session, layout.snapshots, context.orchestration.id)
    return Staging(
        orchestration=context.orchestration,
        settings=context.settings,
        destination=context.destination,
        folder=context.folder,
        progress=context.progress,
        shared_lists=context.shared_lists,
        stop=context.stop,
        earlier=_earlier(context.workspace, context.records, context.orchestration.id),
        entered=context.phases.enter,
    ).stage(_connect(context, held))


_EARLIER = 5
"""How many of the latest runs are looked at: failed ones may have come between."""


def _earlier(workspace: Workspace, records: RunRecords, orchestration_id: str) -> list[Path]:
    recent = records.recent(orchestration_id=orchestration_id, limit=_EARLIER)
    return [workspace.layout.runs / run.id for run in recent]


def _connect(context: RunContext, held: Held) -> Connected:
    """Connect, and again after another run had the list."""
    while True:
        connected = connect(context.destination, context.orchestration, held)
        target = connected.target
        if not context.turns.take(connected.account.id, target.name, target.id):
            return connected


@contextmanager
def _named(orchestration: str) -> Iterator[None]:
    """What an error tells to do names the orchestration. A plan leaves no run behind: what needs one is left out."""
    try:
        yield
    except SegueError as error:
        steps = fill_in(error.steps, orchestration=orchestration)
        error.steps = tuple(step for step in steps if fill_in((step,), run="") == (step,))
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPlan:
    """A plan with a few people of each kind; samples: None for those who may not see people's data."""

    plan: Plan
    samples: PlanSamples | None


def plan(runner: Runner, name: str) -> Plan:
    """What a run would do. Nothing is sent; what was staged is thrown away."""
    with _staged(runner, name) as (found, _folder, _rows):
        return found


def plan_with_samples(runner: Runner, name: str) -> SampledPlan:
    """The same, with samples as the actor may see them."""
    actor = runner.workspace.actor
    with _staged(runner, name) as (found, folder, staged):
        if not actor.may("people.read"):
            return SampledPlan(plan=found, samples=None)
        samples = plan_samples(folder, staged, actor=actor, memory_bytes=runner.settings.engine_memory)
        return SampledPlan(plan=found, samples=samples)


@contextmanager
def _staged(runner: Runner, name: str) -> Iterator[tuple[Plan, Path, Staged]]:
    """A plan with what it was made of, for the length of the block."""
    require_start(runner.workspace, name)
    orchestration = runner.load(name)
    note(runner.workspace, "run.plan", name)
    layout = runner.workspace.layout
    with runner.workspace.catalog.session(read_only=True) as session:
        held = load_snapshot(session, layout.snapshots, orchestration.id)
    layout.runs.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="plan-", dir=layout.runs) as folder,
        runner.open(orchestration) as destination,
        _named(name),
    ):
        staged = Staging(
            orchestration=orchestration,
            settings=runner.settings,
            destination=destination,
            folder=Path(folder),
            progress=runner.progress,
            shared_lists=SharedLists(workspace=runner.workspace, orchestration_id=orchestration.id),
            stop=runner.stop,
            earlier=_earlier(runner.workspace, runner.records, orchestration.id),
        ).stage(connect(destination, orchestration, held))
        last = runner.records.last_count(orchestration.id)
        fuses = check_fuses(staged, orchestration.settings, last_count=last)
        yield make_plan(orchestration, staged, destination, fuses), Path(folder), staged
