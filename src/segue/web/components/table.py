"""Tables: dense, searched, filtered, sorted and paged in the browser, or fed page by page where there is too much for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from nicegui import ui
from nicegui.events import GenericEventArguments, Handler

from segue.web.components.status import LOOKS

Kind = Literal["text", "number", "status", "time", "link", "code"]

_FIRST = 100
_SOON = 0.1
"""Seconds from the first rows of many to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. kind: how its cells look; filter: whether to offer its values as a filter, or which; wide: left out on phones."""

    key: str
    label: str
    kind: Kind = "text"
    filter: bool | Sequence[str] = False
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An entry of the menu of a row. danger: something is lost."""

    key: str
    label: str
    icon: str
    danger: bool = False


class DataTable(ui.element, component="table.js"):
    """A table.

    label: what it holds, for those who do not see it. rows: each with ``id`` and a value for each column: text, a number, a
    datetime, the word of a status, or for a link a pair of text (or datetime) and address; ``actions`` of a row, where it has
    them, are the keys of those that make sense for it. empty: title and text for no rows at all. page: rows a page; 0: all of
    them, of which only those in sight are drawn. more: whether the server has more rows: the table then asks for them
    (``on_ask``), also when one scrolls near their end, and hands search and filters over instead of applying them. chosen:
    values of filters from the start.
    """

    def __init__(
        self,
        label: str,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        actions: Sequence[Action] = (),
        on_action: Handler[GenericEventArguments] | None = None,
        on_ask: Handler[GenericEventArguments] | None = None,
        empty: tuple[str, str] = ("Nothing here", ""),
        search: bool = True,
        page: int = 50,
        more: bool = False,
        chosen: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["columns"] = [_column(column) for column in columns]
        self.props["actions"] = [_action(action) for action in actions]
        self.props["looks"] = {word: {"icon": look.icon, "tone": look.tone} for word, look in LOOKS.items()}
        self.props["nothing"] = {"title": empty[0], "text": empty[1]}
        self.props["searchable"] = search
        self.props["page"] = page
        self.props["remote"] = on_ask is not None
        self.props["start"] = dict(chosen or {})
        self._columns = tuple(columns)
        self._begin(rows, more=more)
        if on_action is not None:
            self.on("action", on_action)
        if on_ask is not None:
            self.on("ask", on_ask)

    def fill(self, rows: Sequence[Mapping[str, Any]], *, more: bool = False) -> None:
        """Show these rows instead. Where they are those that are there, nothing goes to the browser."""
        self._show([self._row(row) for row in rows], more=more)

    def _begin(self, rows: Sequence[Mapping[str, Any]], *, more: bool) -> None:
        """Of many rows the first go with the page, and all of them once it stands: so it can be used sooner."""
        shown = [self._row(row) for row in rows]
        if len(shown) <= _FIRST:
            self._show(shown, more=more)
            return
        self._show(shown[:_FIRST], more=more, coming=len(shown))
        ui.timer(_SOON, partial(self._complete, shown, more=more), once=True)

    def _complete(self, rows: list[dict[str, Any]], *, more: bool) -> None:
        if self.props.get("coming"):  # otherwise somebody filled it meanwhile
            self._show(rows, more=more)

    def _show(self, rows: list[dict[str, Any]], *, more: bool, coming: int | None = None) -> None:
        for name, value in {"rows": rows, "more": more, "coming": coming}.items():
            if self.props.get(name) != value:
                self.props[name] = value

    def add(self, rows: Sequence[Mapping[str, Any]], *, more: bool) -> None:
        """Show these rows after those that are there: what the table asked for."""
        self.run_method("add", [self._row(row) for row in rows], more)

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        cells = {column.key: _cell(row.get(column.key)) for column in self._columns}
        return {"id": str(row["id"]), "cells": cells, "actions": row.get("actions")}


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_cell(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _column(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "label": column.label,
        "kind": column.kind,
        "filter": list(column.filter) if not isinstance(column.filter, bool) else column.filter,
        "wide": column.wide,
    }


def _action(action: Action) -> dict[str, Any]:
    return {"key": action.key, "label": action.label, "icon": action.icon, "danger": action.danger}
