"""What is set up to run, what starts it, and when that is next."""

from __future__ import annotations

from functools import partial
from typing import Any

from segue.catalog.base import now
from segue.scheduling.configured import Configured, configured
from segue.web.components.looking import look_every
from segue.web.components.parts import heading
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EVERY = 5.0


async def build(visit: Visit) -> None:
    """Fill the page."""
    heading("Workflows", "What is set up to run: what starts it, and when that is next.")

    async def rows() -> list[dict[str, Any]]:
        found = await visit.call(partial(configured, now=now()), visit.workspace)
        return list(map(_row, found))

    table = DataTable(
        "Configured workflows",
        [
            Column(key="name", label="Name", kind="link"),
            Column(key="kind", label="Kind", filter=True, wide=True),
            Column(key="status", label="Last status", kind="status", filter=True),
            Column(key="starts", label="Started", wide=True),
            Column(key="schedule", label="Schedule", wide=True),
            Column(key="last", label="Last run", kind="time", wide=True),
            Column(key="next", label="Next run", kind="time"),
        ],
        await rows(),
        empty=("Nothing is set up yet", "Add an orchestration: a query, a destination, and how the columns go there."),
    )

    async def refill() -> None:
        table.fill(await rows())

    look_every(_EVERY, refill)


def _row(line: Configured) -> dict[str, Any]:
    address = f"/workflows?orchestration={line.id}" if line.kind == "orchestration" else "/orchestrations"
    return {
        "id": f"{line.kind}-{line.id}",
        "name": (line.name, address),
        "kind": line.kind,
        "status": line.status or "never run",
        "starts": line.starts,
        "schedule": line.schedule,
        "last": line.last_at,
        "next": line.following,
    }


PAGE = Page(
    path="/workflows/configured",
    title="Configured workflows",
    section=Section.WORKFLOWS,
    permission="configuration.read",
    build=build,
    tab="Configured",
)
