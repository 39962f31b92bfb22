"""Icons, from the font in NiceGUI's wheel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui
from nicegui.events import Handler

from segue.web.components.parts import Part, part


def icon(name: str, *, classes: str = "") -> Part:
    """An icon that says nothing that its neighbour does not say. name: of Material Icons."""
    return part("span", f"icon {classes}", text=name, aria_hidden="true", translate="no")


def icon_button(name: str, label: str, *, on_click: Handler[Any] | None = None) -> Part:
    """A button that is an icon. label: what it does, for who does not see it and as its title."""
    button = part("button", "icon-button", type="button", aria_label=label, title=label)
    with button:
        icon(name)
    if on_click is not None:
        button.on("click", on_click)
    return button


def menu_button(label: str, entries: Sequence[tuple[str, str, Handler[Any]]], *, danger: str = "") -> Part:
    """A button with a menu. entries: icon, text and what it does, each; danger: the text of the one that loses something."""
    opener = icon_button("more_vert", label)
    opener.props["aria-haspopup"] = "menu"
    with opener, ui.menu().props("auto-close"), part("div", "menu-list", role="menu"):
        for name, text, act in entries:
            with ui.menu_item(on_click=act).props("role=menuitem").classes("danger" if text == danger else ""):
                icon(name)
                part("span", text=text)
    return opener


def button(text: str, *, on_click: Handler[Any] | None = None, name: str = "", kind: str = "") -> Part:
    """A button with a text. name: of an icon before it; kind: ``primary``, ``danger`` or nothing."""
    made = part("button", f"button {kind}", type="button")
    with made:
        if name:
            icon(name)
        part("span", text=text)
    if on_click is not None:
        made.on("click", on_click)
    return made
