"""One run, or one after the other, through several faults: each is met, looked up, put right and passed by a way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from segue.errors import SegueError
from segue.resolutions import Action, resolution
from segue.workflow.phases import PASS
from segue.workflow.records import RunRecord
from segue.workflow.resolve import Offer, offer, resolve
from segue.workflow.run import Runner
from segue.workflow.status import RunStatus
from tests.e2e.shop import Shop

Prepare = Callable[[Shop], Any]
RETRY, RESTART = Action.RETRY, Action.RESTART


def nothing(_shop: Shop) -> None:
    """The cause is gone by itself."""


def both(*steps: Prepare) -> Prepare:
    """One after the other."""

    def prepare(shop: Shop) -> None:
        for step in steps:
            step(shop)

    return prepare


@dataclass(frozen=True, kw_only=True)
class Case:
    """An error code and its way out.

    wrong: makes the fault happen; task: that fails, None where it was killed; begun: whether there is a run by then; begin: how
    it comes about, where the way out of the case before does not lead to it but ends well; ends: how the run ends; right: what
    the person of the entry does then; take: the way out; given: what the user adds to it.
    """

    code: str
    wrong: Prepare
    task: str | None = "query"
    begun: bool = True
    begin: Callable[[Shop], RunRecord] | None = None
    ends: RunStatus = RunStatus.FAILED
    right: Prepare = nothing
    take: Action = RETRY
    given: Callable[[Runner, Offer], Mapping[str, Any]] = lambda _runner, _offered: {}


@dataclass(frozen=True, kw_only=True)
class Journey:
    """cases: in the order in which they are met; before: what is there first; begin: the first start; after: what is seen at
    the end besides the list; jobs: import jobs that Klaviyo has taken by then, where that says something."""

    cases: tuple[Case, ...]
    before: Prepare = nothing
    begin: Callable[[Shop], RunRecord] = Shop.run
    people: int = 12
    jobs: int | None = None


@dataclass(kw_only=True)
class Traveller:
    """Where a journey stands. go: does the next step; run: that failed last; failed: tasks
    of it that did; met: how many faults."""

    shop: Shop
    go: Callable[[], RunRecord]
    run: RunRecord | None = None
    failed: list[str] = field(default_factory=list)
    met: int = 0

    def meet(self, case: Case) -> None:
        """The fault happens and is put right; ``go`` is the way out from then on."""
        if begin := case.begin:
            ended_well(self.go())
            self.go = lambda: begin(self.shop)
        case.wrong(self.shop)
        if case.begun:
            self._fails(case, self.go())
        else:
            self._refused(case)
        case.right(self.shop)
        self.met += 1

    def _refused(self, case: Case) -> None:
        with pytest.raises(SegueError) as caught:
            self.go()
        assert caught.value.code == case.code
        assert resolution(case.code).actions == (RETRY,) == (case.take,)

    def _fails(self, case: Case, run: RunRecord) -> None:
        assert run.status is case.ends, run.error
        offered = with_runner(self.shop, lambda runner: offer(runner, run.id))
        assert (offered.code, offered.task) == (case.code, case.task), run.error
        entry = resolution(case.code)
        assert case.code in entry.codes
        assert offered.actions == tuple(action for action in entry.actions if action not in _unfit(case))
        assert case.take in offered.actions
        assert (offered.resolution.cause, offered.resolution.who) == (entry.cause, entry.who)
        self.run = run
        given = case.given
        fresh = case.take in (RESTART, Action.ANEW)

        def go() -> RunRecord:
            came = with_runner(self.shop, lambda runner: resolve(runner, run.id, case.take, **given(runner, offered)))
            assert (came.id != run.id) is fresh, case.code
            return came

        self.go = go
        self.failed = [case.task or ""] if fresh else [*self.failed, case.task or ""]


def _unfit(case: Case) -> frozenset[Action]:
    return frozenset() if case.task == "reconcile" else frozenset({Action.SKIP})


def ended_well(run: RunRecord) -> RunRecord:
    """The run, which is over."""
    assert run.status in (RunStatus.COMPLETED, RunStatus.WARNINGS), run.error
    return run


def with_runner(shop: Shop, use: Any) -> Any:
    """What use makes of a runner on the shop's workspace."""
    return shop._with_runner(use)


def travel(journey: Journey, shop: Shop, subtests: pytest.Subtests) -> None:
    """Go the whole way; the run ends, and Klaviyo's list is what the query says."""
    shop.generate(journey.people)
    journey.before(shop)
    traveller = Traveller(shop=shop, go=lambda: journey.begin(shop))
    for number, case in enumerate(journey.cases, start=1):
        with subtests.test(case.code):
            traveller.meet(case)
        if traveller.met < number:
            return  # the rest would fail for its sake
    ended = ended_well(traveller.go())
    assert set(shop.admin.emails(ended.list_id or "")) == {f"p{i}@mail.shop" for i in range(journey.people)}
    # What was done before a task failed is not done again; the rows are read, checked and compared in one pass.
    again = {*traveller.failed, *(PASS if {*traveller.failed} & {*PASS} else ())}
    tries = {task.name: task.attempts for task in ended.tasks if task.name not in again}
    assert tries == dict.fromkeys(tries, 1)
    if journey.jobs is not None:
        assert len(shop.admin.jobs()) == journey.jobs
