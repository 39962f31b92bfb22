"""What a run of an orchestration would do now: made while one waits, with samples; and the run that does just that."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from nicegui import ui

from segue.delivery.budget import Interrupted
from segue.errors import SegueError
from segue.services.editing import get_configured
from segue.web.components.banner import error_banner, notice
from segue.web.components.bars import bars
from segue.web.components.dialogs import confirm
from segue.web.components.icons import button, icon
from segue.web.components.parts import heading, part
from segue.web.components.states import skeleton
from segue.web.components.table import Column, DataTable
from segue.web.pages.plan_people import show_samples
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.requests import Options, request_run
from segue.workflow.run import Runner
from segue.workflow.sync import SampledPlan, plan_with_samples

_PLACES = asyncio.Semaphore(2)
"""A plan takes the memory of a query and of a comparison: more at a time wait."""
_LOOK = 0.5
"""Seconds between two looks at how far a plan is."""
_LEAST = 0.1
"""Minutes below which their number says no more."""


async def build(visit: Visit, ref: str) -> None:
    """Fill the page."""
    thing = await visit.call(get_configured, visit.workspace, "orchestrations", ref)
    ui.page_title(f"Plan: {thing.name} · Segue")
    page = _PlanPage(visit, thing.name, thing.id)
    ui.context.client.on_delete(page.leave)
    ui.timer(0.1, page.make, once=True)


class _Told:
    """The progress of a plan, in a sentence."""

    def __init__(self) -> None:
        self.text = "Waiting for a place"

    def begin(self, task: str, *, total: int | None, unit: str) -> None:
        """The query begins; a plan has no other task."""
        self.text = "The query runs" if total is None else f"{task}: of {total:,} {unit}"

    def advance(self, task: str, done: int) -> None:  # noqa: ARG002 -- a Progress
        """Rows that were read."""
        self.text = f"{done:,} rows read and compared"

    def end(self, task: str, summary: str) -> None:  # noqa: ARG002 -- a Progress
        """All rows are there."""
        self.text = f"{summary}; comparing with what Klaviyo has"

    def waiting(self, endpoint: str, seconds: float) -> None:
        """A window of the destination."""
        self.text = f"Waiting {seconds:.0f} s for the window of {endpoint}"

    def tell(self, text: str) -> None:
        """A sentence for people."""
        self.text = text


class _PlanPage:
    """The page of one orchestration, and its plan once it is made."""

    def __init__(self, visit: Visit, name: str, orchestration_id: str) -> None:
        self._visit = visit
        self._name = name
        self._stop = threading.Event()
        self._told = _Told()
        self._made: SampledPlan | None = None
        with heading(f"Plan: {name}", "What a run would do now. Nothing is sent."):
            part("a", "button", text="Run history", href=f"/workflows?orchestration={orchestration_id}")
            self._again = button("Plan again", on_click=self.make, name="refresh")
            self._run_button = button("Run this plan", on_click=self._run, name="play_arrow", kind="primary")
        self._content = part("div", "stack")
        self._wait()

    def leave(self) -> None:
        """The window is closed: nobody waits for the plan."""
        self._stop.set()

    def _wait(self) -> None:
        self._again.set_visibility(False)
        self._run_button.set_visibility(False)
        self._content.clear()
        with self._content:
            self._line = part("p", "muted", text=self._told.text, role="status")
            skeleton(8)

    async def make(self) -> None:
        """Make the plan, and show it or what went wrong."""
        self._told, self._made = _Told(), None
        self._wait()
        clock = ui.timer(_LOOK, lambda: self._line.set_text(self._told.text))
        problem: SegueError | None = None
        try:
            async with _PLACES:
                self._made = await self._visit.call(plan_with_samples, self._runner(), self._name)
        except Interrupted:
            return
        except SegueError as error:
            problem = error
        finally:
            clock.cancel()
        self._again.set_visibility(True)
        self._content.clear()
        with self._content:
            if problem is not None:
                error_banner(problem)
            if self._made is not None:
                self._run_button.set_visibility(self._visit.may("runs.start"))
                _show(self._visit, self._made)

    def _runner(self) -> Runner:
        visit = self._visit
        return Runner(workspace=visit.workspace, settings=visit.settings, progress=self._told, stop=self._stop)

    async def _run(self) -> None:
        if self._made is None:
            return
        plan = self._made.plan
        blown = tuple(fuse.name for fuse in plan.fuses if fuse.blown)
        texts = [
            f"{plan.added:,} added, {plan.changed:,} changed, {plan.removed + plan.foreign:,} removed.",
            "Where data, list or settings have moved since, the run stops before it sends anything.",
        ]
        if blown:
            texts.append(f"{', '.join(blown)} would stop the run. Raise it for this run only?")
        if not await confirm("Run this plan?", *texts, yes="Raise and run" if blown else "Run", danger=bool(blown)):
            return
        ask = partial(request_run, started_by="user", options=Options(plan_id=plan.id, allowed=blown))
        asked = await self._visit.call(ask, self._visit.workspace, self._name)
        ui.navigate.to(f"/workflows/{asked.run.id}")


def _show(visit: Visit, made: SampledPlan) -> None:
    plan = made.plan
    with part("dl", "boxes", aria_label="Numbers of the plan"):
        for label, text in (
            ("Rows in", f"{plan.source:,}"),
            ("Added", f"{plan.added:,}"),
            ("Changed", f"{plan.changed:,}"),
            ("Cleared", f"{plan.cleared:,}"),
            ("Removed", f"{plan.removed + plan.foreign:,}"),
            ("Rejected", f"{plan.rejected:,}"),
            ("Unchanged", f"{plan.unchanged:,}"),
            ("Requests", f"{sum(plan.requests.values()):,}"),
            ("Sent", _bytes(plan.bytes)),
            ("Minutes", f"{plan.minutes:,.1f}" if plan.minutes >= _LEAST else f"under {_LEAST}"),
        ):
            with part("div", "box"):
                part("dt", text=label)
                part("dd", text=text)
    for text in plan.warnings:
        notice(text)
    _fuses(made)
    with part("div", "columns"):
        _facts(made)
        for title, numbers in (
            ("Requests by endpoint", plan.requests),
            ("Fields that change", plan.changed_fields),
            ("Fields that are cleared", plan.cleared_fields),
        ):
            if numbers:
                with part("section", "card"):
                    part("h2", text=title)
                    bars(title, sorted(numbers.items(), key=lambda pair: -pair[1]))
    show_samples(visit, made.samples)


def _facts(made: SampledPlan) -> None:
    plan = made.plan
    others = "not known" if plan.others is None else f"{plan.others:,}"
    with part("section", "card"):
        part("h2", text="Where it goes")
        with part("dl", "facts"):
            for name, text in (
                ("Account", plan.account),
                ("List", f"{plan.list_name} ({plan.list_id})" if plan.list_id else f"{plan.list_name}, to be made"),
                ("Members by others", f"{others}, kept"),
                ("Duplicates", f"{sum(plan.duplicates.values()):,}"),
                ("Left for later", f"{plan.held_back:,}"),
                ("Cleared one by one", f"{plan.clears_one_by_one:,}"),
                ("Plan", plan.id),
            ):
                part("dt", text=name)
                part("dd", text=text)


def _fuses(made: SampledPlan) -> None:
    with part("section", "card"):
        part("h2", text="Fuses")
        for fuse in made.plan.fuses:
            if fuse.blown:
                with part("div", "banner bad", role="alert"):
                    icon("error")
                    part("div", "banner-text", text=f"{fuse.name} would stop the run: {fuse.why}")
        DataTable(
            "Fuses",
            [
                Column(key="name", label="Fuse"),
                Column(key="status", label="State", kind="status"),
                Column(key="value", label="This run", kind="number"),
                Column(key="limit", label="Limit", kind="number"),
                Column(key="why", label="Numbers", wide=True),
            ],
            [
                {
                    "id": fuse.name,
                    "name": fuse.name,
                    "status": "blown" if fuse.blown else "holds",
                    "value": _share(fuse.name, fuse.value),
                    "limit": _share(fuse.name, fuse.limit),
                    # The sentence of an empty result is true only where it is one.
                    "why": fuse.why if fuse.blown or fuse.name != "allow_empty" else None,
                }
                for fuse in made.plan.fuses
            ],
            search=False,
            page=0,
        )


def _share(name: str, value: float) -> str:
    if name == "allow_empty":
        return "yes" if value else "no"
    return f"{100 * value:.3g} %"


def _bytes(number: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B"


PAGE = Page(
    path="/orchestrations/{ref}/plan",
    title="Plan",
    section=Section.ACTIVATIONS,
    permission="runs.start",
    build=build,
    listed=False,
    example="/orchestrations/Customers%20to%20Klaviyo/plan",
)
