"""What runs stored and nobody needs any more goes: ``collect`` finds it, says how much it is, and removes it.

Everything is removed in an order in which a crash leaves nothing that points at what is gone, and may be done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from segue import logs
from segue.audience.snapshot import is_merged, merge, merged_path
from segue.audience.workbench import Workbench
from segue.catalog.activity import Activity
from segue.catalog.models import Orchestration
from segue.catalog.runs import AudienceSnapshot, DeliveryPart, DeliveryReject, Run, Task
from segue.catalog.timelines import RunTimeline
from segue.catalog.tokens import RunStart
from segue.failpoints import reach
from segue.services.retention import Retention, retention
from segue.services.stored_files import GRACE, leftovers, remove_all, run_folders, segment_files, size, spare_segments
from segue.services.stored_ids import forget_unheld
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.expiry import Expired, expired, orchestration_ids
from segue.workflow.phases import NAMES
from segue.workflow.records import RunRecords

What = Literal[
    "changes of runs",
    "folders of runs",
    "refused rows",
    "records of runs",
    "baselines of deleted orchestrations",
    "profile ids",
    "leftovers",
]
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is old and stays. orchestration: its name; why: a sentence for people."""

    orchestration: str
    run_id: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What went, or would go. removed: how many of each; bytes: of the files; merged: names of orchestrations whose baseline
    was freed of people who left."""

    dry_run: bool
    removed: Counter[What] = field(default_factory=Counter)
    bytes: int = 0
    merged: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


def collect(
    workspace: Workspace, settings: Settings, *, at: datetime, dry_run: bool = False, keep: Retention | None = None
) -> Collected:
    """Remove what has expired at a moment, one orchestration after the other; one that runs just now is left out.

    keep: how long things are kept, for a dry run of other times; None: as the workspace and the settings say.
    """
    collector = _Collector(workspace, settings, keep or retention(workspace, settings), at, dry_run)
    with workspace.catalog.session(read_only=True) as session:
        stored = {path.name for path in workspace.layout.snapshots.glob("*") if path.is_dir()}
        ids = sorted(orchestration_ids(session) | stored)
    for orchestration_id in ids:
        collector.orchestration(orchestration_id)
    collector.rest()
    done = collector.done()
    if not dry_run:
        logs.event("collected", bytes=done.bytes, **{what.replace(" ", "_"): n for what, n in done.removed.items()})
    return done


class _Collector:
    """Counts while it removes, or only counts."""

    def __init__(self, workspace: Workspace, settings: Settings, keep: Retention, at: datetime, dry_run: bool) -> None:
        self._workspace = workspace
        self._layout = workspace.layout
        self._settings = settings
        self._keep = keep
        self._at = at
        self._dry_run = dry_run
        self._removed: Counter[What] = Counter()
        self._bytes = 0
        self._merged: list[str] = []
        self._kept: list[Kept] = []
        self._gone: set[Path] = set()

    def done(self) -> Collected:
        """What came of it."""
        return Collected(
            dry_run=self._dry_run,
            removed=+self._removed,
            bytes=self._bytes,
            merged=tuple(self._merged),
            kept=tuple(self._kept),
        )

    def orchestration(self, orchestration_id: str) -> None:
        """Everything of one orchestration, while nothing else works on it."""
        if self._dry_run:
            self._remove(orchestration_id)
            return
        seen = _Collector(self._workspace, self._settings, self._keep, self._at, dry_run=True)
        if not seen._remove(orchestration_id) and not seen._removed.total() and not seen._merged:
            # A run that begins now is not turned away for nothing.
            self._kept += seen._kept
            return
        with self._workspace.locks.hold(orchestration_id) as ours:
            if ours:
                self._remove(orchestration_id)
                return
        with self._workspace.catalog.session(read_only=True) as session:
            name = _name(session, orchestration_id)
        self._kept.append(Kept(orchestration=name, run_id=None, why="A run is under way: it is looked at next time."))

    def _remove(self, orchestration_id: str) -> bool:
        """Remove or count what has expired; whether a run is to be given up, or would be."""
        with self._workspace.catalog.session(read_only=True) as session:
            runs = expired(session, orchestration_id, self._keep, self._at)
            name = _name(session, orchestration_id)
        for run_id in sorted(runs.unfinished):
            self._kept.append(Kept(orchestration=name, run_id=run_id, why=_UNFINISHED))
        self._payloads(runs)
        self._segments(orchestration_id, name, runs)
        if not self._dry_run:
            reach("gc-files-removed")
        self._records(runs)
        return bool(runs.given_up)

    def rest(self) -> None:
        """What belongs to no orchestration."""
        folders = [folder for folder in run_folders(self._layout) if folder not in self._gone]
        # In this order: a run that begins now has a record before it has a folder.
        with self._workspace.catalog.session(read_only=True) as session:
            known = set(session.scalars(select(Run.id)))
        self._files("folders of runs", [folder for folder in folders if folder.name not in known])
        oldest = self._at.timestamp() - max(self._keep.keep_payloads, GRACE)
        self._files("leftovers", leftovers(self._layout, older_than=oldest))
        kept = [path for path in self._layout.snapshots.glob("*/*.parquet") if path not in self._gone]
        with Workbench(self._layout.runs, memory_bytes=self._settings.engine_memory) as bench:
            self._removed["profile ids"] += forget_unheld(self._workspace.catalog, bench, kept, dry_run=self._dry_run)

    def _payloads(self, runs: Expired) -> None:
        if runs.given_up and not self._dry_run:
            # First: a run without its files must not look as if it could go on.
            for run_id in runs.given_up:
                RunRecords(self._workspace.catalog).give_up(run_id, position=len(NAMES) - 1)
        self._files("folders of runs", [f for f in run_folders(self._layout) if f.name in runs.payloads])
        for some in _batches(sorted(runs.payloads)):
            with self._workspace.catalog.session(read_only=self._dry_run) as session:
                old = DeliveryReject.run_id.in_(some)
                query = select(func.count()).select_from(DeliveryReject).where(old)
                self._removed["refused rows"] += session.scalars(query).one()
                if not self._dry_run:
                    session.execute(delete(DeliveryReject).where(old))

    def _segments(self, orchestration_id: str, name: str, runs: Expired) -> None:
        with self._workspace.catalog.session(read_only=True) as session:
            row = session.get(AudienceSnapshot, orchestration_id)
            baseline, updated = (tuple(row.segments), row.updated_at) if row else ((), None)
        age = (self._at - updated).total_seconds() if updated else 0.0
        if not runs.alive and updated and age > self._keep.keep_payloads:
            baseline = ()
            self._removed["baselines of deleted orchestrations"] += 1
            if not self._dry_run:
                with self._workspace.catalog.session() as session:
                    session.execute(
                        delete(AudienceSnapshot).where(AudienceSnapshot.orchestration_id == orchestration_id)
                    )
        elif runs.alive:
            baseline = self._merge(orchestration_id, name, baseline, runs)
        spare = spare_segments(
            segment_files(self._layout, orchestration_id),
            baseline=baseline,
            needed=runs.runs - runs.payloads,
            at=self._at.timestamp(),
        )
        self._files("changes of runs", spare)

    def _merge(self, orchestration_id: str, name: str, baseline: tuple[str, ...], runs: Expired) -> tuple[str, ...]:
        """Free the baseline of what its expired segments say of people who left, or of values that changed."""
        folder = self._layout.snapshots / orchestration_id
        old = 0
        while old < len(baseline) and (
            is_merged(path := folder / baseline[old]) or path.stem not in runs.runs - runs.payloads
        ):
            old += 1
        # What is staged as yet names the segments that it was compared with.
        staged = any((self._layout.runs / run / "staged.json").exists() for run in runs.runs - runs.payloads)
        if old < 2 or staged:  # noqa: PLR2004 -- one segment alone says nothing twice
            return baseline
        self._merged.append(name)
        if self._dry_run:
            return baseline
        path = merged_path(folder / baseline[old - 1])
        with Workbench(
            self._layout.runs, memory_bytes=self._settings.engine_memory, threads=self._settings.threads
        ) as bench:
            merge(bench, [folder / segment for segment in baseline[:old]], path)
        reach("gc-merged")
        after = (path.name, *baseline[old:])
        with self._workspace.catalog.session() as session:
            session.get_one(AudienceSnapshot, orchestration_id).segments = list(after)
        return after

    def _records(self, runs: Expired) -> None:
        self._removed["records of runs"] += len(runs.records)
        for some in _batches(sorted(runs.records)) if not self._dry_run else ():
            with self._workspace.catalog.session() as session:
                for table in (DeliveryReject, DeliveryPart, Task, Activity, RunStart, RunTimeline):
                    session.execute(delete(table).where(table.run_id.in_(some)))
                session.execute(delete(Run).where(Run.id.in_(some)))

    def _files(self, what: What, paths: Sequence[Path]) -> None:
        self._removed[what] += len(paths)
        self._bytes += size(paths)
        self._gone.update(paths)
        if not self._dry_run:
            remove_all(paths)


_UNFINISHED = (
    "It has begun to send and did not end: finish it with `segue run`, or give it up with `segue run --restart`."
)


def _name(session: Session, orchestration_id: str) -> str:
    """The name of an orchestration, of a deleted one that of its last run."""
    row = session.get(Orchestration, orchestration_id)
    if row is not None:
        return row.name
    query = select(Run.orchestration).where(Run.orchestration_id == orchestration_id).order_by(Run.started_at.desc())
    return session.scalars(query.limit(1)).first() or orchestration_id


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
