"""A job's end is read, and its errors are found in the rows: klaviyo-api.md, section 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.delivery.progress import Quiet
from segue.destinations.contract import Work
from segue.destinations.klaviyo.confirm import confirm
from segue.errors import DestinationError
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import JOBS, Fake, ok, refused, row, work

PEOPLE = [f"p{i}@shop.io" for i in range(6)]


def job(name: str, status: str, *, failed: int = 0) -> dict[str, Any]:
    """A job of six rows or fewer."""
    numbers = {"completed_count": 6 - failed, "failed_count": failed}
    return {"type": "profile-bulk-import-job", "id": name, "attributes": {"status": status, **numbers}}


def numbered(completed: int | None, failed: int | None) -> dict[str, Any]:
    attributes = {"status": "complete", "completed_count": completed, "failed_count": failed, "total_count": 6}
    return {"type": "profile-bulk-import-job", "id": "J0", "attributes": attributes}


def problem(pointer: str | None = None, email: str | None = None, *, nested: bool = False) -> dict[str, Any]:
    attributes = {"email": email, "first_name": "X"}
    payload = None if email is None else ({"type": "profile", "attributes": attributes} if nested else attributes)
    source = {"pointer": pointer} if pointer else None
    error = {"code": "invalid", "title": "t", "detail": "d", "source": source, "original_payload": payload}
    return {"type": "import-error", "id": "e", "attributes": error}


def waiting(folder: Path, *parts: tuple[int, int]) -> tuple[Work, MemoryLedger]:
    """One chunk of six people whose parts were accepted as jobs J0, J1, ..."""
    ledger = MemoryLedger()
    for number, (start, stop) in enumerate(parts or [(0, 6)]):
        part = Part(kind=PartKind.IMPORT, chunk=0, start=start, stop=stop)
        ledger.plan([part])
        ledger.mark(part, PartState.ACCEPTED, job=f"J{number}")
    return work(folder, PEOPLE, ledger=ledger), ledger


def state_of(ledger: MemoryLedger) -> list[PartState]:
    return [p.state for p in ledger.parts(PartKind.IMPORT)]


def refused_keys(ledger: MemoryLedger) -> list[str]:
    return [r.key for r in ledger.rejects()]


def test_one_call_polls_all_jobs_until_they_end(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path, (0, 2), (2, 4), (4, 6))
    fake.on(
        "GET",
        JOBS,
        ok([job("J2", "queued"), job("J1", "processing"), job("J0", "complete"), job("other", "queued")]),
        ok([job("J2", "processing"), job("J1", "complete")]),
        ok([job("J2", "complete")]),
    )
    outcome = confirm(fake.client(), some, Quiet())
    assert (outcome.done, outcome.failed, outcome.warnings) == (6, 0, ())
    assert state_of(ledger) == [PartState.COMPLETE] * 3
    assert len(fake.requests) == 3


@pytest.mark.parametrize("nested", [False, True])
def test_an_error_is_found_by_the_address_of_its_payload(fake: Fake, tmp_path: Path, nested: bool) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([job("J0", "complete", failed=1)]))
    # The pointer speaks of another row: the payload is the row itself and is believed.
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(row(0, "title"), " P3@Shop.io ", nested=nested)]))
    outcome = confirm(fake.client(), some, Quiet())
    [reject] = ledger.rejects()
    assert (reject.key, reject.position, reject.field, reject.at_submit) == (PEOPLE[3], 3, "title", False)
    assert (outcome.done, outcome.failed, state_of(ledger)) == (5, 1, [PartState.COMPLETE])


def test_a_pointer_counts_in_the_body_that_was_sent(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path, (0, 2), (2, 6))
    shed = RowReject(
        kind=PartKind.IMPORT, at_submit=True, chunk=0, position=2, key=PEOPLE[2], field="", reason="", detail=""
    )
    ledger.reject([shed])
    fake.on("GET", JOBS, ok([job("J0", "complete"), job("J1", "complete", failed=1)]))
    fake.on("GET", f"{JOBS}/J1/import-errors", ok([problem(row(1))]))
    confirm(fake.client(), some, Quiet())
    assert refused_keys(ledger) == [PEOPLE[2], PEOPLE[4]]


def test_a_second_reading_of_the_errors_finds_the_same_rows(fake: Fake, tmp_path: Path) -> None:
    """A crash between the rejects and the end of the part: pointers must not count the rejects themselves."""
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([job("J0", "complete", failed=2)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(row(1)), problem(row(4))]))
    confirm(fake.client(), some, Quiet())
    ledger.mark(ledger.parts(PartKind.IMPORT)[0], PartState.ACCEPTED, job="J0")
    confirm(fake.client(), some, Quiet())
    assert refused_keys(ledger) == [PEOPLE[1], PEOPLE[4]]


def test_every_page_of_errors_is_read(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([job("J0", "complete", failed=3)]))
    pages = [
        ok([problem(email=PEOPLE[0])], after="b"),
        ok([problem(email=PEOPLE[1])], after="c"),
        ok([problem(row(5))]),
    ]
    fake.on("GET", f"{JOBS}/J0/import-errors", *pages)
    outcome = confirm(fake.client(), some, Quiet())
    assert refused_keys(ledger) == [PEOPLE[0], PEOPLE[1], PEOPLE[5]]
    assert (outcome.done, outcome.failed) == (3, 3)


@pytest.mark.parametrize("errors", [[], [problem(email="who@else.io")], [problem(row(77))], [problem()]])
def test_more_failed_rows_than_named_ones_leave_the_part_unsure(
    fake: Fake, tmp_path: Path, errors: list[dict[str, Any]]
) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([job("J0", "complete", failed=2)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(email=PEOPLE[0]), *errors]))
    outcome = confirm(fake.client(), some, Quiet())
    assert (state_of(ledger), refused_keys(ledger)) == ([PartState.UNSURE], [PEOPLE[0]])
    assert outcome.done == 0
    assert "6 rows" in outcome.warnings[0]


def test_two_errors_of_one_row_are_one_reject(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([job("J0", "complete", failed=1)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(email=PEOPLE[0]), problem(email=PEOPLE[0])]))
    assert confirm(fake.client(), some, Quiet()).failed == 1
    assert state_of(ledger) == [PartState.COMPLETE]


def test_a_cancelled_job_ends_and_is_told(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path, (0, 2), (2, 6))
    fake.on("GET", JOBS, ok([job("J0", "complete"), job("J1", "cancelled")]))
    outcome = confirm(fake.client(), some, Quiet())
    assert state_of(ledger) == [PartState.COMPLETE, PartState.CANCELLED]
    assert (outcome.done, outcome.warnings) == (
        2,
        ("Klaviyo cancelled jobs with 4 rows; they are sent again next time.",),
    )


def test_a_job_that_the_pages_do_not_show_is_asked_for_and_an_expired_one_counts_as_cancelled(
    fake: Fake, tmp_path: Path
) -> None:
    some, ledger = waiting(tmp_path, (0, 2), (2, 6))
    fake.on("GET", JOBS, ok([job("other", "complete")]))
    fake.on("GET", f"{JOBS}/J0", ok(job("J0", "complete")))
    fake.on("GET", f"{JOBS}/J1", refused(404, code="not_found"))
    confirm(fake.client(), some, Quiet())
    assert state_of(ledger) == [PartState.COMPLETE, PartState.CANCELLED]


def test_hours_without_an_end_leave_the_jobs_for_a_later_run(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, lambda _: ok([job("J0", "processing")]))
    with pytest.raises(DestinationError) as failed:
        confirm(fake.client(), some, Quiet())
    assert (failed.value.code, state_of(ledger)) == ("jobs_still_processing", [PartState.ACCEPTED])
    assert sum(fake.waits) == pytest.approx(6 * 3600, rel=0.01)
    assert max(fake.waits) <= 15


def test_nothing_to_wait_for_makes_no_call(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path)
    ledger.mark(ledger.parts(PartKind.IMPORT)[0], PartState.COMPLETE, job="J0")
    assert confirm(fake.client(), some, Quiet()).done == 6
    assert fake.requests == []


def test_a_server_that_is_away_for_a_while_changes_nothing(fake: Fake, tmp_path: Path) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, httpx.Response(503), ok([job("J0", "complete")]))
    confirm(fake.client(), some, Quiet())
    assert state_of(ledger) == [PartState.COMPLETE]


@pytest.mark.parametrize(("completed", "failed"), [(5, 0), (0, 0), (4, 1)])
def test_a_job_that_does_not_account_for_its_rows_is_not_believed(
    fake: Fake, tmp_path: Path, completed: int, failed: int
) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([numbered(completed, failed)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(email=PEOPLE[0])]))
    outcome = confirm(fake.client(), some, Quiet())
    assert (state_of(ledger), outcome.done) == ([PartState.UNSURE], 0)
    assert "6 rows" in outcome.warnings[0]


@pytest.mark.parametrize(("completed", "failed"), [(6, 0), (5, 1)])
def test_rows_that_were_refused_at_once_are_not_missed(fake: Fake, tmp_path: Path, completed: int, failed: int) -> None:
    some, ledger = waiting(tmp_path)
    shed = RowReject(
        kind=PartKind.IMPORT, at_submit=True, chunk=0, position=2, key=PEOPLE[2], field="", reason="", detail=""
    )
    ledger.reject([shed])
    fake.on("GET", JOBS, ok([numbered(completed - 1, failed)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(email=PEOPLE[0])]))
    outcome = confirm(fake.client(), some, Quiet())
    assert (state_of(ledger), outcome.warnings) == ([PartState.COMPLETE], ())


@pytest.mark.parametrize(("completed", "failed"), [(None, None), (None, 0), (6, None)])
def test_a_job_without_numbers_is_asked_for_its_errors(
    fake: Fake, tmp_path: Path, completed: int | None, failed: int | None
) -> None:
    some, ledger = waiting(tmp_path)
    fake.on("GET", JOBS, ok([numbered(completed, failed)]))
    fake.on("GET", f"{JOBS}/J0/import-errors", ok([problem(email=PEOPLE[4])]))
    outcome = confirm(fake.client(), some, Quiet())
    assert (state_of(ledger), refused_keys(ledger)) == ([PartState.COMPLETE], [PEOPLE[4]])
    assert (outcome.done, outcome.failed) == (5, 1)
