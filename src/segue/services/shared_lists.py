"""One list, several orchestrations: who leaves one of them stays on the list while another has them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from segue.audience.delta import Delta
from segue.audience.snapshot import RELEASED_FILE, members_sql, write_segment
from segue.audience.text import parquet
from segue.audience.workbench import DeltaFile, Workbench
from segue.catalog.models import Orchestration
from segue.catalog.runs import AudienceSnapshot, DeliveryPart, Run
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLists:
    """The lists of one orchestration, as far as others of the workspace send to them too."""

    workspace: Workspace
    orchestration_id: str

    def show(self, bench: Workbench, list_id: str | None) -> None:
        """Make the keys that other orchestrations keep on a list, as of now, readable as the relation ``others``."""
        held = [f"SELECT key FROM ({sql})" for sql in self._held(list_id)] if list_id else []
        bench.execute("CREATE OR REPLACE TEMP TABLE underway (key VARCHAR)")
        for folder in self._unfinished(list_id) if list_id else ():
            bench.show("sent", DeltaFile(folder / "delta.arrow", ["key"]).read())
            bench.execute("INSERT INTO underway SELECT key FROM sent")
        bench.execute(f"CREATE OR REPLACE TEMP VIEW others AS {' UNION ALL '.join([*held, 'FROM underway'])}")

    def _held(self, list_id: str | None) -> Iterator[str]:
        # Ids of lists are unique among accounts, and a key that cannot show its account gives another id for it.
        query = (
            select(AudienceSnapshot)
            .join(Orchestration, Orchestration.id == AudienceSnapshot.orchestration_id)
            .where(AudienceSnapshot.list_id == list_id, Orchestration.id != self.orchestration_id)
        )
        with self.workspace.catalog.session(read_only=True) as session:
            rows = [(row.orchestration_id, tuple(row.segments)) for row in session.scalars(query)]
        for owner, names in rows:
            folder = self.workspace.layout.snapshots / owner
            if members := members_sql([folder / name for name in names]):
                yield members

    def _unfinished(self, list_id: str | None) -> Iterator[Path]:
        """Folders of the others' runs that began to send and did not end: their people may be on the list already."""
        query = (
            select(Run.id)
            .join(Orchestration, Orchestration.id == Run.orchestration_id)
            .where(Run.list_id == list_id, Orchestration.id != self.orchestration_id)
            .where(select(DeliveryPart.run_id).where(DeliveryPart.run_id == Run.id).exists())
        )
        with self.workspace.catalog.session(read_only=True) as session:
            runs = session.scalars(query).all()
        # What a run stages is removed when it ends.
        folders = (self.workspace.layout.runs / run for run in runs)
        return (folder for folder in folders if (folder / "delta.arrow").exists())


def release(bench: Workbench, folder: Path, delta: Delta) -> tuple[Delta, int]:
    """Leavers whom ``others`` has are forgotten without being removed: they go from removes.parquet to RELEASED_FILE.

    Returns the delta without them, and how many they are.
    """
    removes, released = folder / "removes.parquet", folder / RELEASED_FILE
    released.unlink(missing_ok=True)
    leavers = f"SELECT key, hash, payload FROM {parquet(removes)}"
    bench.execute(f"CREATE OR REPLACE TEMP TABLE staying AS FROM ({leavers}) l WHERE l.key IN (SELECT key FROM others)")
    [(count, mark)] = bench.fetch("SELECT count(*), coalesce(bit_xor(md5_number(key)), 0)::VARCHAR FROM staying")
    if not count:
        return delta, 0
    write_segment(bench, "FROM staying", released)
    write_segment(bench, f"FROM {parquet(removes)} WHERE key NOT IN (SELECT key FROM staying)", removes)
    counts = replace(delta.counts, removed=delta.counts.removed - count)
    return replace(delta, counts=counts, digest=f"{delta.digest}-{int(mark):032x}"), count
