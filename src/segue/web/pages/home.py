"""Home: how far the set-up is, and how things go."""

from __future__ import annotations

from segue.services.run_pages import run_page
from segue.web.components.parts import heading, part
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit
from segue.workflow.records import RunRecords


async def build(visit: Visit) -> None:
    """Fill the page."""
    heading("Home", "What Segue does for you, and what is next.")
    with part("section", "card"):
        part("h2", text="Last runs")
        DataTable(
            "Last runs",
            [
                Column(key="name", label="Orchestration"),
                Column(key="status", label="Status", kind="status"),
                Column(key="at", label="Started", kind="time"),
            ],
            await visit.call(_runs, visit),
            search=False,
            empty=("No run yet", "Run an orchestration, and it is told here how it went."),
        )


def _runs(visit: Visit) -> list[dict[str, object]]:
    page = run_page(visit.workspace, orchestration=None, status=None, cursor=None, limit=8)
    records = RunRecords(visit.workspace.catalog)
    runs = [records.get(run_id) for run_id in page.ids]
    return [{"id": r.id, "name": r.orchestration, "status": str(r.status), "at": r.started_at} for r in runs]


PAGE = Page(path="/", title="Home", section=Section.HOME, permission="runs.read", build=build)
