"""The editor of SQL: highlighting, completion of the database's own names, errors at their place, keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from segue.errors import QueryError


class _Completion(ui.element, component="completion.js"):
    """What is added to the editor with this id."""

    def __init__(self, editor: int, words: Sequence[tuple[str, str, str]], label: str) -> None:
        super().__init__()
        self.props["editor"] = editor
        self.props["words"] = [list(word) for word in words]
        self.props["label"] = label


class SqlEditor:
    """An editor. words: text, kind and detail of what may be written; keys: of CodeMirror -> what they do."""

    def __init__(
        self, sql: str, *, label: str, words: Sequence[tuple[str, str, str]], keys: Mapping[str, Callable[[], object]]
    ) -> None:
        self._editor = ui.codemirror(sql, language="SQL", theme="vscodeLight", indent="  ")
        for key, what in keys.items():
            self._editor.map_key(key, what)
        self._editor.classes("sql")
        self._extra = _Completion(self._editor.id, words, label)

    @property
    def sql(self) -> str:
        """What is written."""
        return self._editor.value or ""

    def write(self, sql: str) -> None:
        """Replace what is written."""
        self._editor.value = sql

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call a handler after each change."""
        self._editor.on_value_change(handler)

    def insert(self, text: str) -> None:
        """Write at the cursor."""
        self._extra.run_method("insert", text)

    def comment(self) -> None:
        """Turn the lines of the selection into comments, or back."""
        self._extra.run_method("comment")

    async def selected(self) -> str:
        """The text that is selected."""
        return str(await self._extra.run_method("selected") or "")

    def mark(self, error: QueryError | None) -> None:
        """Show where a mistake is; None: nowhere."""
        if error is None or error.line is None:
            self._editor.decorations = []
            return
        start, end = _place(self.sql, error.line, error.column or 1)
        self._editor.decorations = [
            {"kind": "mark", "from": start, "to": end, "class": "sql-mistake"},
            {"kind": "line", "line": error.line, "class": "sql-mistake-line"},
        ]
        self._editor.reveal_line(error.line)


def _place(sql: str, line: int, column: int) -> tuple[int, int]:
    """From a place, both from 1, to the offsets of the word there."""
    lines = sql.split("\n")
    line = min(line, len(lines))
    before = sum(len(text) + 1 for text in lines[: line - 1])
    start = min(before + column - 1, max(len(sql) - 1, 0))
    end = start
    while end < len(sql) and (sql[end].isalnum() or sql[end] in "_$"):
        end += 1
    return start, max(end, min(start + 1, len(sql)))
