"""The dialog that adds or changes a database. It is saved when it can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from nicegui import ui

from segue.errors import SegueError
from segue.services.databases import save_database
from segue.services.editing import Configured, get_configured
from segue.web.components.banner import notice, show_problem
from segue.web.components.dialogs import dialog
from segue.web.components.fields import choice_field, fold, needed, text_field
from segue.web.components.icons import button, icon_button
from segue.web.components.parts import part
from segue.web.visit import Visit

_ENGINES = {"duckdb": "DuckDB, which comes with Segue"}
_KINDS = {"file": "A DuckDB database file", "files": "Parquet and CSV files"}


async def open_database_form(visit: Visit, ref: str | None, done: Callable[[], Awaitable[None]]) -> None:
    """Show the dialog. ref: of the database that is changed; None adds one. done: called when it is saved."""
    thing = await visit.call(get_configured, visit.workspace, "databases", ref) if ref else None
    _Form(visit, thing, done).open()


class _Form:
    """The fields: what reads it, and where it is."""

    def __init__(self, visit: Visit, thing: Configured | None, done: Callable[[], Awaitable[None]]) -> None:
        self._visit = visit
        self._thing = thing
        self._done = done
        entry: Mapping[str, Any] = thing.entry if thing else {}
        self._lines: list[tuple[str, str]] = list(entry.get("tables", {}).items()) or [("", "")]
        self._fields: list[tuple[ui.input | ui.textarea, ui.input | ui.textarea]] = []
        with dialog("Edit database" if thing else "Add database") as self._box:
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(thing is None)
            self._engine = choice_field("Engine", _ENGINES, value="duckdb", hint="It only reads.")
            self._kind = choice_field("Data", _KINDS, value="files" if entry.get("tables") else "file")
            self._path = text_field(
                "Path",
                value=entry.get("path", ""),
                hint="On the server; a relative path starts at the workspace folder.",
            )
            with part("div", "stack") as files:
                part("p", "muted", text="Each table is a file, or a pattern such as /data/orders/*.parquet.")
                self._place = part("ol", "members")
                button("Add table", on_click=self._add, name="add").classes("left")
            self._draw()
            self._path.bind_visibility_from(self._kind, "value", value="file")
            files.bind_visibility_from(self._kind, "value", value="files")
            with fold("More"):
                self._personal = text_field(
                    "Personal columns",
                    value=", ".join(entry.get("personal", ())),
                    hint="Names with commas between them, besides those that speak for themselves: masked for people who "
                    "see no personal data.",
                )
            self._problem = part("div")
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Check and save", on_click=self._save, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    def _keep(self) -> None:
        """What is typed, before the lines are drawn anew."""
        self._lines = [(_text(name), _text(files)) for name, files in self._fields]

    def _add(self) -> None:
        self._keep()
        self._lines.append(("", ""))
        self._draw()

    def _remove(self, at: int) -> None:
        self._keep()
        del self._lines[at]
        self._draw()

    def _draw(self) -> None:
        self._place.clear()
        self._fields = []
        with self._place:
            for at, (name, files) in enumerate(self._lines):
                with part("li", "member"):
                    self._fields.append(
                        (text_field(f"Table {at + 1}", value=name), text_field(f"Files of {at + 1}", value=files))
                    )
                    gone = icon_button("close", f"Remove: {at + 1}", on_click=partial(self._remove, at))
                    gone.props["disabled"] = len(self._lines) == 1

    async def _save(self) -> None:
        where: list[ui.input | ui.textarea]
        where = [self._path] if self._kind.value == "file" else [field for line in self._fields for field in line]
        filled = [needed(self._engine), *(needed(field) for field in (self._name, *where))]
        if not all(filled):
            return
        self._problem.clear()
        with self._problem:
            notice("The database is being read.", tone="busy", name="autorenew")
        try:
            tables = await self._visit.call(
                partial(save_database, seen=self._thing), self._visit.workspace, self._entry()
            )
        except SegueError as error:
            show_problem(self._problem, error)
            with self._problem:
                part("p", "muted", text="Nothing was saved.")
            return
        self._box.close()
        ui.notify(
            f"The database is saved; it has {tables} table{'' if tables == 1 else 's'}.",
            type="positive",
            position="bottom-right",
        )
        await self._done()

    def _entry(self) -> dict[str, Any]:
        self._keep()
        personal = [name.strip() for name in _text(self._personal).split(",") if name.strip()]
        where = {"path": _text(self._path)} if self._kind.value == "file" else {"tables": dict(self._lines)}
        return {
            "name": _text(self._name),
            "engine": self._engine.value,
            **where,
            **({"personal": personal} if personal else {}),
        }


def _text(field: ui.input | ui.textarea) -> str:
    return str(field.value or "").strip()
