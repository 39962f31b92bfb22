"""The plan: what a run would do, as data, before anything is sent."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from segue.audience.rows import WHOLE_ROW
from segue.delivery.words import counted
from segue.destinations.contract import Destination, Estimate
from segue.services.fuses import Fuse
from segue.services.orchestrations import Orchestration
from segue.services.staged import Staged
from segue.template import TemplateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """id: changes when the data, the baseline, the list or the settings do. Row counts add up: source = duplicates +
    rejected + added + changed + unchanged + held_back. others: members that somebody else put on the list and that are
    kept, None when Klaviyo does not say."""

    id: str
    orchestration: str
    account: str
    list_id: str | None
    list_name: str
    source: int
    duplicates: dict[str, int]
    rejected: int
    problems: dict[str, int]
    added: int
    changed: int
    changed_fields: dict[str, int]
    unchanged: int
    held_back: int
    cleared: int
    cleared_fields: dict[str, int]
    clears_one_by_one: int
    kept_fields: dict[str, int]
    first_send_unset: dict[str, int]
    removed: int
    foreign: int
    others: int | None
    requests: dict[str, int]
    bytes: int
    minutes: float
    fuses: tuple[Fuse, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; each fuse with ``blown``."""
        return {**asdict(self), "fuses": [{**asdict(f), "blown": f.blown} for f in self.fuses]}


def make_plan(orchestration: Orchestration, staged: Staged, destination: Destination, fuses: tuple[Fuse, ...]) -> Plan:
    """Everything that is known of a run before its first write."""
    connected, counts, target = staged.connected, staged.delta.counts, staged.connected.target
    estimate: Estimate = destination.estimate(
        staged.delta,
        removes=counts.removed,
        strangers=staged.foreign,
        read_back=orchestration.settings.read_back,
        new_list=target.id is None,
    )
    return Plan(
        id=plan_id(orchestration, staged),
        orchestration=orchestration.name,
        account=connected.account.name or connected.account.id,
        list_id=target.id,
        list_name=target.name,
        source=staged.rows.source,
        duplicates={"identical": staged.duplicates.collapsed, "older": staged.duplicates.replaced},
        rejected=staged.rows.refused,
        problems=staged.rows.problems,
        added=counts.added,
        changed=counts.changed,
        changed_fields=counts.changed_fields,
        unchanged=staged.unchanged,
        held_back=counts.held_back,
        cleared=counts.cleared_rows,
        cleared_fields=counts.cleared_fields,
        clears_one_by_one=counts.slow_rows,
        kept_fields=counts.kept_fields,
        first_send_unset=counts.first_send_unset,
        removed=counts.removed,
        foreign=staged.foreign,
        others=_others(staged),
        requests=estimate.requests,
        bytes=estimate.bytes,
        minutes=estimate.minutes,
        fuses=fuses,
        warnings=(*connected.warnings, *row_warnings(staged, orchestration.settings), *notes(staged)),
    )


def plan_id(orchestration: Orchestration, staged: Staged) -> str:
    """A mark of 16 hex characters over all that decides what is sent."""
    connected = staged.connected
    decides = [
        orchestration.id,
        orchestration.settings.model_dump(mode="json"),
        connected.account.id,
        connected.target.id,
        connected.snapshot.version,
        staged.delta.digest,
        staged.foreign_mark,
    ]
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _others(staged: Staged) -> int | None:
    members = staged.connected.target.members
    if members is None:
        return None if staged.connected.target.id else 0
    return max(0, members - staged.connected.snapshot.rows - staged.foreign)


def row_warnings(staged: Staged, settings: TemplateSettings) -> tuple[str, ...]:
    """What happened to rows and columns on the way, a sentence each."""
    warnings = [f'Column "{f.column}" is left out: {f.why}.' for f in staged.left_out if "only the email" not in f.why]
    if staged.rows.refused:
        warnings.append(f"{counted(staged.rows.refused, 'row')} cannot be sent; the rejects name them.")
    partial = sum(n for reason, n in staged.rows.problems.items() if reason not in WHOLE_ROW)
    if partial:
        warnings.append(
            f"{counted(partial, 'value')} cannot be sent; their rows go without them. The rejects name them."
        )
    if staged.duplicates.replaced:
        warnings.append(
            f"{counted(staged.duplicates.replaced, 'row was', 'rows were')} dropped because a later row has the same email "
            f"({counted(staged.duplicates.keys, 'person', 'people')})."
        )
    if staged.released:
        stay = counted(staged.released, "person who leaves stays", "people who leave stay")
        warnings.append(f"{stay} on the list: another orchestration has them there.")
    kept = staged.delta.counts.kept_fields
    if kept:
        fields = ", ".join(f"{name} ({count:,})" for name, count in sorted(kept.items()))
        warnings.append(f"Fields without a value to send keep their old one at Klaviyo: {fields}.")
    if staged.delta.counts.held_back:
        left = counted(staged.delta.counts.held_back, "row is", "rows are")
        warnings.append(f"A test send of up to {settings.max_rows:,}: {left} left for later.")
    return tuple(warnings)


def notes(staged: Staged) -> tuple[str, ...]:
    """What is good to know and makes a run no worse, a sentence each."""
    return (*staged.notes, *_first_send_notice(staged))


def _first_send_notice(staged: Staged) -> tuple[str, ...]:
    """What a first send unsets. It is the template's will, so the plan says it and a run that does it is no worse for it."""
    unset = staged.delta.counts.first_send_unset
    if not unset or staged.connected.snapshot.rows:
        return ()
    fields = ", ".join(f"{name} ({count:,})" for name, count in sorted(unset.items()))
    how = "set first_send_nulls: keep to leave them alone"
    return (f"On a first send NULL custom properties are unset: {fields}; {how}.",)
