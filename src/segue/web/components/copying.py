"""Texts to take away: a link, a token, codes; shown with a button that copies them."""

from __future__ import annotations

from segue.security import Secret
from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.parts import part


def copy_field(label: str, text: Secret) -> None:
    """A text that cannot be changed, of one line, and a button that copies it."""
    with part("div", "copy"):
        part(
            "input", "copy-text", type="text", readonly=True, aria_label=label, value=text.reveal(), spellcheck="false"
        )
        _copier()


def show_once(title: str, what: str, label: str, text: Secret) -> None:
    """A dialog with a text that is not shown again. what: a sentence that says so, and what to do with it."""
    with dialog(title) as box:
        part("p", text=what)
        copy_field(label, text)
        with part("div", "dialog-actions"):
            button("Done", on_click=box.close, kind="primary")
    box.open()


def copy_lines(label: str, lines: tuple[Secret, ...]) -> None:
    """Several lines, and a button that copies all of them."""
    with part("div", "copy"):
        text = "\n".join(line.reveal() for line in lines)
        part(
            "textarea",
            "copy-text",
            readonly=True,
            aria_label=label,
            rows=str(len(lines)),
            value=text,
            spellcheck="false",
        )
        _copier()


def copy_address(path: str) -> None:
    """A button that copies the address of a page of this server, as the browser has it."""
    with part("span", "copy-address"):
        text = part("input", "copy-text hidden", type="text", readonly=True, aria_hidden="true", tabindex="-1")
        text.props["data-path"] = path
        button("Copy link", name="link").props["data-copies"] = "address"


def _copier() -> None:
    made = button("Copy", name="content_copy")
    made.props["data-copies"] = True
