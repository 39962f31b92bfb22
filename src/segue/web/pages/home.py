"""Home: how far the set-up is, and how things go."""

from __future__ import annotations

from dataclasses import dataclass

from segue.services.glance import Curve, Missed, Setup, curves, missed_runs, setup_of
from segue.services.overview import LastRun, last_runs
from segue.web.components.chart import LineChart
from segue.web.components.icons import icon
from segue.web.components.moment import Moment
from segue.web.components.parts import heading, part
from segue.web.components.states import empty
from segue.web.components.status import status
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_RUNS = 10
_CURVES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One step of the set-up. path: of the page where it is done."""

    title: str
    done: bool
    path: str


async def build(visit: Visit) -> None:
    """Fill the page."""
    heading("Home", "How far the set-up is, and how things go.")
    steps = _steps(await visit.call(setup_of, visit.workspace))
    if not all(step.done for step in steps):
        _show_steps(steps)
    with part("div", "columns"):
        _show_curves((await visit.call(curves, visit.workspace))[:_CURVES])
        _show_missed(await visit.call(missed_runs, visit.workspace))
    _show_runs((await visit.call(last_runs, visit.workspace))[:_RUNS])


def _steps(setup: Setup) -> tuple[_Step, ...]:
    return (
        _Step(title="Connect a database", done=setup.databases > 0, path="/databases"),
        _Step(title="Add a credential of Klaviyo", done=setup.credentials > 0, path="/destinations"),
        _Step(title="Build a query and activate it", done=setup.active_queries > 0, path="/queries"),
        _Step(title="Add a destination", done=setup.destinations > 0, path="/destinations"),
        _Step(title="Add a data template", done=setup.data_templates > 0, path="/destinations"),
        _Step(title="Add an orchestration", done=setup.orchestrations > 0, path="/orchestrations"),
        _Step(title="Send a sample, then run it", done=setup.good_runs > 0, path="/orchestrations"),
    )


def _show_steps(steps: tuple[_Step, ...]) -> None:
    following = next(step for step in steps if not step.done)
    with part("section", "card"):
        with part("div", "card-head"):
            part("h2", text="First steps")
            part("span", "muted", text=f"{sum(step.done for step in steps)} of {len(steps)} done")
        with part("ol", "steps"):
            for step in steps:
                with part("li", "step next" if step is following else "step"):
                    status("done" if step.done else "to do")
                    if step.done:
                        part("span", text=step.title)
                    else:
                        part("a", text=step.title, href=step.path)


def _show_curves(found: tuple[Curve, ...]) -> None:
    with part("section", "card"):
        part("h2", text="Members by list")
        if not found:
            empty("show_chart", "No members yet", "After the first run, its list is here.")
            return
        names = [curve.list_name for curve in found]
        LineChart(
            "Members by list",
            [
                (c.list_name if names.count(c.list_name) == 1 else f"{c.list_name} ({c.orchestration})", c.points)
                for c in found
            ],
        )


def _show_missed(found: tuple[Missed, ...]) -> None:
    with part("section", "card"):
        part("h2", text="Missed runs")
        if not found:
            empty("event_available", "None missed", "A group that could not start at its time is told here.")
        with part("ul", "plain-list"):
            for missed in found:
                with part("li"):
                    icon("event_busy")
                    part("a", text=missed.group, href="/workflows/configured")
                    part("span", text=missed.text)
                    Moment(missed.due_at)


def _show_runs(runs: tuple[LastRun, ...]) -> None:
    with part("section", "card"):
        part("h2", text="Last runs")
        DataTable(
            "Last runs",
            [
                Column(key="name", label="Orchestration", kind="link"),
                Column(key="status", label="Status", kind="status"),
                Column(key="rows", label="Rows", kind="number", wide=True),
                Column(key="at", label="Started", kind="time"),
            ],
            [
                {
                    "id": run.run_id,
                    "name": (run.orchestration, f"/workflows/{run.run_id}"),
                    "status": run.status,
                    "rows": run.rows,
                    "at": run.started_at,
                }
                for run in runs
            ],
            search=False,
            empty=("No run yet", "Run an orchestration, and it is told here how it went."),
        )


PAGE = Page(path="/", title="Home", section=Section.HOME, permission="runs.read", build=build)
