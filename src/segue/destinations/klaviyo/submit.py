"""Bulk import jobs are submitted: every chunk becomes one, and a refused one sheds the rows that are at fault."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from segue.audience.packing import fragments_text
from segue.audience.workbench import DeltaFile
from segue.delivery.decider import Decision
from segue.delivery.ledger import Ledger, Part, PartKind, PartState, RowReject
from segue.delivery.progress import Progress
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client, Problem, Refusal
from segue.destinations.klaviyo.limits import CREATE_JOB
from segue.errors import DestinationError

SENDERS = 4
"""Bodies on their way at once; each holds up to 5 MB."""
_HOPELESS = 5
"""Single rows refused in a row, with nothing accepted between: the fault is not in the rows."""
_POINTER = re.compile(r"^/data/attributes/profiles/data/(\d+)(?:/(.*))?$")
_PREFIX = b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['


def send(client: Client, work: Work, progress: Progress) -> Outcome:
    """Submit every part that is not accepted yet. A 202 is not success: see ``confirm``."""
    delta = DeltaFile(work.folder / "delta.arrow")
    ledger = work.ledger
    narrow = DeltaFile(work.folder / "delta.arrow", ["kind"])
    sizes = [narrow.chunk(i).num_rows for i in range(narrow.chunks)]
    ledger.plan([Part(kind=PartKind.IMPORT, chunk=i, start=0, stop=rows) for i, rows in enumerate(sizes)])
    parts = ledger.parts(PartKind.IMPORT)
    todo = [p for p in parts if p.state in (PartState.PLANNED, PartState.SENDING)]
    submitter = Submitter(client, work, delta, progress, done=sum(p.rows for p in parts) - sum(p.rows for p in todo))
    progress.begin("send", total=sum(p.rows for p in parts), unit="rows")
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="send") as pool:
        for future in [pool.submit(submitter.deliver, part) for part in todo]:
            try:
                future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return Outcome(done=submitter.done, failed=submitter.refused)


class Submitter:
    """Delivers parts from several threads."""

    def __init__(self, client: Client, work: Work, delta: DeltaFile, progress: Progress, *, done: int) -> None:
        self._client = client
        self._ledger: Ledger = work.ledger
        self._delta = delta
        self._reading = threading.Lock()
        self._progress = progress
        self._hopeless = 0
        self._suffix = (
            b'}]}},"relationships":{"lists":{"data":[{"type":"list","id":"' + work.list_id.encode() + b'"}]}}}}'
        )
        self.done = done
        self.refused = 0

    def deliver(self, part: Part) -> None:
        """Submit the rows of a part, and what is left of them after each refusal: every pass has fewer rows."""
        with self._reading:
            batch = self._delta.chunk(part.chunk).slice(part.start, part.rows)
        while True:
            refused = self._ledger.rejected(PartKind.IMPORT, part.chunk)
            positions = [p for p in range(part.start, part.stop) if p not in refused]
            if not positions:
                self._ledger.mark(part, PartState.REFUSED)
                return
            kept = batch if len(positions) == part.rows else batch.take(pa.array([p - part.start for p in positions]))
            self._ledger.mark(part, PartState.SENDING)
            try:
                answer = self._client.call(CREATE_JOB, body=self._body(kept))
            except Refusal as refusal:
                if not self._shed(part, kept, positions, refusal):
                    return
                continue
            self._ledger.mark(part, PartState.ACCEPTED, job=answer.body["data"]["id"])
            self._count(len(positions))
            return

    def _body(self, rows: pa.RecordBatch) -> bytes:
        # The last fragment ends in "},": both characters are part of what follows the rows.
        return b"".join((_PREFIX, fragments_text(rows)[:-2], self._suffix))

    def _count(self, rows: int) -> None:
        with self._reading:
            self._hopeless = 0
            self.done += rows
            done = self.done
        self._progress.advance("send", done)

    def _shed(self, part: Part, rows: pa.RecordBatch, positions: Sequence[int], refusal: Refusal) -> bool:
        """Drop the rows that the refusal names; without names, halve. False: the part is replaced by its halves."""
        if refusal.decision is Decision.GONE or any(_blames_list(p) for p in refusal.problems):
            raise DestinationError(
                "The Klaviyo list of this orchestration is gone.",
                code="list_gone",
                steps=("Run again: the list is looked up by its name and made if it is not there.",),
            ) from refusal
        named = {} if refusal.decision is Decision.SPLIT else _named_rows(refusal.problems, len(positions))
        if not named and len(positions) > 1:
            self._halve(part, positions)
            return False
        if not named:
            self._count_hopeless(refusal)
            named = {0: refusal.problems[0] if refusal.problems else _NAMELESS}
        keys = rows.column("key")
        self._ledger.reject(
            [
                row_reject(part, positions[index], keys[index].as_py(), problem, at_submit=True)
                for index, problem in named.items()
            ]
        )
        with self._reading:
            self.refused += len(named)
        return True

    def _halve(self, part: Part, positions: Sequence[int]) -> None:
        for half in self._ledger.split(part, positions[len(positions) // 2]):
            self.deliver(half)

    def _count_hopeless(self, refusal: Refusal) -> None:
        with self._reading:
            self._hopeless += 1
            hopeless = self._hopeless
        if hopeless >= _HOPELESS:
            raise refusal.as_error(
                code="every_row_refused",
                steps=(
                    "Klaviyo refuses every row without naming one: look at the query's columns with segue query explain.",
                ),
            ) from refusal


_NAMELESS = Problem(code="refused", detail="", pointer=None, meta={})


def _blames_list(problem: Problem) -> bool:
    return bool(problem.pointer and problem.pointer.startswith("/data/relationships"))


def _named_rows(problems: Sequence[Problem], rows: int) -> dict[int, Problem]:
    """Index in the body -> problem, for the pointers that name a row of it."""
    named: dict[int, Problem] = {}
    for problem in problems:
        if (match := _POINTER.match(problem.pointer or "")) and int(match[1]) < rows:
            named.setdefault(int(match[1]), problem)
    return named


def pointed_row(pointer: str | None) -> int | None:
    """The index of the row that a pointer names."""
    match = _POINTER.match(pointer or "")
    return int(match[1]) if match else None


def row_reject(part: Part, position: int, key: str, problem: Problem, *, at_submit: bool) -> RowReject:
    """A refused row as it is written down; the field is the last step of the pointer."""
    match = _POINTER.match(problem.pointer or "")
    field = (match[2] or "").rpartition("/")[2] if match else ""
    return RowReject(
        kind=part.kind,
        at_submit=at_submit,
        chunk=part.chunk,
        position=position,
        key=key,
        field="" if field == "attributes" else field,
        reason=problem.code or "refused",
        detail=problem.detail,
    )
