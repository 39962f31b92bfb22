"""Samples of a plan: a few people of each kind, with what would change of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from segue.audience.rows import ADD, CHANGE
from segue.audience.snapshot import Snapshot
from segue.audience.text import literal, parquet
from segue.audience.workbench import DeltaFile, Workbench
from segue.services.permissions import Actor
from segue.services.privacy import mask_payload, mask_value
from segue.services.rejects import Reject, masked, own_rejects
from segue.services.staged import Staged

_COLUMNS = ("key", "kind", "fragment", "head", "changed", "cleared")
_NOT_HERE = (None, "", "[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """fields: that change or are cleared; before: the profile's attributes as Segue last sent them; after: as it would send
    them. Each is None where there is none."""

    key: str | None
    fields: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSamples:
    """The first people of each kind; somebody with changed and cleared fields is in both."""

    added: tuple[PlannedRow, ...]
    changed: tuple[PlannedRow, ...]
    cleared: tuple[PlannedRow, ...]
    removed: tuple[PlannedRow, ...]
    rejected: tuple[Reject, ...]


@dataclass(slots=True)
class _Found:
    """Rows of the delta that were found: key, names of fields, what would be sent."""

    added: list[tuple[str, str | None, str]] = field(default_factory=list)
    changed: list[tuple[str, str | None, str]] = field(default_factory=list)
    cleared: list[tuple[str, str | None, str]] = field(default_factory=list)


def plan_samples(folder: Path, staged: Staged, *, actor: Actor, memory_bytes: int, limit: int = 20) -> PlanSamples:
    """Up to ``limit`` people of each kind, from what was staged in ``folder``; a chunk of it is in memory at a time.

    Keys and values are masked for those who may not see them.
    """
    found = _look(folder, staged, limit)
    with Workbench(folder, memory_bytes=memory_bytes, threads=1) as bench:
        old = _before(bench, staged.connected.snapshot, {key for key, *_ in (*found.changed, *found.cleared)})
        removed = bench.fetch(
            f"SELECT key, payload FROM {parquet(folder / 'removes.parquet')} ORDER BY key LIMIT {limit}"
        )
    return PlanSamples(
        added=tuple(_row(actor, *row, before=None) for row in found.added),
        changed=tuple(_row(actor, *row, before=old.get(row[0])) for row in found.changed),
        cleared=tuple(_row(actor, *row, before=old.get(row[0])) for row in found.cleared),
        removed=tuple(_row(actor, key, None, None, before=payload) for key, payload in removed),
        rejected=tuple(masked(actor, reject) for reject in islice(own_rejects(folder / "rejects.parquet"), limit)),
    )


def _look(folder: Path, staged: Staged, limit: int) -> _Found:
    found, counts = _Found(), staged.delta.counts
    delta = DeltaFile(folder / "delta.arrow", _COLUMNS)
    for number in range(delta.chunks):
        batch = delta.chunk(number)
        sent = pc.equal(batch.column("kind"), CHANGE)
        _take(found.added, batch, pc.equal(batch.column("kind"), ADD), "changed", limit)
        _take(found.changed, batch, pc.and_(sent, _said(batch, "changed")), "changed", limit)
        _take(found.cleared, batch, pc.and_(sent, _said(batch, "cleared")), "cleared", limit)
        wanted = ((found.added, counts.added), (found.changed, counts.changed), (found.cleared, counts.cleared_rows))
        if all(len(rows) >= min(limit, count) for rows, count in wanted):
            break
    return found


def _said(batch: pa.RecordBatch, column: str) -> pa.Array:
    nothing = pc.is_in(batch.column(column), value_set=pa.array(_NOT_HERE, pa.string()))
    return pc.invert(nothing)


def _take(
    rows: list[tuple[str, str | None, str]], batch: pa.RecordBatch, those: pa.Array, names: str, limit: int
) -> None:
    if len(rows) >= limit:
        return
    found = batch.filter(those).slice(0, limit - len(rows)).to_pylist()
    rows.extend((row["key"], row[names], row["fragment"][row["head"] : -2]) for row in found)


def _before(bench: Workbench, snapshot: Snapshot, keys: Collection[str]) -> dict[str, str]:
    members = snapshot.sql()
    if members is None or not keys:
        return {}
    listed = ", ".join(map(literal, sorted(keys)))
    return dict(bench.fetch(f"SELECT key, payload FROM ({members}) m WHERE m.key IN ({listed})"))


def _row(actor: Actor, key: str | None, names: str | None, after: str | None, *, before: str | None) -> PlannedRow:
    return PlannedRow(
        key=mask_value(actor, key),
        fields=tuple(_names(names)),
        before=mask_payload(actor, _attributes(before)),
        after=mask_payload(actor, _attributes(after)),
    )


def _names(text: str | None) -> Iterator[str]:
    yield from orjson.loads(text) if text else ()


def _attributes(payload: str | None) -> Mapping[str, Any] | None:
    return orjson.loads(payload) if payload else None


def value_of(payload: Mapping[str, Any] | None, name: str) -> Any:
    """The value of a field, wherever in a profile's attributes it stands; None where it is not there."""
    whole = payload or {}
    for part in (whole, whole.get("location") or {}, whole.get("properties") or {}):
        if isinstance(part, Mapping) and name in part:
            return part[name]
    return None
