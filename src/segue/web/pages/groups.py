"""Groups: orchestrations that run together, when, and how it went last."""

from __future__ import annotations

from segue.scheduling.overview import group_lines
from segue.web.components.icons import button
from segue.web.components.looking import look_every
from segue.web.components.parts import heading
from segue.web.pages.group_cards import EDIT, GroupCards
from segue.web.pages.group_form import open_group_form
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_EVERY = 5.0
"""Seconds between two looks at how the runs go."""


async def build(visit: Visit) -> None:
    """Fill the page."""

    async def refill() -> None:
        cards.show(await visit.call(group_lines, visit.workspace))

    with heading("Groups", "Orchestrations that run together: by hand, by the clock, after a signal or another group."):
        if visit.may(EDIT):
            button("Add group", on_click=lambda: open_group_form(visit, None, refill), name="add", kind="primary")
    cards = GroupCards(visit, refill)
    await refill()
    look_every(_EVERY, refill)


PAGE = Page(
    path="/groups",
    title="Groups",
    section=Section.ACTIVATIONS,
    permission="configuration.read",
    build=build,
    tab="Groups",
)
