"""An undo: the list membership goes back to what it was before a run, from the run's stored delta."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import func, select

from segue.audience.delta import Delta, DeltaCounts
from segue.audience.duplicates import DuplicateCounts
from segue.audience.encode import HEAD
from segue.audience.packing import write_chunks
from segue.audience.rows import ADD, RowCounts
from segue.audience.snapshot import write_segment
from segue.audience.text import parquet
from segue.audience.workbench import Workbench, open_rows, writing
from segue.catalog.base import now
from segue.catalog.runs import Run
from segue.delivery.words import counted
from segue.errors import UsageError
from segue.services.retention import retention_in
from segue.services.shared_lists import release
from segue.services.snapshots import load_snapshot
from segue.services.staged import Connected, Staged
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.context import RunContext
from segue.workflow.records import RunRecord


def stage_undo(context: RunContext) -> Staged:
    """Whom the run added leaves, whom it removed comes back; both only where that is still so today."""
    layout, orchestration = context.workspace.layout, context.orchestration
    undone = context.run.undoes or ""
    segment = layout.snapshots / orchestration.id / f"{undone}.parquet"
    with context.workspace.catalog.session(read_only=True) as session:
        held = load_snapshot(session, layout.snapshots, orchestration.id)
    members = held.snapshot.sql()
    before = context.records.get(undone)
    if not segment.is_file() and (kept := _past_keeping(context.workspace, before, context.settings)):
        raise UsageError(
            f"Run {undone} ended too long ago: what it changed is no longer stored, so it cannot be undone.",
            code="changes_expired",
            cause=f"Stored changes are kept for {kept}.",
            steps=("Correct the query, and run the orchestration: the list will be what the query says.",),
        )
    if not segment.is_file() or members is None:
        raise UsageError(
            f"Run {undone} changed no list membership, or its stored changes are gone.",
            code="nothing_to_undo",
            steps=(f"See what the run did with: segue show {undone}",),
        )
    account = context.destination.account()
    target = context.destination.find_list(orchestration.settings.list_name, held.snapshot.list_id)
    context.turns.take(account.id, target.name, target.id)
    places = {
        (account.id, target.id),
        (held.snapshot.account_id, held.snapshot.list_id),
        (before.account_id, before.list_id),
    }
    if len(places) > 1:
        raise UsageError(
            "That run sent to another list than the orchestration does now, or its list is gone.",
            code="list_moved",
            steps=("Run the orchestration to send the query's people anew.",),
        )
    run = parquet(segment)
    with Workbench(context.folder, memory_bytes=context.settings.engine_memory) as bench:
        write_segment(
            bench,
            f"""SELECT key, hash, payload, NULL::VARCHAR AS id FROM ({members}) m
                WHERE key IN (SELECT key FROM {run} WHERE kind = 'add')""",
            context.folder / "removes.parquet",
        )
        write_segment(
            bench,
            f"""SELECT key, hash, payload FROM {run} r WHERE kind = 'remove'
                AND NOT EXISTS (SELECT 1 FROM ({members}) m WHERE m.key = r.key)""",
            context.folder / "restore.parquet",
        )
        delta = _stage_returns(bench, context, removed=_rows(context.folder / "removes.parquet"))
        context.shared_lists.show(bench, target.id)
        delta, released = release(bench, context.folder, delta)
    return Staged(
        connected=Connected(account=account, target=target, snapshot=held.snapshot, warnings=_cannot(_kinds(segment))),
        columns=held.snapshot.columns,
        left_out=(),
        rows=RowCounts(
            source=delta.counts.added, refused=0, problems={}, candidates=delta.counts.added, chunks=delta.chunks
        ),
        duplicates=DuplicateCounts(kept=delta.counts.added),
        delta=delta,
        matched=0,
        foreign=0,
        released=released,
    )


def _past_keeping(workspace: Workspace, run: RunRecord, settings: Settings) -> str | None:
    """How long changes are kept, in words, where those of a run have outlived that; None where they have not."""
    with workspace.catalog.session(read_only=True) as session:
        keep = retention_in(session, settings)
        later = select(func.count()).where(
            Run.orchestration_id == run.orchestration_id, Run.started_at > run.started_at
        )
        newer = session.scalars(later).one()
    old = now() - (run.ended_at or run.started_at) > timedelta(seconds=keep.keep_payloads)
    return keep.words if old or (keep.most_payloads is not None and newer >= keep.most_payloads) else None


def _stage_returns(bench: Workbench, context: RunContext, *, removed: int) -> Delta:
    """People who come back are sent with their email alone: their profiles were never touched."""
    sql = f"""
        SELECT row_number() OVER () - 1 AS row, key, hash,
            '{HEAD}{{"email":' || to_json(key)::VARCHAR || '}}}},' AS fragment, {len(HEAD)}::INTEGER AS head,
            {ADD}::TINYINT AS kind, NULL::VARCHAR AS changed, NULL::VARCHAR AS cleared, NULL::VARCHAR AS slow,
            NULL::VARCHAR AS uncleared
        FROM {parquet(context.folder / "restore.parquet")}"""
    rows = bench.stream(sql)
    path = context.folder / "delta.arrow"
    with writing(path, rows.schema) as file:
        chunks = write_chunks(file, rows, context.destination.chunk_limits)
    (context.folder / "keys.arrow").unlink(missing_ok=True)
    keys = open_rows(path, ["row", "key"])
    with writing(context.folder / "keys.arrow", keys.schema) as file:
        for batch in keys:
            file.write_batch(batch)
    added = sum(c.rows for c in chunks)
    return Delta(counts=DeltaCounts(added=added, removed=removed), chunks=chunks, digest=f"undo-{context.run.undoes}")


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _kinds(segment: Path) -> dict[str, int]:
    """How many rows of each kind a run's segment has."""
    counts: dict[str, int] = {}
    for entry in pq.read_table(segment, columns=["kind"]).column("kind").value_counts().to_pylist():
        counts[entry["values"]] = entry["counts"]
    return counts


def _cannot(kinds: dict[str, int]) -> tuple[str, ...]:
    """What an undo leaves as it is."""
    warnings = []
    if kinds.get("change"):
        warnings.append(
            f"{counted(kinds['change'], 'profile keeps', 'profiles keep')} the fields that the run changed or cleared: "
            "Klaviyo does not keep old values."
        )
    if kinds.get("add"):
        stay = counted(kinds["add"], "profile that the run sent stays", "profiles that the run sent stay")
        warnings.append(f"{stay} in Klaviyo and only off the list.")
    return tuple(warnings)
