"""The audience snapshot of an orchestration: its row in the catalog, its segments in the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from segue.audience.snapshot import Snapshot
from segue.catalog.base import now
from segue.catalog.runs import AudienceSnapshot
from segue.errors import StateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A snapshot, and the list name that the template asked for when its list was found."""

    snapshot: Snapshot
    list_name: str | None


NOTHING = Held(snapshot=Snapshot(), list_name=None)


def load_snapshot(session: Session, folder: Path, orchestration_id: str) -> Held:
    """What is held of an orchestration; nothing before its first run.

    Raises StateError when a segment is gone: an empty baseline would send everybody again.
    """
    row = session.get(AudienceSnapshot, orchestration_id)
    if row is None:
        return NOTHING
    segments = tuple(folder / orchestration_id / name for name in row.segments)
    for path in segments:
        if not path.is_file():
            raise StateError(
                f"The snapshot file {path.name} of this orchestration is missing.",
                code="snapshot_missing",
                steps=("Restore the workspace's snapshots folder from a backup.",),
            )
    snapshot = Snapshot(
        segments=segments,
        rows=row.rows,
        columns=tuple(row.columns),
        list_id=row.list_id,
        account_id=row.account_id,
        version=row.version,
    )
    return Held(snapshot=snapshot, list_name=row.list_name)


def publish_snapshot(session: Session, orchestration_id: str, held: Held, run_id: str) -> None:
    """Make a snapshot the baseline of the next run, in the caller's transaction."""
    snapshot = held.snapshot
    session.merge(
        AudienceSnapshot(
            orchestration_id=orchestration_id,
            version=snapshot.version,
            account_id=snapshot.account_id,
            list_id=snapshot.list_id,
            list_name=held.list_name,
            columns=list(snapshot.columns),
            rows=snapshot.rows,
            segments=[path.name for path in snapshot.segments],
            run_id=run_id,
            updated_at=now(),
        )
    )
