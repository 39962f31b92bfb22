"""Samples of the people of a plan, with what would change of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from segue.services.plan_samples import PlannedRow, PlanSamples, value_of
from segue.services.rejects import Reject
from segue.web.components.parts import part
from segue.web.components.table import Column, DataTable
from segue.web.pages.run_people import payload_text
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
        rows = [{"id": place, **row} for place, row in enumerate(_rows(samples))]
        DataTable(
            "Samples of the plan",
            [
                Column(key="kind", label="What", filter=True),
                Column(key="key", label="Person"),
                Column(key="change", label="Before and after"),
                Column(key="payload", label="Attributes", kind="code", wide=True),
            ],
            rows,
            page=20,
            empty=("Nobody", "The list is what the query says: a run would send nothing."),
        )


def _rows(samples: PlanSamples) -> Iterable[dict[str, Any]]:
    for row in samples.added:
        yield {"kind": "added", "key": row.key, "change": None, "payload": payload_text(row.after)}
    for row in samples.changed:
        change = ", ".join(_change(row, name) for name in row.fields)
        yield {"kind": "changed", "key": row.key, "change": change, "payload": payload_text(row.after)}
    for row in samples.cleared:
        change = ", ".join(f"{name}: {_text(value_of(row.before, name))} {_ARROW} cleared" for name in row.fields)
        yield {"kind": "cleared", "key": row.key, "change": change, "payload": payload_text(row.after)}
    for row in samples.removed:
        yield {"kind": "removed", "key": row.key, "change": None, "payload": payload_text(row.before)}
    for reject in samples.rejected:
        yield {"kind": "rejected", "key": reject.key, "change": _why(reject), "payload": None}


def _change(row: PlannedRow, name: str) -> str:
    return f"{name}: {_text(value_of(row.before, name))} {_ARROW} {_text(value_of(row.after, name))}"


def _why(reject: Reject) -> str:
    value = f" {reject.value}" if reject.value is not None else ""
    return f"{reject.field}:{value} ({reject.reason})"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
