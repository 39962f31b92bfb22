"""Customer history: an email address in, everything that Segue did with this person out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orjson import dumps

from segue.errors import SegueError
from segue.services.history import Entry, history
from segue.services.rejects import Reject
from segue.services.retention import retention
from segue.web.components.banner import error_banner
from segue.web.components.fields import needed, text_field
from segue.web.components.icons import button
from segue.web.components.moment import Moment
from segue.web.components.parts import Part, heading, part
from segue.web.components.states import empty, skeleton
from segue.web.components.status import status
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_RUN = "/workflows/{run_id}"
_SOURCES = {"segue": "Segue", "klaviyo": "Klaviyo"}


async def build(visit: Visit) -> None:
    """Fill the page."""
    heading("Customer history", "Everything that Segue did with one person, run by run.")
    with part("section", "card"), part("div", "look-up"):
        field = text_field("Email address", hint="It goes into no address and no log.")
        field.props["autocomplete"] = "off"
        field.props["spellcheck"] = "false"
        finder = button("Look up", name="person_search", kind="primary")
    place = part("div", "stack", role="region", aria_label="History")
    with place:
        empty("person_search", "Whose history?", "Type an address, as the data have it, and press Enter.")

    async def look() -> None:
        if needed(field):
            await _look(visit, place, str(field.value))

    field.on("keydown.enter", look)
    finder.on("click", look)


async def _look(visit: Visit, place: Part, email: str) -> None:
    place.clear()
    with place:
        skeleton()
    try:
        entries, problem = await visit.call(history, visit.workspace, visit.settings, email), None
    except SegueError as error:
        entries, problem = (), error
    place.clear()
    with place:
        if problem is not None:
            error_banner(problem)
        elif not entries:
            kept = (await visit.call(retention, visit.workspace, visit.settings)).words
            empty(
                "person_off",
                "No run has met this address",
                f"No query that was run had it, or it is longer ago than people's data are kept: {kept}.",
            )
        else:
            runs = "1 run" if len(entries) == 1 else f"{len(entries):,} runs"
            part("p", "muted", text=f"{runs}, the latest first.", role="status")
            with part("ol", "history"):
                for entry in entries:
                    _show(visit, entry)


def _show(visit: Visit, entry: Entry) -> None:
    with part("li", "card"):
        with part("div", "card-head wraps"):
            with part("div", "card-title"):
                for action in entry.actions:
                    status(action)
                if visit.has(_RUN):
                    part("a", text=entry.orchestration, href=_RUN.format(run_id=entry.run_id))
                else:
                    part("strong", text=entry.orchestration)
            with part("span", "muted"):
                Moment(entry.started_at)
        _facts(entry)
        if entry.rejects:
            _rejects(entry.rejects)
        if entry.payload:
            _payload(entry)


def _facts(entry: Entry) -> None:
    facts = {
        "Run": f"{entry.run_id}, {'an undo, ' if entry.kind == 'undo' else ''}{entry.status}",
        "Changed": ", ".join(entry.changed),
        "Cleared": ", ".join(entry.cleared),
        "Kept": ", ".join(entry.kept),
        "Unset at first": ", ".join(entry.unset),
        "Row": f"{entry.row:,} of the query" if entry.row is not None else "",
    }
    with part("dl", "facts"):
        for name, text in facts.items():
            if text:
                part("dt", text=name)
                part("dd", text=text)


def _rejects(rejects: tuple[Reject, ...]) -> None:
    DataTable(
        "Why it was refused",
        [
            Column(key="field", label="Field"),
            Column(key="value", label="Value", kind="code"),
            Column(key="reason", label="Reason"),
            Column(key="source", label="Said by"),
            Column(key="detail", label="In their words", wide=True),
        ],
        [
            {
                "id": number,
                "field": reject.field or "the whole row",
                "value": reject.value,
                "reason": reject.reason,
                "source": _SOURCES.get(reject.source, reject.source),
                "detail": reject.detail,
            }
            for number, reject in enumerate(rejects)
        ],
        search=False,
        page=0,
    )


def _payload(entry: Entry) -> None:
    removed = "removed" in entry.actions
    refused = entry.actions == ("rejected",)
    title = "What was refused" if refused else "What was there before" if removed else "What Klaviyo has since"
    with part("details"):
        part("summary", text=title)
        DataTable(
            title,
            [Column(key="field", label="Field"), Column(key="value", label="Value", kind="code")],
            [{"id": n, "field": n, "value": value} for n, value in _flat(entry.payload or {})],
            search=False,
            page=0,
        )


def _flat(payload: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str | None]]:
    """Every field with its value as text; ``location.city`` for one inside another."""
    for name, value in payload.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value if isinstance(value, str) or value is None else dumps(value).decode()


PAGE = Page(
    path="/history",
    title="Customer history",
    section=Section.HISTORY,
    permission="people.read",
    build=build,
)
