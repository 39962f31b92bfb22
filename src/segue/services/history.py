"""What became of one person: every run that added, changed, cleared, kept, removed or rejected them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.audience.encode import ROW, EncodeOptions, encode_sql, source_column
from segue.audience.fields import FieldMap, place_columns
from segue.audience.owed import field_names
from segue.audience.snapshot import is_merged
from segue.audience.text import literal, path_literal
from segue.audience.workbench import Workbench
from segue.catalog import models
from segue.catalog.runs import Run
from segue.services.audit import note
from segue.services.names import unknown
from segue.services.permissions import Actor
from segue.services.privacy import mask_payload
from segue.services.rejects import Reject, masked, readable_rejects, refused_rows
from segue.services.workspace import Workspace
from segue.settings import Settings

_KEY = FieldMap(key="email", identifiers=frozenset(), profile=(), location=(), numeric=frozenset(), reserved_prefix="$")
_ACTIONS = {
    "add": ("added",),
    "change": ("changed",),
    "rebase": ("kept",),
    "remove": ("removed",),
    "maybe": ("unsettled",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one run did with a person.

    actions: of ``added``, ``changed``, ``cleared``, ``kept`` (fields that are NULL in the query keep their value),
    ``removed``, ``rejected``, ``unsettled`` (sent, and nobody knows whether it arrived); changed, cleared, kept: names of
    fields; unset: custom properties that a first send unset because they were NULL, whatever they were before;
    row: place in the query's result from 1; payload: the profile's attributes as they were acknowledged, of a removed
    person those of before, of a refused one those that were refused; kind: ``sync`` or ``undo``.
    """

    run_id: str
    orchestration: str
    kind: str
    status: str
    started_at: datetime
    actions: tuple[str, ...]
    changed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    row: int | None = None
    payload: Mapping[str, Any] | None = None
    rejects: tuple[Reject, ...] = ()


@dataclass(slots=True)
class _Found:
    """What is found of one run on the way."""

    actions: list[str] = field(default_factory=list)
    changed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    row: int | None = None
    payload: Mapping[str, Any] | None = None
    rejects: list[Reject] = field(default_factory=list)


def orchestration_id(session: Session, name: str) -> str:
    """The id of an orchestration. Raises UsageError with the nearest names when there is none."""
    found = session.scalars(select(models.Orchestration.id).where(models.Orchestration.name == name)).one_or_none()
    if found is None:
        raise unknown("orchestration", name, session.scalars(select(models.Orchestration.name)))
    return found


def history(workspace: Workspace, settings: Settings, email: str) -> tuple[Entry, ...]:
    """Every run in which something happened to the person with this address, newest first.

    email may be written as in the data: it is cleaned as an audience's keys are. An address that is none finds the runs
    that rejected it. The activity log has a line of it, which does not say whose.
    """
    workspace.actor.require("people.read")
    found: dict[str, _Found] = {}
    layout = workspace.layout
    with Workbench(layout.runs, memory_bytes=settings.engine_memory, threads=settings.threads) as bench:
        key = key_of(bench, email)
        for run_id, reject in _our_rejects(bench, layout.runs, key, email):
            found.setdefault(run_id, _Found()).rejects.append(reject)
        if key is not None:
            _read_segments(bench, layout.snapshots, key, found)
    for refused in refused_rows(workspace, key=key) if key is not None else ():
        entry = found.setdefault(refused.run_id, _Found())
        entry.rejects.append(refused.reject)
        entry.payload = entry.payload or refused.payload
    with workspace.catalog.session(read_only=True) as session:
        runs = session.scalars(select(Run).order_by(Run.started_at.desc(), Run.id.desc()))
        entries = tuple(_entry(run, found[run.id], workspace.actor) for run in runs if run.id in found)
    # Not of whom: the log is never changed, so a person in it could not be forgotten.
    note(workspace, "history.read", after={"runs": len(entries)})
    return entries


def key_of(bench: Workbench, email: str) -> str | None:
    """The key that an audience makes of an address; None where it makes none."""
    bench.show("source", pa.table({source_column(0): pa.array([email], pa.string()), ROW: [0]}).to_reader())
    schema = pa.schema([(_KEY.key, pa.string())])
    placed = place_columns(schema.names, _KEY, full_profile=False)
    sql = encode_sql(schema, placed, _KEY, EncodeOptions(latest_by=None, unset_nulls=False))
    key: str | None = bench.one(f'SELECT "key" FROM ({sql})')
    return key


def _our_rejects(bench: Workbench, runs: Path, key: str | None, email: str) -> Iterator[tuple[str, Reject]]:
    files = [path for path in sorted(runs.glob("*/rejects.parquet")) if readable_rejects(path)]
    if not files:
        return
    # A row without a key is known by the text that was no address.
    same_text = f"lower(trim(value)) = lower(trim({literal(email)}))"
    person = f"key = {literal(key)}" if key is not None else f"key IS NULL AND field = 'email' AND {same_text}"
    rows = bench.fetch(f"""
        SELECT filename, row, key, field, value, reason, source, detail
        FROM read_parquet([{_paths(files)}], filename = true) WHERE {person} ORDER BY filename, row""")
    for file, row, row_key, name, value, reason, source, detail in rows:
        reject = Reject(row=row + 1, key=row_key, field=name, value=value, reason=reason, source=source, detail=detail)
        yield Path(file).parent.name, reject


def _read_segments(bench: Workbench, snapshots: Path, key: str, found: dict[str, _Found]) -> None:
    # A base is several segments folded into one for speed; those that it stands for are still there.
    files = [path for path in sorted(snapshots.glob("*/*.parquet")) if not is_merged(path)]
    if not files:
        return
    # Segments of earlier versions lack a column; of all there may be none that has it.
    rows = bench.fetch(f"""
        SELECT filename, kind, row, payload, changed, cleared, uncleared, unset
        FROM (SELECT * FROM read_parquet([{_paths(files)}], filename = true, union_by_name = true)
            UNION ALL BY NAME SELECT NULL::VARCHAR AS unset WHERE false)
        WHERE key = {literal(key)}""")
    for file, kind, row, payload, changed, cleared, uncleared, unset in rows:
        entry = found.setdefault(Path(file).stem, _Found())
        entry.kept = field_names(_names(uncleared))
        entry.cleared = tuple(name for name in _names(cleared) if name not in entry.kept)
        entry.changed = _names(changed)
        entry.unset = _names(unset)
        entry.row = None if row is None else row + 1
        entry.payload = orjson.loads(payload) if payload else None
        only_clears = kind == "change" and entry.cleared and not entry.changed
        entry.actions += () if only_clears else _ACTIONS[kind]
        entry.actions += ["cleared"] if entry.cleared else []
        entry.actions += ["kept"] if entry.kept and "kept" not in entry.actions else []


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()


def _paths(files: list[Path]) -> str:
    return ", ".join(path_literal(path) for path in files)


def _entry(run: Run, found: _Found, actor: Actor) -> Entry:
    return Entry(
        run_id=run.id,
        orchestration=run.orchestration,
        kind=run.kind,
        status=run.status,
        started_at=run.started_at,
        actions=(*found.actions, *(("rejected",) if found.rejects else ())),
        changed=found.changed,
        cleared=found.cleared,
        kept=found.kept,
        unset=found.unset,
        row=found.row,
        payload=mask_payload(actor, found.payload),
        rejects=tuple(masked(actor, reject) for reject in found.rejects),
    )
