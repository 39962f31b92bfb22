"""What Segue keeps of one person goes: ``forget`` finds it, removes what nothing needs, and says what stays and why.

Klaviyo is not spoken to, and the baseline says the same of everybody as before: whom an orchestration keeps on a list is
still known to be there, since the next run could not take them off otherwise.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select

from segue import logs
from segue.audience.snapshot import write_segment
from segue.audience.text import literal, parquet
from segue.audience.workbench import Workbench
from segue.catalog.models import Orchestration
from segue.catalog.runs import AudienceSnapshot, DeliveryReject, ProfileId, Run
from segue.failpoints import reach
from segue.services.audit import note
from segue.services.exchange_files import forget_exchanges
from segue.services.history import key_of
from segue.services.rejects import REFUSED_FILE, readable_rejects
from segue.services.stored_files import segment_files
from segue.services.unchanged import NOTE_FILE
from segue.services.workspace import Workspace
from segue.settings import Settings
from segue.workflow.expiry import orchestration_ids
from segue.workflow.tidying import KEPT

What = Literal["stored changes", "rejects", "refused rows", "sampled exchanges", "profile ids"]
_REJECTS = "rejects.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What stays. orchestration: its name, None where it belongs to none; why: sentences for people."""

    orchestration: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What went, or would go: removed: how many rows of each; remains: what does not go, and why."""

    dry_run: bool
    removed: Counter[What] = field(default_factory=Counter)
    remains: tuple[Remains, ...] = ()


def forget(workspace: Workspace, settings: Settings, email: str, *, dry_run: bool = False) -> Forgotten:
    """Remove what is kept of the person with this address, which may be written as in the data.

    The activity log has a line of it that does not say whose. Raises NotPermittedError.
    """
    workspace.actor.require("settings.edit")
    layout = workspace.layout
    with Workbench(layout.runs, memory_bytes=settings.engine_memory, threads=settings.threads) as bench:
        forgetter = _Forgetter(workspace, bench, email, dry_run)
        with workspace.catalog.session(read_only=True) as session:
            stored = {path.name for path in layout.snapshots.glob("*") if path.is_dir()}
            ids = sorted(orchestration_ids(session) | stored)
        for orchestration_id in ids:
            forgetter.orchestration(orchestration_id)
        forgetter.rest()
    done = forgetter.done()
    if not dry_run:
        counts = {what.replace(" ", "_"): count for what, count in done.removed.items()}
        note(workspace, "person.forget", after=counts)
        logs.event("forgotten", **counts)
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """An orchestration. name: of a deleted one that of its last run; alive: whether it is still configured; runs: their ids;
    baseline: its files, the oldest first."""

    name: str
    alive: bool
    runs: tuple[str, ...]
    baseline: tuple[str, ...]


class _Forgetter:
    """Counts while it removes, or only counts."""

    def __init__(self, workspace: Workspace, bench: Workbench, email: str, dry_run: bool) -> None:
        self._workspace = workspace
        self._layout = workspace.layout
        self._bench = bench
        self._dry_run = dry_run
        self._key = key_of(bench, email)
        # A row without a key is known by the text that was no address.
        same_text = f"(key IS NULL AND field = 'email' AND lower(trim(value)) = lower(trim({literal(email)})))"
        self._texts = {email, *([self._key] if self._key is not None else []), *self._profile_ids()}
        self._is_reject = same_text if self._key is None else f"(key = {literal(self._key)} OR {same_text})"
        self._removed: Counter[What] = Counter()
        self._remains: list[Remains] = []

    def done(self) -> Forgotten:
        """What came of it."""
        return Forgotten(dry_run=self._dry_run, removed=+self._removed, remains=tuple(self._remains))

    def orchestration(self, orchestration_id: str) -> None:
        """Everything of one orchestration, while nothing else works on it."""
        with self._alone(orchestration_id) as ours:
            known = self._known(orchestration_id)
            name, runs = known.name, known.runs
            if not ours:
                self._stays(name, "A run is under way: wait for its end, then forget again.")
                return
            staged = [run for run in runs if self._is_staged(run)]
            for run in staged:
                self._stays(name, _STAGED.format(run=run))
            self._rejects([run for run in runs if run not in staged])
            if not staged and self._key is not None:
                # What is staged names the files that it was compared with.
                self._segments(orchestration_id, known)

    def _known(self, orchestration_id: str) -> _Known:
        query = select(Run.id, Run.orchestration).where(Run.orchestration_id == orchestration_id)
        with self._workspace.catalog.session(read_only=True) as session:
            runs = session.execute(query.order_by(Run.started_at)).all()
            row = session.get(Orchestration, orchestration_id)
            held = session.get(AudienceSnapshot, orchestration_id)
            name = row.name if row is not None else runs[-1].orchestration if runs else orchestration_id
            return _Known(
                name=name,
                alive=row is not None,
                runs=tuple(run.id for run in runs),
                baseline=tuple(held.segments) if held is not None else (),
            )

    def _profile_ids(self) -> set[str]:
        with self._workspace.catalog.session(read_only=True) as session:
            return set(session.scalars(select(ProfileId.profile_id).where(ProfileId.key == self._key)))

    def rest(self) -> None:
        """What belongs to no orchestration."""
        if self._key is not None:
            with self._workspace.catalog.session(read_only=self._dry_run) as session:
                theirs = ProfileId.key == self._key
                self._removed["profile ids"] += session.scalar(select(func.count()).where(theirs)) or 0
                if not self._dry_run:
                    session.execute(delete(ProfileId).where(theirs))
        if any(self._layout.home.glob("segue.db.*.bak")):
            self._stays(
                None, "Copies of the metadata from before an upgrade (segue.db.*.bak) may name people: remove them."
            )

    @contextmanager
    def _alone(self, orchestration_id: str) -> Iterator[bool]:
        if self._dry_run:
            yield True
            return
        with self._workspace.locks.hold(orchestration_id) as ours:
            yield ours

    def _is_staged(self, run_id: str) -> bool:
        """Whether a run's folder holds more than what is kept of a run that has ended."""
        folder = self._layout.runs / run_id
        return any(path.name not in KEPT for path in folder.glob("*"))

    def _stays(self, orchestration: str | None, why: str) -> None:
        self._remains.append(Remains(orchestration=orchestration, why=why))

    def _rejects(self, runs: Sequence[str]) -> None:
        for run in runs:
            path = self._layout.runs / run / _REJECTS
            if path.exists() and readable_rejects(path):
                count = self._count(path, self._is_reject)
                if count and not self._dry_run:
                    # The next run would take these rejects for its own, although the query has the person still.
                    (path.parent / NOTE_FILE).unlink(missing_ok=True)
                self._removed["rejects"] += self._without(path, self._is_reject)
            if self._key is None:
                self._exchanges(run, refused=False)
                continue
            theirs = (DeliveryReject.run_id == run, DeliveryReject.key == self._key)
            with self._workspace.catalog.session(read_only=self._dry_run) as session:
                found = select(DeliveryReject.chunk, DeliveryReject.position).where(*theirs)
                places = session.execute(found).all()
                refused = self._layout.runs / run / REFUSED_FILE
                if places and refused.exists():
                    at = ", ".join(f"({chunk}, {position})" for chunk, position in places)
                    self._without(refused, f"((chunk, position) IN ({at}))")
                self._exchanges(run, refused=bool(places))
                self._removed["refused rows"] += len(places)
                if not self._dry_run:
                    session.execute(delete(DeliveryReject).where(*theirs))

    def _exchanges(self, run: str, *, refused: bool) -> None:
        """The sampled exchanges of a run. refused: whether the destination refused something of the person: then its answers
        may quote a value without saying whose."""
        folder = self._layout.runs / run
        gone = forget_exchanges(folder, self._texts, all_of_them=refused, dry_run=self._dry_run)
        self._removed["sampled exchanges"] += gone

    def _segments(self, orchestration_id: str, known: _Known) -> None:
        """The changes of runs: all of them but what says that the person is a member."""
        person = f"(key = {literal(self._key or '')})"
        folder = self._layout.snapshots / orchestration_id
        for path in segment_files(self._layout, orchestration_id):
            if path.suffix == ".parquet" and path.name not in known.baseline:
                self._removed["stored changes"] += self._without(path, person)
        holding = [path for path in (folder / segment for segment in known.baseline) if self._count(path, person)]
        if not holding:
            return
        last = self._bench.one(f"SELECT kind FROM {parquet(holding[-1])} WHERE {person}")
        # Of a deleted orchestration no run comes that would take anybody off.
        if last != "remove" and known.alive:
            self._stays(known.name, _MEMBER)
            holding = holding[:-1]
        # The oldest first: without the line that says that they left, an older one would make them a member again.
        for path in holding:
            self._removed["stored changes"] += self._without(path, person)
            reach("forget-file-written")

    def _count(self, path: Path, condition: str) -> int:
        return int(self._bench.one(f"SELECT count(*) FROM {parquet(path)} WHERE {condition}"))

    def _without(self, path: Path, condition: str) -> int:
        """Write a file anew without the rows that fulfil a condition; returns how many they are."""
        count = self._count(path, condition)
        if count and not self._dry_run:
            written = path.stat()
            write_segment(self._bench, f"SELECT * FROM {parquet(path)} WHERE ({condition}) IS NOT TRUE", path)
            # Whether a file is spare is told by when it was written.
            os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
        return count


_STAGED = (
    "Run {run} did not end well and keeps what it staged, so that it can go on: "
    "finish it or begin a new one, then forget again."
)
_MEMBER = (
    "Its list has this person because of it: the address and what was sent stay in the baseline, so that the next run can take "
    "the person off. Have the query leave the person out, run it, then forget again."
)
