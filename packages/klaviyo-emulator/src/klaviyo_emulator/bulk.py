"""The rows of a bulk import job: checked when it is submitted, applied when it is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from klaviyo_emulator.errors import ApiError, Problem, invalid_problem
from klaviyo_emulator.jobs import Job
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.settings import Settings
from klaviyo_emulator.validation import MAX_PROFILE_BYTES, ProfileFault, holds_null, profile_fault, too_deep
from klaviyo_emulator.world import Account, World
from klaviyo_emulator.writing import DuplicateProfileError, NoIdentifierError, WriteMode, identifiers_of, match, write

ROWS_POINTER = "/data/attributes/profiles/data"
SLICE = 25
"""Rows between two turns of the event loop, under half a millisecond: a body of 4 MB arrives in sixty turns."""


class RowError(Exception):
    """One row fails alone."""

    def __init__(self, code: str, title: str, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.code, self.title, self.detail, self.where = code, title, detail, where


def row_fault(row: Any, settings: Settings) -> ProfileFault | None:
    """The first fault in the form of a row, or None."""
    fault = profile_fault(row)
    if fault is None and settings.bulk_nulls == "refuse" and (where := holds_null(row["attributes"])):
        return where, "This field may not be null."
    return fault


def refuse_malformed(rows: list[Any], settings: Settings) -> None:
    """Raise the 400 that refuses a whole job and names every malformed row, unless rows fail alone."""
    if settings.row_errors == "row":
        return
    problems: list[Problem] = []
    for at, row in enumerate(rows):
        if fault := row_fault(row, settings):
            where, detail = fault
            pointer = f"{ROWS_POINTER}/{at}{where}" if settings.error_pointers else None
            problems.append(invalid_problem(detail, pointer=pointer))
    if problems:
        raise ApiError(400, problems)


def process(world: World, account: Account, job: Job) -> Iterator[None]:
    """Apply the rows of a due job; yields between slices so that other requests get their turn."""
    job.status, job.started_at = "processing", job.started_at or max(job.start, job.created)
    rows = orjson.loads(job.body)["data"]["attributes"]["profiles"]["data"]
    settings, seen = world.settings, set[str]()
    mode = WriteMode(nulls="clear" if settings.bulk_nulls == "clear" else "ignore", unset=settings.bulk_unset)
    checked = settings.row_errors == "job"
    lists = [account.lists[key] for key in job.list_ids if key in account.lists]
    now = world.clock.now()
    for at, row in enumerate(rows):
        if at % SLICE == 0:
            yield
            if not job.open:
                return
            now = world.clock.now()
        if job.cancel_after is not None and at >= job.cancel_after:
            job.cancel_after = None
            job.cancel(now)
            return
        try:
            if not checked:
                _refuse(row, settings)
            profile = _apply(account, row, mode, seen, now)
        except RowError as error:
            job.failed += 1
            job.errors.append(_import_error(error, at, row))
            continue
        job.completed += 1
        if profile is None:
            continue
        job.profile_ids.append(profile.id)
        for group in lists:
            group.members.add(profile.id, now)
    job.status, job.completed_at, job.body = "complete", world.clock.now(), b""


def _refuse(row: Any, settings: Settings) -> None:
    if fault := row_fault(row, settings):
        raise RowError("invalid", "Invalid input.", fault[1], fault[0])


def _apply(account: Account, row: dict[str, Any], mode: WriteMode, seen: set[str], now: float) -> Profile | None:
    """Write one row; None when an earlier row of the job was about the same person, which drops this one."""
    attributes, meta = row["attributes"], row.get("meta")
    book = account.profiles
    known = None
    if profile_id := row.get("id"):
        known = book.by_id.get(profile_id)
        if known is None:
            raise RowError("not_found", "Not found.", f"A profile with id {profile_id} does not exist.", "/id")
    identifiers = identifiers_of(attributes)
    try:
        found = match(book, identifiers, known)
        if found is not None and found.id in seen:
            return None
        if len(orjson.dumps(row)) > MAX_PROFILE_BYTES:
            raise RowError("invalid", "Invalid input.", f"A profile takes at most {MAX_PROFILE_BYTES} bytes.")
        profile = write(book, found, attributes, meta, identifiers=identifiers, mode=mode, now=now)
    except DuplicateProfileError:
        detail = "The identifiers of this profile belong to different profiles."
        raise RowError("duplicate_profile", "Conflict.", detail, "/attributes") from None
    except NoIdentifierError:
        detail = "One of these identifiers is required: id, email, phone_number, external_id."
        raise RowError("invalid", "Invalid input.", detail, "/attributes") from None
    seen.add(profile.id)
    return profile


def _import_error(error: RowError, at: int, row: Any) -> dict[str, Any]:
    return {
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "source": {"pointer": f"{ROWS_POINTER}/{at}{error.where}"},
        "original_payload": row if isinstance(row, dict) and not too_deep(row) else None,
    }
