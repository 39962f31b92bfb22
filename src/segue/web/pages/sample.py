"""A test send: a few members, in one run."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from segue.web.components.dialogs import dialog
from segue.web.components.icons import button
from segue.web.components.parts import part
from segue.web.visit import Visit
from segue.workflow.requests import Options, request_run

_SIZES = {10: "10 members", 100: "100 members"}


async def send_sample(visit: Visit, name: str, list_name: str) -> str | None:
    """Ask how many, and for the run. Its id; None where it was not wanted."""
    with dialog("Send a sample") as box:
        part("p", text=f'A few new members are added to the list "{list_name}", by address, and nobody is removed.')
        part("p", text="This holds for one run: the next one sends all the others.")
        size = ui.radio(_SIZES, value=10).props("dense")
        size.props["aria-label"] = "How many"
        with part("div", "dialog-actions"):
            button("Cancel", on_click=lambda: box.submit(None))
            button("Send", on_click=lambda: box.submit(size.value), kind="primary")
    rows = await box
    box.delete()
    if not isinstance(rows, int):
        return None
    ask = partial(request_run, started_by="user", options=Options(max_rows=rows))
    asked = await visit.call(ask, visit.workspace, name)
    visit.started.add(asked.run.id)
    return asked.run.id
