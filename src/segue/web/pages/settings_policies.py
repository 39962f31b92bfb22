"""Policies: what each of them allows, and what the options add or take away."""

from __future__ import annotations

from segue.services.permissions import PERMISSIONS, Option, Policy
from segue.web.components.parts import heading, part
from segue.web.components.table import Column, DataTable
from segue.web.registry import Page, Section
from segue.web.visit import Visit

_YES, _NO = "yes", "no"
_OPTIONS = {
    Option.RESTRICT_PII: (
        "Sees no personal data",
        "No value of a personal column anywhere; uses only destinations that allow it.",
    ),
    Option.USER_ADMIN: ("Also looks after users", "Makes and changes users who may no more than this one."),
    Option.RUN_ONLY: ("Runs only", "Keeps what is marked so in the table, and configures nothing."),
}


async def build(visit: Visit) -> None:
    """Fill the page."""
    mine = visit.actor.policy
    yours = f" You are {'an' if mine in (Policy.ADMINISTRATOR, Policy.OPERATOR, Policy.ACTIVATOR) else 'a'} {mine}."
    heading("Policies", f"Each user has one policy, and may have options.{yours if mine else ''}")
    DataTable(
        "Policies",
        [
            Column(key="allows", label="Allows to"),
            # On a phone there is no room for the one who may everything.
            *(Column(key=p, label=p.capitalize(), wide=p is Policy.ADMINISTRATOR) for p in Policy),
            Column(key="run_only", label="Runs only keeps it", wide=True),
        ],
        [
            {
                "id": line.name,
                "allows": line.allows,
                **{policy: _YES if policy in line.policies else _NO for policy in Policy},
                "run_only": _YES if line.run_only else _NO,
            }
            for line in PERMISSIONS.values()
        ],
    )
    with part("section", "card"):
        part("h2", text="Options of a user")
        with part("dl", "facts"):
            for option in Option:
                name, meaning = _OPTIONS[option]
                part("dt", text=name)
                part("dd", text=meaning)


PAGE = Page(
    path="/settings/policies",
    title="Policies",
    section=Section.SETTINGS,
    permission="runs.read",
    build=build,
    tab="Policies",
)
