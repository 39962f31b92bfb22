"""Standard and location fields that became NULL: one call a person with explicit nulls, since bulk jobs ignore null."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import orjson

from segue.audience.workbench import DeltaFile
from segue.delivery.decider import Decision
from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.delivery.progress import Progress
from segue.delivery.words import counted
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.fields import FIELDS
from segue.destinations.klaviyo.limits import IMPORT_PROFILE
from segue.destinations.klaviyo.refusals import Json, Refusal

CALLERS = 8
BATCH = 50
"""Rows whose clears are written down together: a crash repeats at most so many per caller, which changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    position: int
    key: str
    fields: tuple[str, ...]


def clear(client: Client, work: Work, progress: Progress) -> Outcome:
    """Clear the fields of every row whose import was confirmed. Other rows keep owing their clears."""
    caller = _Caller(client, work, progress)
    todo = list(caller.plan())
    if not todo:
        return Outcome()
    progress.begin("clear", total=sum(len(rows) for _, rows in todo), unit="rows")
    with ThreadPoolExecutor(CALLERS, thread_name_prefix="clear") as pool:
        for future in [pool.submit(copy_context().run, caller.clear, part, rows) for part, rows in todo]:
            try:
                future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    warnings = (f"Klaviyo refused to clear fields of {counted(caller.failed, 'profile')}.",) if caller.failed else ()
    return Outcome(done=caller.done, failed=caller.failed, warnings=warnings)


class _Caller:
    def __init__(self, client: Client, work: Work, progress: Progress) -> None:
        self._client = client
        self._ledger = work.ledger
        self._delta = DeltaFile(work.folder / "delta.arrow", ["key", "slow"])
        self._progress = progress
        self._lock = threading.Lock()
        self.done = self.failed = 0

    def plan(self) -> Iterator[tuple[Part, list[_Row]]]:
        """The batches that are still to do; a batch spans ``start`` to ``stop`` of its chunk's rows with clears."""
        imported: dict[int, list[Part]] = {}
        for part in self._ledger.parts(PartKind.IMPORT):
            imported.setdefault(part.chunk, []).append(part)
        finished = {(p.chunk, p.start) for p in self._ledger.parts(PartKind.CLEAR) if p.state is PartState.COMPLETE}
        for chunk, parts in sorted(imported.items()):
            rows = self._rows(chunk)
            good = self._acknowledged(chunk, parts)
            for start in range(0, len(rows), BATCH):
                batch = rows[start : start + BATCH]
                part = Part(kind=PartKind.CLEAR, chunk=chunk, start=start, stop=start + len(batch))
                if (chunk, start) not in finished and (due := [r for r in batch if r.position in good]):
                    self._ledger.plan([part])
                    yield part, due

    def _rows(self, chunk: int) -> list[_Row]:
        batch = self._delta.chunk(chunk)
        if batch.column("slow").null_count == batch.num_rows:
            return []
        return [
            _Row(position=i, key=row["key"], fields=tuple(orjson.loads(row["slow"])))
            for i, row in enumerate(batch.to_pylist())
            if row["slow"]
        ]

    def _acknowledged(self, chunk: int, parts: list[Part]) -> set[int]:
        good = {i for p in parts if p.state is PartState.COMPLETE for i in range(p.start, p.stop)}
        return good - self._ledger.rejected(PartKind.IMPORT, chunk)

    def clear(self, part: Part, rows: list[_Row]) -> None:
        """Clear one batch, row by row."""
        ids: dict[str, str] = {}
        rejects: list[RowReject] = []
        for row in rows:
            try:
                answer = self._client.call(IMPORT_PROFILE, body=_body(row), rows=1)
                ids[row.key] = answer.body["data"]["id"]
            except Refusal as refusal:
                if refusal.decision is not Decision.ROW_ERROR:
                    raise refusal.as_error() from refusal
                rejects.append(_reject(part, row, refusal))
            with self._lock:
                self.done += 1
                done = self.done
            self._progress.advance("clear", done)
        self._ledger.remember_ids(ids)
        self._ledger.reject(rejects)
        self._ledger.mark(part, PartState.COMPLETE)
        with self._lock:
            self.failed += len(rejects)


def _body(row: _Row) -> Json:
    attributes: Json = {FIELDS.key: row.key}
    location: Json = {}
    for name in row.fields:
        (location if name in FIELDS.location else attributes)[name] = None
    if location:
        attributes["location"] = location
    return {"data": {"type": "profile", "attributes": attributes}}


def _reject(part: Part, row: _Row, refusal: Refusal) -> RowReject:
    problem = refusal.problems[0] if refusal.problems else None
    return RowReject(
        kind=PartKind.CLEAR,
        at_submit=True,
        chunk=part.chunk,
        position=row.position,
        key=row.key,
        field=", ".join(row.fields),
        reason=problem.code if problem else "refused",
        detail=problem.detail if problem else "",
    )
