"""Old baseline and new rows -> what is sent -> next baseline, against a model made of dictionaries."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segue.audience.packing import ChunkLimits
from segue.audience.snapshot import DOUBTFUL
from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.template import TemplateSettings
from segue.workflow.folding import delivered
from tests.audience.harness import Orchestration, Stage, settings
from tests.audience.model import Audience, Held, Sent
from tests.delivery.memory_ledger import MemoryLedger

KEYS = [f"{letter}@shop.io" for letter in "abcdefgh"]
VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "first_name": (pa.string(), [None, "Ana", "Bo", ""]),
    "title": (pa.string(), [None, "Dr"]),
    "city": (pa.string(), [None, "Graz", "Linz"]),
    "phone_number": (pa.string(), [None, "+43664123456", "+43664123457", "unknown"]),
    "external_id": (pa.string(), [None, "x1", "x2"]),
    "score": (pa.float64(), [None, 1.5, 2.0, float("nan")]),
    "tier": (pa.int64(), [None, 1, 2]),
    "Tier": (pa.int64(), [None, 1, 2]),
    'an "odd" \\ n.a*me': (pa.string(), [None, "x", "é\u2028😀"]),
    "*": (pa.string(), [None, "y"]),
    "back\\": (pa.string(), [None, "z", "w"]),
}
BAD_STATES = [PartState.CANCELLED, PartState.UNSURE, PartState.REFUSED, PartState.SENDING, PartState.ACCEPTED]


def some_rows(chance: random.Random, columns: list[str]) -> list[dict[str, Any]]:
    """A few people, some of them twice, with NULLs and values that cannot be sent."""
    keys = [chance.choice(KEYS) for _ in range(chance.randint(0, 10))]
    dates = [f"2024-01-{i + 1:02d}" for i in range(len(keys))]
    if dates:
        dates[chance.randrange(len(dates))] = None  # type: ignore[call-overload]
    chance.shuffle(dates)
    return [
        {
            "email": key if chance.random() < 0.8 else f" {key.upper()}",
            "last_event_date": date,
            **{c: chance.choice(VALUES[c][1]) for c in columns},
        }
        for key, date in zip(keys, dates, strict=True)
    ]


def as_table(rows: list[dict[str, Any]], columns: list[str]) -> pa.Table:
    kinds = {"email": pa.string(), "last_event_date": pa.string(), **{c: VALUES[c][0] for c in columns}}
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()})


def some_settings(chance: random.Random) -> TemplateSettings:
    return settings(
        nulls=chance.choice(["clear", "clear", "keep"]),
        first_send_nulls=chance.choice(["custom", "all", "keep"]),
        clear_identifiers=chance.random() < 0.3,
        use_full_profile=chance.random() < 0.85,
    )


@dataclass
class Outcome:
    """What a delivery did, for the ledger and for the model alike. late: keys whose slow clears failed."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    taken: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    unsettled: bool = False


def deliver(stage: Stage, chance: random.Random, *, trouble: float) -> Outcome:
    """Klaviyo takes some parts, refuses some rows, fails some clears and removes."""
    outcome = Outcome()
    rows, start = stage.sent(), 0
    for chunk in stage.delta.chunks:
        of_chunk = rows[start : start + chunk.rows]
        start += chunk.rows
        _import(of_chunk, chunk.number, outcome, chance, trouble)
        _clear(of_chunk, chunk.number, outcome, chance, trouble)
    leavers = sorted(stage.removes())
    for number, first in enumerate(range(0, len(leavers), 2)):
        stop = min(first + 2, len(leavers))
        good = chance.random() >= trouble
        state = PartState.COMPLETE if good else PartState.PLANNED
        outcome.ledger.plan([Part(kind=PartKind.REMOVE, chunk=number, start=first, stop=stop, state=state)])
        outcome.removed |= set(leavers[first:stop]) if good else set()
    return outcome


def _import(rows: list[dict[str, Any]], chunk: int, outcome: Outcome, chance: random.Random, trouble: float) -> None:
    cuts = sorted({0, len(rows), chance.randint(0, len(rows))})
    for start, stop in itertools.pairwise(cuts):
        state = PartState.COMPLETE if chance.random() >= trouble else chance.choice(BAD_STATES)
        outcome.ledger.plan([Part(kind=PartKind.IMPORT, chunk=chunk, start=start, stop=stop, state=state)])
        for position in range(start, stop):
            if chance.random() < trouble / 2:
                at_submit = chance.random() < 0.5
                outcome.ledger.reject([reject(PartKind.IMPORT, chunk, position, rows[position]["key"], at_submit)])
                outcome.refused.add(rows[position]["key"])
            elif state is PartState.COMPLETE:
                outcome.taken.add(rows[position]["key"])
            else:
                outcome.unsettled = True
                if state is not PartState.REFUSED:
                    (outcome.doubtful if rows[position]["kind"] else outcome.maybe).add(rows[position]["key"])


def _clear(rows: list[dict[str, Any]], chunk: int, outcome: Outcome, chance: random.Random, trouble: float) -> None:
    slow = [(position, row["key"]) for position, row in enumerate(rows) if row["slow"]]
    for start in range(0, len(slow), 2):
        stop = min(start + 2, len(slow))
        good = chance.random() >= trouble
        if chance.random() < 0.9 or good:
            state = PartState.COMPLETE if good else PartState.PLANNED
            outcome.ledger.plan([Part(kind=PartKind.CLEAR, chunk=chunk, start=start, stop=stop, state=state)])
        for position, key in slow[start:stop]:
            if not good or chance.random() < trouble / 2:
                outcome.late.add(key)
                if good:
                    outcome.ledger.reject([reject(PartKind.CLEAR, chunk, position, key, at_submit=True)])


def reject(kind: PartKind, chunk: int, position: int, key: str, at_submit: bool) -> RowReject:
    return RowReject(
        kind=kind, at_submit=at_submit, chunk=chunk, position=position, key=key, field="", reason="invalid", detail=""
    )


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a payload beside the key."""
    fields = {**data, **data.get("location", {}), **data.get("properties", {})}
    return {name: value for name, value in fields.items() if name not in ("email", "location", "properties")}


def as_sent(row: Mapping[str, Any]) -> Sent:
    return Sent(
        kind=("add", "change")[row["kind"]],
        fields=flat(row["data"]),
        changed=frozenset(row["changed"]),
        cleared=frozenset(row["cleared"]),
        slow=frozenset(row["slow"]),
        kept=frozenset(name for name in row["uncleared"] if "\x1f" not in name),
        unset=frozenset(row["unset"]),
        values=values(row["uncleared"]),
    )


def values(uncleared: list[str]) -> frozenset[tuple[str, str]]:
    """The identifiers whose values are remembered."""
    return frozenset((name, value) for name, mark, value in (entry.partition("\x1f") for entry in uncleared) if mark)


def as_held(member: Mapping[str, Any]) -> Held:
    owed = frozenset(name for name in member["uncleared"] if "\x1f" not in name)
    return Held(flat(member["payload"]), owed, values(member["uncleared"]), doubtful=member["hash"] == DOUBTFUL)


def check_stage(stage: Stage, sent: dict[str, Sent], removes: set[str]) -> None:
    found = {row["key"]: as_sent(row) for row in stage.sent()}
    assert found == sent
    assert stage.removes() == removes
    counts = stage.delta.counts
    assert counts.added == sum(s.kind == "add" for s in sent.values())
    assert counts.changed == sum(s.kind == "change" for s in sent.values())
    assert counts.removed == len(removes)
    assert counts.cleared_rows == sum(bool(s.cleared) for s in sent.values())
    assert counts.slow_rows == sum(bool(s.slow) for s in sent.values())
    assert [c.rows for c in stage.delta.chunks] == [3] * (len(sent) // 3) + [len(sent) % 3] * (len(sent) % 3 > 0)
    parts = stage.duplicates.dropped + stage.rows.refused + counts.added + counts.changed + stage.unchanged
    assert parts == stage.rows.source


def check_counts(stage: Stage, outcome: Outcome, sent: dict[str, Sent]) -> None:
    counts = delivered(stage.folder, outcome.ledger)
    assert counts.rows == len(sent)
    assert counts.added == sum(sent[key].kind == "add" for key in outcome.taken)
    assert counts.changed == sum(sent[key].kind == "change" for key in outcome.taken)
    assert counts.rejected == len(outcome.refused)
    assert counts.removed == len(outcome.removed)
    assert counts.cleared == sum(bool(sent[key].cleared) for key in outcome.taken - outcome.late)


def simulate(folder: Path, chance: random.Random, *, runs: int, trouble: float) -> None:
    """Run after run, each compared with the model before and after its delivery, and staged again at once."""
    orchestration, model = Orchestration(folder=folder, limits=ChunkLimits(rows=3, bytes=10_000_000)), Audience()
    for _ in range(runs):
        columns = [name for name in VALUES if chance.random() < 0.8]
        rows, template = some_rows(chance, columns), some_settings(chance)
        table = as_table(rows, columns)
        sent, rebased, removes = model.compare(rows, template)
        stage = orchestration.stage(table, template)
        check_stage(stage, sent, removes)
        outcome = deliver(stage, chance, trouble=trouble)
        check_counts(stage, outcome, sent)
        orchestration.record(stage, outcome.ledger)
        for key in outcome.taken:
            owed = sent[key].kept | (sent[key].slow if key in outcome.late else frozenset())
            model.held[key] = Held(sent[key].fields, owed, sent[key].values)
        model.held.update(rebased)
        for key in outcome.doubtful:
            model.held[key] = model.held[key].doubted(sent[key].fields)
        for key in outcome.removed:
            model.held.pop(key, None)
        model.maybe = (model.maybe | outcome.maybe) - outcome.taken - outcome.removed
        own = frozenset(stage.columns) - {"email"}
        model.columns = model.columns | own if outcome.unsettled else own
        members = orchestration.members()
        baseline = {k: as_held(m) for k, m in members.items() if m["hash"]}
        assert {k for k, m in members.items() if not m["hash"]} == model.maybe
        assert baseline == model.held
        assert orchestration.snapshot.rows == len(model.held)
        if chance.random() < 0.5:
            continue
        again = orchestration.stage(table, template)
        check_stage(again, *model.compare(rows, template)[::2])
        # An identifier that its holder has just given away goes to the one who waited for it.
        waited = {r["key"] for r in stage.rejects() if r["reason"].endswith("_held")}
        assert {row["key"] for row in again.sent()} <= (set(sent) - outcome.taken) | outcome.late | waited
        assert again.removes() == removes - outcome.removed


@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_runs_equal_the_model(chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), chance, runs=3, trouble=0.25)


@pytest.mark.parametrize("seed", [1])
def test_many_runs_with_compaction_equal_the_model(tmp_path: Path, seed: int) -> None:
    simulate(tmp_path, random.Random(seed), runs=20, trouble=0.2)
    assert len(list((tmp_path / "segments").glob("*-base.parquet"))) >= 2


def test_who_goes_without_an_identifier_as_before_is_not_looked_up_again(tmp_path: Path) -> None:
    people = pa.table(
        {
            "email": ["ada@shop.io", "bea@shop.io", "cleo@shop.io"],
            "phone_number": ["+15005550001", "+15005550001", "+15005550003"],
            "tier": ["gold", "zinc", "tin"],
        }
    )
    orchestration = Orchestration(folder=tmp_path)
    first = orchestration.run(people)
    assert first.delta.counts.added == 3
    again = orchestration.stage(people)
    # Bea's row is a candidate: as the query has it, with the phone, it was never sent.
    assert (again.rows.candidates, again.delta.counts.quiet, again.unchanged, again.sent()) == (1, 1, 3, [])
    # Without Ada the phone is free again in the query, but she has it at the destination until she has left.
    later = orchestration.stage(people.slice(1))
    assert later.removes() == {"ada@shop.io"}
    assert later.sent() == []
    changed = people.set_column(2, "tier", pa.array(["gold", "tin", "tin"]))
    [bea] = orchestration.stage(changed).sent()
    assert (bea["key"], bea["changed"], bea["data"]) == (
        "bea@shop.io",
        ["tier"],
        {"email": "bea@shop.io", "properties": {"tier": "tin"}},
    )


def test_an_identifier_that_is_owed_stays_with_its_person(tmp_path: Path) -> None:
    def people(ada: str | None, bea: str | None) -> pa.Table:
        return pa.table({"email": ["ada@shop.io", "bea@shop.io"], "phone_number": pa.array([ada, bea], pa.string())})

    orchestration = Orchestration(folder=tmp_path)
    orchestration.run(people(None, "+15005550001"))
    # Identifiers are not cleared unasked: Bea still has hers at the destination, so Ada goes without.
    orchestration.run(people("+15005550001", None))
    assert orchestration.members()["ada@shop.io"]["payload"] == {"email": "ada@shop.io"}
    both = orchestration.stage(people("+15005550001", "+15005550001"))
    assert {reject["key"] for reject in both.rejects() if reject["reason"] == "phone_number_shared"} == {"ada@shop.io"}
