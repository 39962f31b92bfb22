"""The dialog that adds or changes an alert, and its conditions in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui

from segue.services.editing import Configured, create, replace
from segue.web.components.dialogs import dialog
from segue.web.components.fields import check_field, needed, password_field, text_field
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.components.saving import save
from segue.web.visit import Visit

_SIMPLE = {
    "failed": "a run fails",
    "recovered": "a run succeeds after one that failed",
    "succeeded": "a run succeeds for the first time",
    "missed": "a scheduled run does not start",
    "fuse_blown": "a fuse stops a run",
    "query_threshold": "the row count moves by more than 20 %",
}
_LONGER, _THRESHOLD = "longer_than", "query_threshold"
_HUNDRED = 100


def in_words(condition: str | Mapping[str, Any]) -> str:
    """A condition, as a file has it, in words."""
    if isinstance(condition, str):
        return _SIMPLE.get(condition, condition)
    if _LONGER in condition:
        return f"a run takes longer than {condition[_LONGER]}"
    bounds = condition[_THRESHOLD]
    said = (
        f"under {bounds['at_least']:,} rows" if "at_least" in bounds else "",
        f"over {bounds['at_most']:,} rows" if "at_most" in bounds else "",
        f"the row count moves by more than {bounds['moves'] * _HUNDRED:g} %" if "moves" in bounds else "",
    )
    return " or ".join(filter(None, said))


class AlertForm:
    """The fields of an alert. alert: the one that is changed, None for a new one."""

    def __init__(
        self,
        visit: Visit,
        alert: Configured | None,
        orchestrations: tuple[str, ...],
        done: Callable[[], Awaitable[None]],
    ) -> None:
        self._visit = visit
        self._alert = alert
        self._done = done
        entry: Mapping[str, Any] = alert.entry if alert else {"when": ["failed", "recovered"]}
        words = {c for c in entry["when"] if isinstance(c, str)}
        rich = {key: value for c in entry["when"] if not isinstance(c, str) for key, value in c.items()}
        bounds: Mapping[str, Any] = rich.get(_THRESHOLD, {})
        with dialog("Edit alert" if alert else "Add alert") as self._box:
            self._problem = part("div")
            self._name = text_field("Name", value=entry.get("name", ""))
            self._name.set_enabled(alert is None)
            kept = "Empty: the address stays as it is." if alert else "It is kept encrypted and not shown again."
            self._url = password_field(
                "Address", autocomplete="off", hint=f"mailtos://..., https://hooks.slack.com/... {kept}"
            )
            with part("fieldset", "choices"):
                part("legend", text="Tell when")
                self._simple = {word: check_field(_SIMPLE[word].capitalize(), value=word in words) for word in _SIMPLE}
            with part("div", "pair"):
                self._longer = text_field(
                    "A run takes longer than", value=rich.get(_LONGER, ""), hint="Such as 90s, 30m, 2h."
                )
                self._moves = text_field("Rows move by more than, in %", value=_percent(bounds.get("moves")))
                self._least = text_field("Under so many rows", value=str(bounds.get("at_least", "")))
                self._most = text_field("Over so many rows", value=str(bounds.get("at_most", "")))
            self._orchestrations = ui.select(
                list(orchestrations),
                label="Orchestrations",
                value=list(entry.get("orchestrations", ())),
                multiple=True,
            )
            self._orchestrations.props("outlined dense stack-label behavior=menu use-chips").classes("field")
            self._orchestrations.props["hint"] = "None chosen: every orchestration."
            with part("div", "dialog-actions"):
                button("Cancel", on_click=self._box.close)
                button("Save", on_click=self._save, kind="primary")

    def open(self) -> None:
        """Show it."""
        self._box.open()

    async def _save(self) -> None:
        filled = [needed(self._name), self._alert is not None or needed(self._url)]
        numbers = [_number(field) for field in (self._moves, self._least, self._most)]
        if not all(filled) or not all(numbers):
            return
        saving = self._visit.call(_saved, self._visit, self._alert, self._entry())
        await save(saving, box=self._box, problem=self._problem, told="The alert is saved.", done=self._done)

    def _entry(self) -> dict[str, Any]:
        when: list[Any] = [word for word, box in self._simple.items() if box.value]
        if longer := _text(self._longer):
            when.append({_LONGER: longer})
        bounds: dict[str, Any] = {}
        if least := _text(self._least):
            bounds["at_least"] = int(least)
        if most := _text(self._most):
            bounds["at_most"] = int(most)
        if moves := _text(self._moves):
            bounds["moves"] = float(moves) / _HUNDRED
        if bounds:
            when = [*(word for word in when if word != _THRESHOLD), {_THRESHOLD: bounds}]
        entry: dict[str, Any] = {"name": _text(self._name), "when": when}
        if url := _text(self._url):
            entry["url"] = url
        return {**entry, "orchestrations": list(self._orchestrations.value or ())}


def _saved(visit: Visit, alert: Configured | None, entry: Mapping[str, Any]) -> None:
    if alert is None:
        create(visit.workspace, "alerts", entry)
    else:
        replace(visit.workspace, "alerts", alert.id, entry, tag=alert.tag)


def _text(field: ui.input | ui.textarea) -> str:
    return str(field.value or "").strip()


def _number(field: ui.input | ui.textarea) -> bool:
    """Whether the field is empty or a whole number; says so at the field when it is not."""
    text = _text(field)
    right = not text or (text.isascii() and text.isdigit())
    field.error = None if right else "Takes a whole number."
    return right


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * _HUNDRED:g}"
