"""What could not be sent in a run, row by row, by Segue's checks and by the destination's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from segue.audience.rows import REJECTS_SCHEMA
from segue.audience.workbench import DeltaFile
from segue.catalog.runs import DeliveryReject, Run
from segue.errors import StateError
from segue.services.audit import record
from segue.services.permissions import Actor
from segue.services.privacy import mask_payload, mask_record
from segue.services.rows import csv_parts
from segue.services.workspace import Workspace

_BATCH = 1000
REFUSED_FILE = "refused.parquet"
"""In a run's folder: the rows that the destination refused, kept when the staged delta is removed."""
_REFUSED_SCHEMA = pa.schema(
    [("chunk", pa.int64()), ("position", pa.int64()), ("row", pa.int64()), ("payload", pa.string())]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One reason why a row, or a field of it, was not sent; it holds a person's data.

    row: the row's place in the query's result, from 1; None where it is not known. field: empty where the whole row is
    meant; several fields are separated by commas. source: ``segue`` or ``klaviyo``; detail: in the words of the source.
    """

    row: int | None
    key: str | None
    field: str
    value: str | None
    reason: str
    source: str
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A reject by the destination, in which run, and the payload that was refused (None where it is gone)."""

    run_id: str
    reject: Reject
    payload: Mapping[str, Any] | None


def rejects(workspace: Workspace, run_id: str) -> Iterator[Reject]:
    """The rejects of a run: Segue's in the order of the rows, then the destination's. The activity log has a line of it.

    Raises StateError ``rejects_unreadable`` while the query of the run is still read, or where that was cut short.
    """
    workspace.actor.require("people.read")
    with workspace.catalog.session() as session:
        run = session.get(Run, run_id)
        record(session, workspace.actor, "rejects.read", run.orchestration if run else None, after={"run": run_id})
    for reject in own_rejects(workspace.layout.runs / run_id / "rejects.parquet"):
        yield masked(workspace.actor, reject)
    yield from (refused.reject for refused in refused_rows(workspace, run_id=run_id))


def rejects_csv(workspace: Workspace, run_id: str) -> Iterator[bytes]:
    """The rejects of a run as CSV in parts, names first. Raises what ``rejects`` raises, before the first part."""
    found = rejects(workspace, run_id)
    # Begun at once: who asks in vain is told while there is no answer yet.
    first = list(islice(found, _BATCH))

    def batches() -> Iterator[pa.RecordBatch]:
        some = first
        while some:
            yield pa.RecordBatch.from_pylist([asdict(reject) for reject in some], schema=REJECTS_SCHEMA)
            some = list(islice(found, _BATCH))

    return (part for part, _ in csv_parts(REJECTS_SCHEMA, batches()))


def refused_rows(workspace: Workspace, *, run_id: str | None = None, key: str | None = None) -> Iterator[Refused]:
    """What the destination refused in a run, or of a person, or both."""
    workspace.actor.require("people.read")
    query = select(DeliveryReject).order_by(DeliveryReject.run_id, DeliveryReject.chunk, DeliveryReject.position)
    if run_id is not None:
        query = query.where(DeliveryReject.run_id == run_id)
    if key is not None:
        query = query.where(DeliveryReject.key == key)
    sent = _SentRows(workspace.layout.runs)
    with workspace.catalog.session(read_only=True) as session:
        for entry in session.scalars(query.execution_options(yield_per=_BATCH)):
            row, payload = sent.look(entry.run_id, entry.chunk, entry.position)
            reject = Reject(
                row=row,
                key=entry.key,
                field=entry.field,
                value=_value(payload, entry.field) if entry.kind == "import" else None,
                reason=entry.reason,
                source="klaviyo",
                detail=entry.detail or None,
            )
            shown = masked(workspace.actor, reject)
            yield Refused(run_id=entry.run_id, reject=shown, payload=mask_payload(workspace.actor, payload))


def masked(actor: Actor, reject: Reject) -> Reject:
    """A reject as this actor may see it. What the destination says of it repeats values."""
    shown: Reject = mask_record(actor, reject, "key", "value", "detail")
    return shown


def keep_refused(workspace: Workspace, run_id: str) -> None:
    """Keep what is known of the refused rows of a run, for when its staged delta is gone."""
    sent = _SentRows(workspace.layout.runs)
    places = select(DeliveryReject.chunk, DeliveryReject.position).where(DeliveryReject.run_id == run_id).distinct()
    with workspace.catalog.session(read_only=True) as session:
        found = [(c, p, *sent.look(run_id, c, p)) for c, p in session.execute(places.order_by(DeliveryReject.chunk))]
    rows = [
        {"chunk": chunk, "position": position, "row": row, "payload": orjson.dumps(payload).decode()}
        for chunk, position, row, payload in found
        if row is not None
    ]
    if rows:
        path = workspace.layout.runs / run_id / REFUSED_FILE
        pq.write_table(pa.Table.from_pylist(rows, schema=_REFUSED_SCHEMA), path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)


def readable_rejects(path: Path) -> bool:
    """Whether a file of rejects is there and whole."""
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        return False
    return True


def own_rejects(path: Path) -> Iterator[Reject]:
    """What Segue's checks refused of one staging, in the order of the rows, for no one in particular: not masked."""
    if not path.exists():
        return
    if not readable_rejects(path):
        raise StateError(
            "The rejects of this run are not whole: its query is still read, or was cut short.",
            code="rejects_unreadable",
            steps=("Wait until the run has ended, or run again: the rejects are written anew.",),
        )
    for batch in pq.ParquetFile(path).iter_batches():
        for entry in batch.to_pylist():
            yield Reject(**{**entry, "row": entry["row"] + 1})


class _SentRows:
    """Rows that runs sent, from what was kept of them, else from the staged delta. Without both nothing is known."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._chunk = lru_cache(maxsize=1)(self._read_chunk)
        self._kept = lru_cache(maxsize=1)(self._read_kept)

    def _read_chunk(self, run_id: str, chunk: int) -> pa.RecordBatch | None:
        try:
            return DeltaFile(self._runs / run_id / "delta.arrow").chunk(chunk)
        except (StateError, pa.ArrowInvalid, IndexError):
            return None

    def _read_kept(self, run_id: str) -> dict[tuple[int, int], tuple[int, str]]:
        path = self._runs / run_id / REFUSED_FILE
        rows = pq.read_table(path).to_pylist() if path.exists() else []
        return {(r["chunk"], r["position"]): (r["row"], r["payload"]) for r in rows}

    def look(self, run_id: str, chunk: int, position: int) -> tuple[int | None, Mapping[str, Any] | None]:
        """The row number from 1 and the payload."""
        if kept := self._kept(run_id).get((chunk, position)):
            return kept[0], orjson.loads(kept[1])
        batch = self._chunk(run_id, chunk)
        if batch is None or position >= batch.num_rows:
            return None, None
        row, fragment, head = (batch.column(name)[position].as_py() for name in ("row", "fragment", "head"))
        # The payload stands between the head and the "}," of its place in a body.
        return row + 1, orjson.loads(fragment[head:-2])


def _value(payload: Mapping[str, Any] | None, field: str) -> str | None:
    """What was sent in a field, wherever in the payload it stands."""
    for part in (payload or {}, *((payload or {}).get(group, {}) for group in ("location", "properties"))):
        if field in part and not isinstance(part[field], dict):
            value = part[field]
            return value if isinstance(value, str) else orjson.dumps(value).decode()
    return None
