"""Samples of the people of a plan, with what would change of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from nicegui.events import GenericEventArguments

from segue.services.plan_samples import PlannedRow, PlanSamples, value_of
from segue.services.rejects import Reject
from segue.web.components.parts import part
from segue.web.components.table import Action, Column, DataTable
from segue.web.pages.run_people import payload_text, show_person
from segue.web.visit import Visit

_ARROW = "\N{RIGHTWARDS ARROW}"


def show_samples(visit: Visit, samples: PlanSamples | None) -> None:
    """Up to 20 people of each kind; what changes is told as before and after."""
    with part("section", "card", aria_label="Samples"):
        with part("div", "card-head"):
            part("h2", text="Samples")
            part("span", "muted", text="Up to 20 people of each kind")
        if samples is None:
            part("p", "muted", text="To see people's data takes the permission people.read.")
            return
        if not visit.actor.sees_personal_data:
            part("p", "muted", text="Values are masked: your user may not see personal data.")
        people = tuple(_people(samples))

        async def show(event: GenericEventArguments) -> None:
            person = people[int(event.args["row"])]
            await show_person(person.key, person.lines, person.payload)

        DataTable(
            "Samples of the plan",
            [
                Column(key="kind", label="What", filter=True),
                Column(key="key", label="Person"),
                Column(key="change", label="Before and after"),
                Column(key="payload", label="Attributes", kind="code", wide=True),
            ],
            [
                {
                    "id": place,
                    "kind": person.kind,
                    "key": person.key,
                    "change": ", ".join(person.lines),
                    "payload": payload_text(person.payload),
                }
                for place, person in enumerate(people)
            ],
            actions=[Action(key="show", label="Show it whole", icon="data_object")],
            on_action=show,
            page=20,
            empty=("Nobody", "The list is what the query says: a run would send nothing."),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """One line of the table. lines: what happens, field by field."""

    kind: str
    key: str | None
    lines: tuple[str, ...]
    payload: Mapping[str, Any] | None


def _people(samples: PlanSamples) -> Iterable[_Person]:
    for row in samples.added:
        yield _Person(kind="added", key=row.key, lines=(), payload=row.after)
    for row in samples.changed:
        yield _Person(
            kind="changed", key=row.key, lines=tuple(_change(row, name) for name in row.fields), payload=row.after
        )
    for row in samples.cleared:
        lines = tuple(f"{name}: {_text(value_of(row.before, name))} {_ARROW} cleared" for name in row.fields)
        yield _Person(kind="cleared", key=row.key, lines=lines, payload=row.after)
    for row in samples.removed:
        yield _Person(kind="removed", key=row.key, lines=(), payload=row.before)
    for reject in samples.rejected:
        yield _Person(kind="rejected", key=reject.key, lines=(_why(reject),), payload=None)


def _change(row: PlannedRow, name: str) -> str:
    return f"{name}: {_text(value_of(row.before, name))} {_ARROW} {_text(value_of(row.after, name))}"


def _why(reject: Reject) -> str:
    value = f" {reject.value}" if reject.value is not None else ""
    return f"{reject.field}:{value} ({reject.reason})"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
