"""Bulk import jobs are submitted: every chunk becomes one, and a refused one sheds the rows that are at fault."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pyarrow as pa

from segue.audience.packing import fragments_text
from segue.audience.workbench import DeltaFile
from segue.delivery.decider import Decision
from segue.delivery.ledger import Ledger, Part, PartKind, PartState, RowReject
from segue.delivery.progress import Progress
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import CREATE_JOB
from segue.destinations.klaviyo.lists import list_gone
from segue.destinations.klaviyo.refusals import Problem, Refusal

SENDERS = 4
"""Bodies on their way at once; each holds up to 5 MB."""
_FEW = 50
"""Rows of a refused body that are always tried one by one: a query's few bad rows may well be all that a run sends."""
_PROBES = 8
"""Rows from all over a refused body that are tried alone first: bad rows may be neighbours, so a few of one place say
nothing about the body."""
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
        for future in [pool.submit(copy_context().run, submitter.deliver, part) for part in todo]:
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
        self._sound = {p.chunk for p in work.ledger.parts(PartKind.IMPORT) if p.job}
        """Chunks of which something was accepted: what is refused of them is the fault of rows."""
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
                job = self._post(kept)
            except Refusal as refusal:
                if not self._shed(part, kept, positions, refusal):
                    return
                continue
            self._accepted(part, job, rows=len(positions))
            return

    def _post(self, rows: pa.RecordBatch) -> str:
        """Submit rows as one job; its id. Raises Refusal for what may be the fault of the rows."""
        # The last fragment ends in "},": both characters are part of what follows the rows.
        body = b"".join((_PREFIX, fragments_text(rows)[:-2], self._suffix))
        try:
            answer = self._client.call(CREATE_JOB, body=body, rows=rows.num_rows)
        except Refusal as refusal:
            if refusal.decision is Decision.GONE or any(_blames_list(p) for p in refusal.problems):
                raise list_gone() from refusal
            raise
        job: str = answer.body["data"]["id"]
        return job

    def _accepted(self, part: Part, job: str, *, rows: int) -> None:
        self._ledger.mark(part, PartState.ACCEPTED, job=job)
        with self._reading:
            self._sound.add(part.chunk)
            self.done += rows
            done = self.done
        self._progress.advance("send", done)

    def _shed(self, part: Part, rows: pa.RecordBatch, positions: Sequence[int], refusal: Refusal) -> bool:
        """Drop the rows that the refusal names; without names, divide. False: the part is replaced by smaller ones."""
        named = {} if refusal.decision is Decision.SPLIT else _named_rows(refusal.problems, len(positions))
        if not named and len(positions) > 1:
            for smaller in self._divide(part, rows, positions, refusal):
                self.deliver(smaller)
            return False
        named = named or {0: refusal.problems[0] if refusal.problems else _NAMELESS}
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

    def _divide(self, part: Part, rows: pa.RecordBatch, positions: Sequence[int], refusal: Refusal) -> Sequence[Part]:
        """What is still to be sent of a part after a refusal without names: its halves, or what a good row leaves."""
        doubted = refusal.decision is not Decision.SPLIT and len(positions) > _FEW
        if doubted and part.chunk not in self._sound and (good := self._probe(part, rows, refusal)):
            index, job = good
            return self._set_apart(part, positions[index], job)
        return self._ledger.split(part, positions[len(positions) // 2])

    def _probe(self, part: Part, rows: pa.RecordBatch, refusal: Refusal) -> tuple[int, str] | None:
        """Try single rows until one is accepted, and say which, or is refused for a reason of its own. Raises
        ``every_row_refused`` where each is refused as the whole body was."""
        for number in range(_PROBES):
            # The middle first: a good row there halves the part.
            index = (rows.num_rows // 2 + number * rows.num_rows // _PROBES) % rows.num_rows
            try:
                return index, self._post(rows.slice(index, 1))
            except Refusal as single:
                if _codes(single) != _codes(refusal) or _named_rows(single.problems, 1):
                    with self._reading:
                        self._sound.add(part.chunk)
                    return None
        raise refusal.as_error(
            code="every_row_refused",
            steps=(
                "Klaviyo refuses every row without naming one: look at the query's columns with segue query explain.",
            ),
        ) from refusal

    def _set_apart(self, part: Part, position: int, job: str) -> list[Part]:
        """An accepted row becomes a part of its own; what stands before and after it is still to be sent."""
        rest = []
        if position > part.start:
            before, part = self._ledger.split(part, position)
            rest.append(before)
        if position + 1 < part.stop:
            part, after = self._ledger.split(part, position + 1)
            rest.append(after)
        self._accepted(part, job, rows=1)
        return rest


_NAMELESS = Problem(code="refused", detail="", pointer=None, meta={})


def _codes(refusal: Refusal) -> frozenset[str]:
    return frozenset(p.code for p in refusal.problems)


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
