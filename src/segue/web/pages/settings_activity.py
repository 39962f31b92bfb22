"""The activity log: who did what, when, from where, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from segue.services.audit import Line, audit_line, audit_page
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.moment import Moment
from segue.web.components.parts import heading, part
from segue.web.components.table import Action, Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_PAGE = 100
_LONGEST = 50
"""Characters of a change in the table; the details have all of it."""
EXPORT = "/settings/activity.{form}"
"""Where the whole log is downloaded; form: ``csv`` or ``ndjson``."""
_KINDS = (
    "alert", "audit", "credential", "data_template", "database", "destination", "group", "history", "login", "logout",
    "orchestration", "orchestration_group", "query", "rejects", "run", "signal", "token", "user",
)  # fmt: skip
_COLUMNS = (
    Column(key="action", label="Kind", filter=_KINDS),
    Column(key="subject", label="What", wide=True),
    Column(key="actor", label="Who"),
    Column(key="change", label="Change", wide=True),
    Column(key="address", label="From", wide=True),
    Column(key="at", label="When", kind="time"),
)


async def build(visit: Visit) -> None:
    """Fill the page."""
    with heading("Activity log", "Who did what, when, from where. Lines are added, never changed or deleted."):
        for title, form in (("Export CSV", "csv"), ("Export JSON", "ndjson")):
            button(title, on_click=partial(ui.download.from_url, EXPORT.format(form=form)), name="download")
    log = _Log(visit)
    await log.ask(search="", kind="", more=False)
    log.show()


class _Log:
    """The lines that are shown, and how more of them come."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._lines: list[Line] = []
        self._more = False
        self._table: DataTable | None = None

    def show(self) -> None:
        """Draw the table."""
        self._table = DataTable(
            "Activity log",
            _COLUMNS,
            _rows(self._lines),
            actions=[Action(key="details", label="Details", icon="info")],
            on_action=self._details,
            on_ask=self._asked,
            more=self._more,
        )

    async def ask(self, *, search: str, kind: str, more: bool) -> None:
        """Look for lines. kind: the beginning of their action; more: after those that are shown."""
        page = partial(
            audit_page,
            search=search or None,
            action=f"{kind}." if kind and kind not in _WHOLE else kind or None,
            before_id=self._lines[-1].id if more and self._lines else None,
            limit=_PAGE + 1,
        )
        found = await self._visit.call(page, self._visit.workspace)
        self._lines = [*(self._lines if more else ()), *found[:_PAGE]]
        self._more = len(found) > _PAGE

    async def _asked(self, event: GenericEventArguments) -> None:
        asked = event.args
        await self.ask(search=asked["search"], kind=asked["filters"].get("action", ""), more=asked["more"])
        if self._table is not None:
            self._table.fill(_rows(self._lines), more=self._more)

    async def _details(self, event: GenericEventArguments) -> None:
        line = await self._visit.call(audit_line, self._visit.workspace, int(event.args["row"]))
        _show(line)


_WHOLE = frozenset({"login", "logout"})
"""Kinds that are actions themselves."""


def _rows(lines: list[Line]) -> list[dict[str, object]]:
    return [
        {
            "id": line.id,
            "at": line.at,
            "actor": f"{line.actor}, by token {line.token}" if line.token else line.actor,
            "action": line.action,
            "subject": line.subject,
            "change": _change(line),
            "address": line.address,
        }
        for line in lines
    ]


def _change(line: Line) -> str:
    text = "; ".join(f"{name}: {_arrow(old, new)}" for name, old, new in _changes(line))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}" if old and new else new or f"{old} → nothing"


def _changes(line: Line) -> list[tuple[str, str, str]]:
    """Name, before and after of everything that differs."""
    before, after = line.before or {}, line.after or {}
    names = [*before, *(name for name in after if name not in before)]
    return [(n, _text(before, n), _text(after, n)) for n in names if before.get(n) != after.get(n)]


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "" if value is None else str(value)


def _show(line: Line) -> None:
    with dialog(line.action, wide=True) as box:
        with part("dl", "facts"):
            for name, text in (
                ("Who", line.actor),
                ("By token", line.token),
                ("From", line.address),
                ("What", line.subject),
            ):
                if text:
                    part("dt", text=name)
                    part("dd", text=text)
            part("dt", text="When")
            with part("dd"):
                Moment(line.at)
        changes = _changes(line)
        if changes:
            DataTable(
                "What changed",
                [
                    Column(key="name", label="Field"),
                    Column(key="before", label="Before"),
                    Column(key="after", label="After"),
                ],
                [{"id": n, "name": n, "before": b, "after": a} for n, b, a in changes],
                search=False,
                page=0,
            )
        with part("div", "dialog-actions"):
            button("Close", on_click=box.close)
    box.open()


PAGE = Page(
    path="/settings/activity",
    title="Activity log",
    section=Section.SETTINGS,
    permission="audit.read",
    build=build,
    tab="Activity log",
)
