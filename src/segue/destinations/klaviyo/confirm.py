"""Bulk import jobs are confirmed: 202 was not success, the job's end and its errors are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from segue.audience.workbench import DeltaFile
from segue.delivery.ledger import Ledger, Part, PartKind, PartState, RowReject
from segue.delivery.progress import Progress
from segue.delivery.words import counted
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import GET_JOB, GET_JOB_ERRORS, GET_JOBS, PAGE
from segue.destinations.klaviyo.refusals import Json, Problem, Refusal
from segue.destinations.klaviyo.submit import pointed_row, row_reject
from segue.errors import DestinationError

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.25, 15.0, 1.5
_PATIENCE = 6 * 3600.0
"""Seconds without a job that ends; Klaviyo promises no time, its help speaks of several hours."""
_MAX_PAGES = 20
_FINAL = {"complete", "cancelled"}


def confirm(client: Client, work: Work, progress: Progress) -> Outcome:
    """Poll until every accepted part is settled. One call polls up to a hundred jobs.

    Raises DestinationError ``jobs_still_processing`` after hours without progress; a later run goes on with the same jobs.
    """
    waiting = {p.job: p for p in work.ledger.parts(PartKind.IMPORT) if p.state is PartState.ACCEPTED and p.job}
    settler = _Settler(client, work)
    progress.begin("confirm", total=len(waiting), unit="jobs")
    total, pause, idle = len(waiting), _FIRST_PAUSE, 0.0
    while waiting:
        ended = [job for job in _states(client, waiting) if job["attributes"]["status"] in _FINAL]
        for job in ended:
            settler.settle(waiting.pop(job["id"]), job["attributes"])
        progress.advance("confirm", total - len(waiting))
        if not waiting:
            break
        pause = _FIRST_PAUSE if ended else min(pause * _GROWTH, _LONGEST_PAUSE)
        idle = 0.0 if ended else idle + pause
        if idle > _PATIENCE:
            raise DestinationError(
                f"{counted(len(waiting), 'job is', 'jobs are')} still being processed at Klaviyo.",
                code="jobs_still_processing",
                steps=("Run again later: the run goes on with these jobs and sends nothing twice.",),
            )
        client.budget.pause(pause, endpoint=GET_JOBS.name)
    return settler.outcome()


def _states(client: Client, waiting: dict[str, Part]) -> Iterator[Json]:
    """The jobs that we wait for, as they are now; what the newest pages do not show is asked for by id."""
    params = {"sort": "-created_at", "page[size]": str(PAGE)}
    missing = set(waiting)
    for seen, job in enumerate(client.pages(GET_JOBS, params=params), start=1):
        if job["id"] in missing:
            missing.discard(job["id"])
            yield job
        if not missing or seen >= PAGE * _MAX_PAGES:
            break
    for job_id in sorted(missing):
        try:
            yield client.call(GET_JOB, id=job_id).body["data"]
        except Refusal:
            # Records expire after seven days; what became of the rows can no longer be known.
            yield {"id": job_id, "attributes": {"status": "cancelled"}}


class _Settler:
    def __init__(self, client: Client, work: Work) -> None:
        self._client = client
        self._ledger: Ledger = work.ledger
        self._delta = DeltaFile(work.folder / "delta.arrow", ["key"])
        self._cancelled = self._unsure = self._uncounted = self._failed = 0

    def settle(self, part: Part, job: dict[str, Any]) -> None:
        """Write the end of one job down, its refused rows first."""
        if job["status"] == "cancelled":
            self._cancelled += part.rows
            self._ledger.mark(part, PartState.CANCELLED, job=part.job)
            return
        completed, failed = job.get("completed_count"), job.get("failed_count")
        told = None if completed is None or failed is None else completed + failed
        rejects = self._errors(part) if failed or told is None else []
        self._ledger.reject(rejects)
        self._failed += len(rejects)
        at_submit = self._ledger.rejected(PartKind.IMPORT, part.chunk, at_submit_only=True)
        sent = part.rows - sum(part.start <= row < part.stop for row in at_submit)
        state = PartState.COMPLETE
        if len(rejects) < (failed or 0):
            self._unsure += part.rows
            state = PartState.UNSURE
        elif told is not None and told < sent:
            self._uncounted += part.rows
            state = PartState.UNSURE
        self._ledger.mark(part, state, job=part.job)

    def _errors(self, part: Part) -> list[RowReject]:
        """Every page of a job's errors, mapped to rows: by the email of the payload, else by the pointer's index."""
        keys: list[str] = self._delta.chunk(part.chunk).column("key").to_pylist()
        gone = self._ledger.rejected(PartKind.IMPORT, part.chunk, at_submit_only=True)
        sent = [p for p in range(part.start, part.stop) if p not in gone]
        by_key = {keys[p]: p for p in sent}
        found: dict[int, RowReject] = {}
        params = {"page[size]": str(PAGE)}
        for item in self._client.pages(GET_JOB_ERRORS, id=part.job or "", params=params):
            error = item["attributes"]
            pointer = (error.get("source") or {}).get("pointer")
            position = _position(error.get("original_payload"), pointer, by_key, sent)
            if position is not None:
                problem = Problem(code=error.get("code", ""), detail=error.get("detail", ""), pointer=pointer, meta={})
                found[position] = row_reject(part, position, keys[position], problem, at_submit=False)
        return list(found.values())

    def outcome(self) -> Outcome:
        """What became of the rows, with a warning for each kind of loss."""
        warnings = []
        if self._cancelled:
            warnings.append(
                f"Klaviyo cancelled jobs with {counted(self._cancelled, 'row')}; they are sent again next time."
            )
        if self._unsure:
            warnings.append(
                f"Klaviyo did not say which of {counted(self._unsure, 'row')} failed; all of them are sent again next time."
            )
        if self._uncounted:
            warnings.append(
                f"Klaviyo completed jobs without all of their {counted(self._uncounted, 'row')}; "
                "all of them are sent again next time."
            )
        parts = self._ledger.parts(PartKind.IMPORT)
        complete = [p for p in parts if p.state is PartState.COMPLETE]
        done = sum(p.rows for p in complete) - sum(
            len([r for r in self._ledger.rejected(PartKind.IMPORT, p.chunk) if p.start <= r < p.stop]) for p in complete
        )
        return Outcome(done=done, failed=self._failed, warnings=tuple(warnings))


def _position(payload: Any, pointer: str | None, by_key: dict[str, int], sent: Sequence[int]) -> int | None:
    if isinstance(payload, dict):
        attributes = payload.get("attributes", payload)
        email = attributes.get("email") if isinstance(attributes, dict) else None
        if isinstance(email, str) and email.strip().lower() in by_key:
            return by_key[email.strip().lower()]
    index = pointed_row(pointer)
    return sent[index] if index is not None and index < len(sent) else None
