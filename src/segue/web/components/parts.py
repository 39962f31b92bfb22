"""Plain HTML elements."""

from __future__ import annotations

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


class Part(TextElement):
    """An HTML element with classes of our style sheet, and text."""


def part(tag: str, classes: str = "", *, text: str = "", **attributes: str | bool) -> Part:
    """An element. text: shown as it is, whatever it holds; attributes: of HTML, with ``_`` for ``-``.

    Attributes are set one by one: in a string of props, a value could become another prop, and those are run as scripts.
    """
    made = Part(tag=tag, text=text).classes(classes)
    for name, value in attributes.items():
        made.props[name.strip("_").replace("_", "-")] = value
    return made


def heading(title: str, explanation: str = "") -> ui.element:
    """The head of a page: its title and what it is for. Buttons are put into what it returns."""
    with part("div", "heading"):
        with part("div", "heading-text"):
            part("h1", text=title)
            if explanation:
                part("p", "muted", text=explanation)
        return part("div", "actions")
