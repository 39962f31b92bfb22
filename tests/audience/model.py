"""What a run should send and what its next baseline should be, as dictionaries: no SQL, no files, no hashes."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segue.template import TemplateSettings
from tests.audience.reference_encoder import LOCATION, PROFILE

IDENTIFIERS = frozenset({"phone_number", "external_id"})
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """What is known to be at Klaviyo of a person, and the fields that may still be there though the query says NULL."""

    fields: Fields
    owed: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    """Of the identifiers among the owed ones the values that are still there."""
    doubtful: bool = False
    """A change of which nothing was heard may have arrived: what it set is owed, and the next row is sent whatever it says."""

    def identifiers(self) -> set[tuple[str, str]]:
        """Which identifiers this person has at Klaviyo."""
        return {(n, self.fields[n]) for n in IDENTIFIERS & self.fields.keys()} | self.values

    def doubted(self, sent: Fields) -> Held:
        """The same person after a change that may have arrived."""
        given = frozenset((name, sent[name]) for name in IDENTIFIERS & sent.keys())
        return Held(self.fields, self.owed | sent.keys(), self.values | given, doubtful=True)

    def remembered(self, owed: frozenset[str]) -> frozenset[tuple[str, str]]:
        """The values of those that go on being owed."""
        return frozenset((n, v) for n, v in self.identifiers() if n in owed)


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of a delta. unset: custom properties in the body's ``meta``; slow: cleared one by one; kept: not cleared."""

    kind: str
    fields: Fields
    changed: frozenset[str]
    cleared: frozenset[str]
    slow: frozenset[str]
    kept: frozenset[str]
    unset: frozenset[str]
    values: frozenset[tuple[str, str]] = frozenset()


@dataclass
class Audience:
    """The baseline of one orchestration."""

    held: dict[str, Held] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    maybe: set[str] = field(default_factory=set)
    """Who was sent for the first time and may have arrived."""

    def compare(
        self, rows: Sequence[Mapping[str, Any]], template: TemplateSettings
    ) -> tuple[dict[str, Sent], dict[str, Held], set[str]]:
        """Sent rows by key, baselines that change while nothing is sent, and the keys of leavers."""
        winners = latest(rows)
        columns = frozenset(rows[0]) - {"email"} if rows and template.use_full_profile else frozenset()
        sent: dict[str, Sent] = {}
        rebased: dict[str, Held] = {}
        rest = self.without_shared(
            {key: sendable({c: row[c] for c in columns}) for key, row in winners.items()}, template, columns
        )
        for key, (fields, unsendable) in rest.items():
            old = self.held.get(key)
            if old is None:
                sent[key] = first(fields, unsendable, columns, template)
                continue
            changed = frozenset(f for f, value in fields.items() if f not in old.fields or old.fields[f] != value)
            lost = frozenset(f for f in columns - fields.keys() if f in old.fields or f in old.owed)
            cleared = clearable(lost, unsendable, template)
            slow = frozenset(f for f in cleared if is_standard(f))
            owed = (lost - cleared) | ((old.fields.keys() | old.owed) - columns)
            values = old.remembered(owed)
            if old.doubtful or changed or cleared or (not lost and fields != old.fields and self.columns <= columns):
                unset = cleared - slow
                sent[key] = Sent("change", fields, changed, cleared, slow, owed, unset, values)
            elif fields != old.fields:
                rebased[key] = Held(fields, owed, values)
        return sent, rebased, (set(self.held) | self.maybe) - set(winners)

    def without_shared(
        self, rows: dict[str, tuple[Fields, set[str]]], template: TemplateSettings, columns: frozenset[str]
    ) -> dict[str, tuple[Fields, set[str]]]:
        """An identifier that several people have stays with the one who has it at Klaviyo, else with the smallest key, and
        with nobody of them while somebody else has it there. A person who is there just as the query says is left alone."""
        rest = {key: (dict(fields), set(unsendable)) for key, (fields, unsendable) in rows.items()}
        for name in IDENTIFIERS:
            holders: dict[str, list[str]] = {}
            for key, (fields, _) in rows.items():
                if name in fields:
                    holders.setdefault(fields[name], []).append(key)
            for value, keys in holders.items():
                owner = min(keys, key=lambda k: ((name, value) not in self.held.get(k, Held({})).identifiers(), k))
                elsewhere = any((name, value) in old.identifiers() for key, old in self.held.items() if key != owner)
                own = owner in self.held and (name, value) in self.held[owner].identifiers()
                for key in keys:
                    old = self.held.get(key)
                    settled = (
                        old is not None and not old.doubtful and not (old.owed & columns and template.nulls == "clear")
                    )
                    if (key != owner or (elsewhere and not own)) and not (
                        settled and old is not None and old.fields == rows[key][0]
                    ):
                        del rest[key][0][name]
                        rest[key][1].add(name)
        return rest


def first(fields: Fields, unsendable: Collection[str], columns: frozenset[str], template: TemplateSettings) -> Sent:
    """A person who was never sent."""
    empty = columns - fields.keys()
    custom = frozenset(f for f in empty if not is_standard(f) and f not in unsendable)
    everything = template.first_send_nulls == "all"
    lost = frozenset(f for f in empty if is_standard(f)) if everything else frozenset()
    cleared = clearable(lost, unsendable, template)
    unset = custom if template.first_send_nulls != "keep" else frozenset()
    return Sent("add", fields, frozenset(), cleared, cleared, lost - cleared, unset)


def clearable(lost: frozenset[str], unsendable: Collection[str], template: TemplateSettings) -> frozenset[str]:
    """Of the fields that have no value any more those that the template lets be cleared."""
    if template.nulls == "keep":
        return frozenset()
    guarded = frozenset() if template.clear_identifiers else IDENTIFIERS
    return lost - frozenset(unsendable) - guarded


def is_standard(name: str) -> bool:
    return name in PROFILE or name in LOCATION


def latest(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The row of each key with the latest date; dates of one key differ, a missing one is the earliest."""
    winners: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        key = row["email"].strip().lower()
        if key not in winners or (row["last_event_date"] or "") > (winners[key]["last_event_date"] or ""):
            winners[key] = row
    return winners


def sendable(row: Mapping[str, Any]) -> tuple[Fields, set[str]]:
    """The fields with a value, and those whose value cannot be sent."""
    fields, unsendable = {}, set()
    for name, value in row.items():
        bad = isinstance(value, float) and not math.isfinite(value)
        bad = bad or (name == "phone_number" and value is not None and not value.startswith("+"))
        if bad:
            unsendable.add(name)
        elif value is not None:
            fields[name] = value
    return fields, unsendable
