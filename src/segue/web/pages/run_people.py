"""The people of a run: who could not be sent, and samples of what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import orjson
from nicegui.events import GenericEventArguments

from segue.errors import SegueError
from segue.services.rejects import Reject, rejects
from segue.services.run_samples import SentRow, run_samples
from segue.services.workspace import Workspace
from segue.web.components.banner import error_banner
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button, icon
from segue.web.components.parts import part
from segue.web.components.states import skeleton
from segue.web.components.table import Action, Column, DataTable
from segue.web.visit import Visit
from segue.workflow.watching import Watched

_PAGE = 100
_MASKED = "Values are masked: your user may not see personal data."


class RunPeople:
    """Both, once the run has ended."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._run_id = ""
        self._shown = 0
        self._table: DataTable | None = None
        self._place = part("div", "stack")
        with self._place:
            skeleton()

    async def show(self, watched: Watched) -> None:
        """Draw them for the run as it is now."""
        self._run_id, self._shown, self._table = watched.run.id, 0, None
        if not watched.run.status.ended or not self._visit.may("people.read"):
            self._place.clear()
            return
        samples = await self._visit.call(
            partial(run_samples, orchestration_id=watched.run.orchestration_id, run_id=self._run_id),
            self._visit.workspace,
            self._visit.settings,
        )
        problem: SegueError | None = None
        found: list[Reject] = []
        try:
            found = await self._page()
        except SegueError as error:
            problem = error
        self._place.clear()
        with self._place:
            if not self._visit.actor.sees_personal_data:
                part("p", "muted", text=_MASKED)
            self._rejects(found, problem)
            self._samples(samples)

    async def _page(self) -> list[Reject]:
        return await self._visit.call(_some, self._visit.workspace, self._run_id, self._shown)

    def _rejects(self, found: list[Reject], problem: SegueError | None) -> None:
        with part("section", "card", aria_label="Rejects"):
            with part("div", "card-head"):
                part("h2", text="Rejects")
                if found:
                    with part("a", "button", href=f"/workflows/{self._run_id}/rejects.csv", download=True):
                        icon("download")
                        part("span", text="Download CSV")
            if problem is not None:
                error_banner(problem)
                return
            self._shown = len(found[:_PAGE])
            self._table = DataTable(
                "Rejects",
                [
                    Column(key="row", label="Row", kind="number"),
                    Column(key="key", label="Person"),
                    Column(key="field", label="Field"),
                    Column(key="value", label="Value"),
                    Column(key="reason", label="Reason"),
                    Column(key="source", label="Said by", wide=True),
                    Column(key="detail", label="Detail", wide=True),
                ],
                _rows(found[:_PAGE], 0),
                on_ask=self._more,
                search=False,
                page=0,
                more=len(found) > _PAGE,
                empty=("Nobody was rejected", "Every row of the query could be sent."),
            )

    async def _more(self, _event: GenericEventArguments) -> None:
        start = self._shown
        found = await self._page()
        if self._table is None or start != self._shown:
            return
        self._shown += len(found[:_PAGE])
        self._table.add(_rows(found[:_PAGE], start), more=len(found) > _PAGE)

    def _samples(self, samples: tuple[SentRow, ...]) -> None:
        async def show(event: GenericEventArguments) -> None:
            sample = samples[int(event.args["row"])]
            await show_person(sample.key, (), sample.payload)

        with part("section", "card", aria_label="Samples"):
            with part("div", "card-head"):
                part("h2", text="Samples of what was sent")
                part("span", "muted", text="Up to 20 people of each kind")
            DataTable(
                "Samples of what was sent",
                [
                    Column(key="kind", label="What", filter=True),
                    Column(key="key", label="Person"),
                    Column(key="fields", label="Changed and cleared fields", wide=True),
                    Column(key="payload", label="Attributes", kind="code"),
                ],
                [
                    {
                        "id": place,
                        "kind": sample.kind,
                        "key": sample.key,
                        "fields": _fields(sample),
                        "payload": payload_text(sample.payload),
                    }
                    for place, sample in enumerate(samples)
                ],
                actions=[Action(key="show", label="Show it whole", icon="data_object")],
                on_action=show,
                page=10,
                empty=("No samples", "The run changed nothing, or what it changed is no longer stored."),
            )


async def show_person(key: str | None, lines: Sequence[str], payload: Mapping[str, Any] | None) -> None:
    """Everything of a person. lines: what happens, a sentence each; payload: the attributes of the profile."""
    with dialog(key or "A person", wide=True) as box:
        if lines:
            with part("ul"):
                for line in lines:
                    part("li", text=line)
        if payload is not None:
            part("pre", "json", text=orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode(), tabindex="0")
        with part("div", "dialog-actions"):
            button("Close", on_click=box.close)
    await box
    box.delete()


def payload_text(payload: Mapping[str, Any] | None) -> str | None:
    """The attributes of a profile in one line."""
    return orjson.dumps(payload).decode() if payload is not None else None


def _fields(sample: SentRow) -> str:
    return ", ".join((*sample.changed, *(f"{name} (cleared)" for name in sample.cleared)))


def _some(workspace: Workspace, run_id: str, start: int) -> list[Reject]:
    """A page of rejects, and one more where there is one."""
    return list(islice(rejects(workspace, run_id), start, start + _PAGE + 1))


def _rows(found: list[Reject], start: int) -> list[dict[str, object]]:
    return [
        {
            "id": start + place,
            "row": reject.row,
            "key": reject.key,
            "field": reject.field,
            "value": reject.value,
            "reason": reject.reason,
            "source": reject.source,
            "detail": reject.detail,
        }
        for place, reject in enumerate(found)
    ]
