"""Fields of forms: a label, what it means, and what is wrong with what was put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nicegui import ui

from segue.web.components.parts import part


def text_field(label: str, *, value: str = "", hint: str = "", lines: int = 1) -> ui.input | ui.textarea:
    """A field for text. hint: a sentence below it."""
    field: ui.input | ui.textarea = ui.input(label, value=value) if lines == 1 else ui.textarea(label, value=value)
    field.props("outlined dense stack-label").classes("field")
    if hint:
        field.props["hint"] = hint
    return field


def password_field(label: str, *, autocomplete: str, hint: str = "") -> ui.input:
    """A field for a secret. autocomplete: as HTML has it: ``current-password``, ``new-password``, ``off``."""
    field = ui.input(label, password=True).props("outlined dense stack-label").classes("field")
    field.props["autocomplete"] = autocomplete
    if hint:
        field.props["hint"] = hint
    return field


def suggest(field: ui.input | ui.textarea, names: Sequence[str]) -> None:
    """Offer names while somebody types; whatever is typed counts."""
    offered = part("datalist")
    # NiceGUI's field looks for a list of this id.
    offered.props["id"] = f"{field.html_id}-datalist"
    with offered:
        for name in names:
            part("option", value=name)


@contextmanager
def fold(title: str) -> Iterator[None]:
    """What few people need, behind its title."""
    with part("details", "fold"):
        part("summary", text=title)
        with part("div", "fold-fields"):
            yield


def choice_field(
    label: str, options: Mapping[str, str] | Sequence[str], *, value: str | None = None, hint: str = ""
) -> ui.select:
    """A field to choose in, with search. options: names, or value -> what it is called."""
    given = dict(options) if isinstance(options, Mapping) else list(options)
    field = ui.select(given, label=label, value=value, with_input=True)
    field.props("outlined dense stack-label behavior=menu").classes("field")
    if hint:
        field.props["hint"] = hint
    return field


def check_field(label: str, *, value: bool = False, hint: str = "") -> ui.checkbox:
    """A field for yes or no. hint: a sentence below it."""
    with part("div", "check"):
        field = ui.checkbox(label, value=value).props("dense").classes("field")
        if hint:
            part("p", "hint", text=hint)
    return field


def complain(field: ui.input | ui.textarea | ui.select, message: str | None) -> bool:
    """Say at the field what is wrong with it; None: nothing is. Returns whether it is right."""
    field.error = message
    return message is None


def needed(field: ui.input | ui.textarea | ui.select) -> bool:
    """Whether the field is filled; says so at the field when it is not."""
    filled = bool(str(field.value or "").strip())
    return complain(field, None if filled else "This is needed.")
