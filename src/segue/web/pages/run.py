"""One run: how it goes while it goes on, and what came of it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from nicegui import ui

from segue.catalog.base import now
from segue.web.components.banner import notice
from segue.web.components.bars import bars, progress_bar
from segue.web.components.copying import copy_address
from segue.web.components.dialogs import confirm
from segue.web.components.icons import button, icon
from segue.web.components.looking import look_every
from segue.web.components.moment import Moment
from segue.web.components.parts import Part, heading, part
from segue.web.components.status import status
from segue.web.pages.run_people import RunPeople
from segue.web.pages.run_requests import RunRequestsView
from segue.web.pages.run_resolutions import open_resolutions
from segue.web.pages.run_words import (
    STAGES,
    boxes,
    duration,
    notes,
    outcomes,
    share,
    task_line,
    title,
    undo_text,
    warnings,
)
from segue.web.pages.workflows import STARTERS
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.records import TaskRecord
from segue.workflow.requests import request_stop, request_undo
from segue.workflow.status import RunStatus
from segue.workflow.watching import LATEST, Watched, watch

_EVERY = 1.0
"""Seconds between two looks at the run."""


async def build(visit: Visit, run_id: str) -> None:
    """Fill the page. run_id: may be the beginning of an id, or ``latest``."""
    watched = await visit.call(watch, visit.workspace, run_id)
    ui.page_title(f"{title(watched.run)} · Segue")
    page = _RunPage(visit, watched)
    # Their files may be large, and what is above is wanted at once.
    ui.timer(0.1, partial(page.people.show, watched), once=True)
    ui.timer(0.1, page.requests.look, once=True)
    look_every(_EVERY, page.look, at_once=True)


class _RunPage:
    """What is shown of a run, drawn anew where it changed."""

    def __init__(self, visit: Visit, watched: Watched) -> None:
        self._visit = visit
        self._watched = watched
        self._head()
        self._problem = part("div")
        with part("dl", "boxes", aria_label="Numbers of the run"):
            with part("div", "box"):
                part("dt", text="Status")
                self._status = part("dd")
            self._boxes = {label: self._box(label) for label, _ in boxes(watched.run, now())}
        with part("section", "card", aria_label="Tasks"):
            part("h2", text="Tasks")
            self._stages = part("div", "stages")
        self._charts = part("div", "columns")
        self._told = part("div", "stack")
        self.requests = RunRequestsView(visit, watched.run.id, watched.run.started_at)
        self.people = RunPeople(visit)
        self._draw()

    def _head(self) -> None:
        run = self._watched.run
        with heading(title(run)):
            copy_address(f"/workflows/{run.id}")
            self._stop_button = button("Stop", on_click=self._stop, name="stop")
            self._undo_button = button("Undo", on_click=self._undo, name="undo")
            self._resolve_button = button("Show resolutions", on_click=self._resolve, name="build", kind="primary")
        with part("p", "run-facts muted"):
            part("span", text=f"Run {run.id}")
            part("span", text=f"started by {STARTERS.get(run.started_by, run.started_by)}")
            Moment(run.started_at)
            if run.undoes:
                part("a", text="the run that it undoes", href=f"/workflows/{run.undoes}")
            part("a", text="all runs of it", href=f"/workflows?orchestration={run.orchestration_id}")

    def _box(self, label: str) -> Part:
        with part("div", "box"):
            part("dt", text=label)
            return part("dd")

    async def look(self) -> None:
        """Read the run again, and show what changed."""
        before = self._watched
        self._watched = await self._visit.call(watch, self._visit.workspace, before.run.id)
        if not before.run.status.ended or not self._watched.run.status.ended:
            await self.requests.look()
        if self._watched != before:
            self._draw()
            if self._watched.run.status != before.run.status:
                await self.people.show(self._watched)
        elif not self._watched.run.status.ended:
            self._draw_numbers(now())
            self._draw_stages(now())

    def _draw(self) -> None:
        moment = now()
        self._draw_problem()
        self._draw_numbers(moment)
        self._draw_stages(moment)
        self._draw_charts()
        self._draw_told()
        run, visit = self._watched.run, self._visit
        at_work = run.status in (RunStatus.RUNNING, RunStatus.WAITING)
        self._stop_button.set_visibility(at_work and visit.may("runs.stop"))
        self._undo_button.set_visibility(self._watched.can_be_undone and visit.may("runs.start"))
        stuck = run.status in (RunStatus.FAILED, RunStatus.STOPPED) and not run.settled
        self._resolve_button.set_visibility(stuck)

    def _draw_problem(self) -> None:
        self._problem.clear()
        run = self._watched.run
        with self._problem:
            if run.error and run.status.ended:
                with part("div", "banner bad", role="alert"):
                    icon("error")
                    with part("div", "banner-text"):
                        part("strong", text=str(run.error["message"]))
                        if run.error.get("cause"):
                            part("p", text=str(run.error["cause"]))
            elif run.status is RunStatus.STOPPED:
                notice(
                    "The run was stopped. What was acknowledged stays; it can go on.", tone="idle", name="stop_circle"
                )
            if self._watched.undone_by:
                with part("div", "banner idle", role="status"):
                    icon("undo")
                    part("a", text="This run was undone.", href=f"/workflows/{self._watched.undone_by}")

    def _draw_numbers(self, moment: datetime) -> None:
        word = str(self._watched.run.status)
        if self._status.props.get("data-word") != word:
            self._status.props["data-word"] = word
            self._status.clear()
            with self._status:
                status(word)
        for label, text in boxes(self._watched.run, moment):
            self._boxes[label].text = text

    def _draw_stages(self, moment: datetime) -> None:
        tasks = {task.name: task for task in self._watched.tasks}
        self._stages.clear()
        with self._stages:
            for stage, names in STAGES:
                with part("section", "stage"):
                    part("h3", text=stage)
                    with part("ol", "tasks"):
                        for name, called in names:
                            self._task(called, tasks[name], moment)

    def _task(self, called: str, task: TaskRecord, moment: datetime) -> None:
        with part("li", "task"):
            status(str(task.status))
            with part("div", "task-text"):
                part("strong", text=called)
                if line := task_line(task, moment):
                    part("span", "muted", text=line)
                if (far := share(task)) is not None:
                    progress_bar(called, far)
            with part("span", "task-time muted"):
                if task.attempts > 1:
                    part("span", text=f"attempt {task.attempts}")
                if task.started_at is not None:
                    part("span", text=duration((task.ended_at or moment) - task.started_at))
                    Moment(task.started_at)

    def _draw_charts(self) -> None:
        self._charts.clear()
        run = self._watched.run
        with self._charts:
            if found := outcomes(run):
                with part("section", "card"):
                    part("h2", text="Rows by outcome")
                    bars("Rows by outcome", found)
            if run.requests:
                with part("section", "card"):
                    part("h2", text="Requests by endpoint")
                    bars("Requests by endpoint", sorted(run.requests.items(), key=lambda pair: -pair[1]))

    def _draw_told(self) -> None:
        self._told.clear()
        with self._told:
            for text in warnings(self._watched):
                notice(text)
            for text in notes(self._watched):
                notice(text, tone="idle", name="info")

    async def _stop(self) -> None:
        text = "Calls on their way are finished; what was acknowledged stays. The run can go on later from where it is."
        if await confirm("Stop the run?", text, yes="Stop", danger=True):
            await self._visit.call(request_stop, self._visit.workspace, self._watched.run.id)
            await self.look()

    async def _undo(self) -> None:
        run = self._watched.run
        if await confirm("Undo the run?", *undo_text(run), yes="Undo", danger=True):
            undo = partial(request_undo, started_by="user")
            asked = await self._visit.call(undo, self._visit.workspace, run.id)
            ui.navigate.to(f"/workflows/{asked.run.id}")

    async def _resolve(self) -> None:
        found = await open_resolutions(self._visit, self._watched.run.id)
        if found is None:
            return
        if found.id != self._watched.run.id:
            ui.navigate.to(f"/workflows/{found.id}")
        else:
            await self.look()


PAGE = Page(
    path="/workflows/{run_id}",
    title="Run",
    section=Section.WORKFLOWS,
    permission="runs.read",
    build=build,
    listed=False,
    example=f"/workflows/{LATEST}",
)
