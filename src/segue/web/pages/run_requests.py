"""What a run asks its destination: over time, and some requests with their answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from segue.delivery.exchanges import Body, answered_how
from segue.errors import SegueError
from segue.services.exchange_files import StoredExchange
from segue.services.exchanges import Head, RunRequests, exchange_heads, exchanges, run_requests
from segue.services.workspace import Workspace
from segue.web.components.banner import error_banner
from segue.web.components.moment import Moment
from segue.web.components.parts import Part, part
from segue.web.components.states import empty, skeleton
from segue.web.components.status import status
from segue.web.components.table import Column, DataTable
from segue.web.components.time_bars import TimeBars
from segue.web.pages.run_request_words import KINDS, answer_of, head_line, readable, slots, waited
from segue.web.pages.run_words import duration
from segue.web.visit import Visit

_FORGOTTEN = "Parameters and bodies were removed: somebody in them was forgotten."
_GONE = "This request is no longer stored."
_MASKED = "Bodies show names of fields alone: your user may not see personal data."


class RunRequestsView:
    """Drawn once the page stands, and again while the run goes on. begun: when the run did."""

    def __init__(self, visit: Visit, run_id: str, begun: datetime) -> None:
        self._visit = visit
        self._run_id = run_id
        self._begun = begun
        self._told: RunRequests | None = None
        self._listed: set[int] = set()
        self._nothing = False
        with part("section", "card", aria_label="Requests"):
            part("h2", text="Requests")
            self._chart = TimeBars("Requests over time", [(str(kind).capitalize(), tone) for kind, tone in KINDS])
            self._waited = part("p", "muted")
            with part("details") as self._alternative:
                part("summary", text="As a table")
                self._table = DataTable(
                    "Requests over time",
                    [
                        Column(key="after", label="After"),
                        *(Column(key=kind.name, label=str(kind).capitalize(), kind="number") for kind, _ in KINDS),
                        Column(key="waited", label="Held back", kind="number", wide=True),
                    ],
                    [],
                    search=False,
                    empty=(
                        "No requests",
                        "Nothing was asked of the destination, or the run is older than this record.",
                    ),
                )
            part("h3", text="Samples")
            part("p", "muted", text="The first requests of each kind and of each answer. Open one to see it whole.")
            if not visit.actor.sees_personal_data:
                part("p", "muted", text=_MASKED)
            self._list = part("ol", "exchanges", aria_label="Sampled requests")
            with self._list, part("li"):
                skeleton()

    async def look(self) -> None:
        """Read again, and show what is new."""
        told, heads = await self._visit.call(_read, self._visit.workspace, self._run_id)
        if told != self._told:
            self._told = told
            self._draw(told)
        self._add(heads)

    def _draw(self, told: RunRequests) -> None:
        width, found = slots(told)
        self._chart.fill([(slot.at, slot.numbers) for slot in found], width=width)
        self._waited.text = waited(found)
        begun = int(self._begun.timestamp())
        self._table.fill(
            [
                {
                    "id": slot.at,
                    "after": duration(timedelta(seconds=max(0, slot.at - begun))),
                    **{kind.name: number for (kind, _), number in zip(KINDS, slot.numbers, strict=True)},
                    "waited": f"{slot.waited:,.1f} s" if slot.waited >= 0.05 else None,  # noqa: PLR2004 -- rounds to 0.0
                }
                for slot in found
            ]
        )

    def _add(self, heads: tuple[Head, ...]) -> None:
        new = [head for head in heads if head.number not in self._listed]
        if not new and (heads or self._nothing):
            return
        if not self._listed:
            self._list.clear()
        self._nothing = not heads
        with self._list:
            for head in new:
                self._listed.add(head.number)
                _Sample(self._visit, self._run_id, head)
            if not heads:
                with part("li"):
                    empty("swap_vert", "No samples", "Nothing was asked yet, or what was sampled is no longer stored.")


class _Sample:
    """One exchange: its line, and once it is opened the rest, which is only then read."""

    def __init__(self, visit: Visit, run_id: str, head: Head) -> None:
        self._visit = visit
        self._run_id = run_id
        self._number = head.number
        self._read = False
        with part("li"), part("details", "exchange") as whole:
            with part("summary", "exchange-line"):
                status(str(answered_how(head.status)))
                part("span", "exchange-answer", text=answer_of(head))
                part("code", "exchange-path", text=f"{head.method} {head.path}")
                with part("span", "exchange-facts muted"):
                    part("span", text=head_line(head))
                    Moment(head.at)
            self._place = part("div", "exchange-whole")
        if visit.may("people.read"):
            whole.on("toggle", self._open, args=[])

    async def _open(self) -> None:
        if self._read:
            return
        self._read = True
        with self._place:
            skeleton(3)
        try:
            find = partial(exchanges, number=self._number)
            found = await self._visit.call(find, self._visit.workspace, self._run_id)
        except SegueError as error:
            self._read = False
            self._place.clear()
            with self._place:
                error_banner(error)
            return
        self._place.clear()
        with self._place:
            if found:
                _show(found[0])
            else:
                part("p", "muted", text=_GONE)


def _show(stored: StoredExchange) -> None:
    exchange = stored.exchange
    if stored.forgotten:
        part("p", "muted", text=_FORGOTTEN)
    with part("div", "columns"):
        with _side("Request"):
            _facts("Parameters", exchange.parameters)
            _facts("Headers", exchange.request_headers)
            _body("Body of the request", exchange.request_body)
        with _side("Answer"):
            _facts("Headers", exchange.answer_headers)
            _body("Body of the answer", exchange.answer_body)


def _side(title: str) -> Part:
    with part("section", "exchange-side", aria_label=title) as side:
        part("h4", text=title)
    return side


def _facts(label: str, found: Mapping[str, str]) -> None:
    if not found:
        return
    with part("dl", "facts exchange-headers", aria_label=label):
        for name, value in found.items():
            part("dt", text=name)
            part("dd", text=value)


def _body(label: str, body: Body | None) -> None:
    if body is None:
        part("p", "muted", text="No body")
        return
    part("pre", "json exchange-body", text=readable(body), tabindex="0", role="region", aria_label=label)
    if not body.whole:
        part("p", "muted", text=f"The beginning of {body.size:,} bytes")


def _read(workspace: Workspace, run_id: str) -> tuple[RunRequests, tuple[Head, ...]]:
    return run_requests(workspace, run_id), exchange_heads(workspace, run_id)
