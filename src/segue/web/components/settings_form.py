"""Fields for settings that are described as data, and what was put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nicegui import ui

from segue.web.components.fields import check_field, choice_field, complain, text_field

Kind = Literal["text", "number", "percent", "check", "choice"]
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. key: its name; hint: what it means, for people; options: of a choice, value -> what it is called."""

    key: str
    label: str
    hint: str
    kind: Kind = "text"
    options: Mapping[str, str] = field(default_factory=dict)


class SettingsForm:
    """Fields for settings, made where this is called. values: what they are now, defaults included."""

    def __init__(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> None:
        self._settings = tuple(settings)
        self._values = values
        self._fields: dict[str, Any] = {one.key: _field(one, values.get(one.key)) for one in settings}

    def field(self, key: str) -> Any:
        """The field of a setting."""
        return self._fields[key]

    def changed(self) -> dict[str, Any] | None:
        """The settings that differ from what they were; None when a field is wrong, which then says so."""
        found: dict[str, Any] = {}
        right = True
        for one in self._settings:
            try:
                value = _value(one, self._fields[one.key].value)
            except ValueError as error:
                right = complain(self._fields[one.key], str(error))
                continue
            if one.kind != "check":
                complain(self._fields[one.key], None)
            if value != self._values.get(one.key):
                found[one.key] = value
        return found if right else None


def _field(one: Setting, value: Any) -> ui.input | ui.textarea | ui.select | ui.checkbox:
    match one.kind:
        case "check":
            return check_field(one.label, value=bool(value), hint=one.hint)
        case "choice":
            return choice_field(one.label, one.options, value=value, hint=one.hint)
        case "percent":
            shown = "" if value is None else f"{value * _PERCENT:g}"
            return text_field(one.label, value=shown, hint=one.hint).props("suffix=%")
        case _:
            return text_field(one.label, value="" if value is None else str(value), hint=one.hint)


def _value(one: Setting, given: Any) -> Any:
    """What was put in, as the setting takes it; nothing for an empty field. Raises ValueError with what is wrong."""
    if one.kind in ("check", "choice"):
        return bool(given) if one.kind == "check" else given
    text = str(given or "").strip()
    if not text:
        return None
    if one.kind == "number":
        if not text.replace(",", "").isdigit():
            raise ValueError("Takes a whole number.")
        return int(text.replace(",", ""))
    if one.kind == "percent":
        try:
            return round(float(text.removesuffix("%")) / _PERCENT, 6)
        except ValueError:
            raise ValueError("Takes a percentage, such as 30.") from None
    return text
