"""Questions that are asked over the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from segue.web.components.icons import button
from segue.web.components.parts import part


@contextmanager
def dialog(title: str, *, wide: bool = False) -> Iterator[ui.dialog]:
    """A dialog that the block fills; ``open()`` shows it."""
    with ui.dialog() as box:
        box.props["aria-label"] = title
        with part("div", "dialog wide" if wide else "dialog"):
            part("h2", text=title)
            yield box


async def confirm(title: str, *texts: str, yes: str, danger: bool = False) -> bool:
    """Ask whether to do something. texts: what it does, a paragraph each; yes: what the button says."""
    with dialog(title) as box:
        for text in texts:
            part("p", text=text)
        with part("div", "dialog-actions"):
            button("Cancel", on_click=lambda: box.submit(False))
            button(yes, on_click=lambda: box.submit(True), kind="danger" if danger else "primary")
    answer = await box
    box.delete()
    return bool(answer)


async def ask(title: str, label: str, *, value: str = "", yes: str) -> str | None:
    """Ask for a short text; None when it is not given."""
    with dialog(title) as box:
        field = ui.input(label, value=value).props("outlined dense autofocus maxlength=255").classes("field")
        field.on("keydown.enter", lambda: box.submit(field.value))
        with part("div", "dialog-actions"):
            button("Cancel", on_click=lambda: box.submit(None))
            button(yes, on_click=lambda: box.submit(field.value), kind="primary")
    answer = await box
    box.delete()
    return answer.strip() or None if isinstance(answer, str) else None


def in_use(name: str, users: Sequence[str]) -> None:
    """Say what uses a thing that is to be deleted. users: each with its kind."""
    with dialog("It is in use") as box:
        part("p", text=f'"{name}" cannot be deleted while others use it. Change or delete first:')
        with part("ul"):
            for user in users:
                part("li", text=user)
        with part("div", "dialog-actions"):
            button("Close", on_click=box.close)
    box.open()
