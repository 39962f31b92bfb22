"""The end of a dialog that saves something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from segue.errors import SegueError
from segue.web.components.banner import show_problem


async def save(
    saving: Awaitable[object], *, box: ui.dialog, problem: ui.element, told: str, done: Callable[[], Awaitable[None]]
) -> None:
    """Wait for it, then close the dialog, say so and call ``done``. What goes wrong is shown in ``problem``, and the dialog
    stays as it was filled. told: a sentence."""
    try:
        await saving
    except SegueError as error:
        show_problem(problem, error)
        return
    box.close()
    ui.notify(told, type="positive", position="bottom-right")
    await done()
