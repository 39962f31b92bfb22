"""Standard fields are cleared with explicit nulls, one call a person: klaviyo-api.md, section 1.4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.delivery.ledger import Part, PartKind, PartState, RowReject
from segue.delivery.progress import Quiet
from segue.destinations.contract import Work
from segue.destinations.klaviyo.clears import BATCH, clear
from segue.errors import DestinationError
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import Fake, body, delta_row, ok, refused, work

IMPORT = "/api/profile-import"


def by_email(request: httpx.Request) -> httpx.Response:
    return ok({"type": "profile", "id": "P-" + body(request)["data"]["attributes"]["email"]}, status=200)


def imported(
    folder: Path, rows: list[dict[str, Any]], *, state: PartState = PartState.COMPLETE
) -> tuple[Work, MemoryLedger]:
    """One chunk, imported in one part."""
    ledger = MemoryLedger()
    ledger.plan([Part(kind=PartKind.IMPORT, chunk=0, start=0, stop=len(rows), state=state)])
    return work(folder, rows, ledger=ledger), ledger


def cleared(fake: Fake) -> list[str]:
    return sorted(body(r)["data"]["attributes"]["email"] for r in fake.asked("POST", IMPORT))


def test_a_body_holds_the_key_and_the_nulls_and_nothing_else(fake: Fake, tmp_path: Path) -> None:
    row = delta_row("a@b.io", slow=["title", "city", "phone_number"], first_name="Ana", properties={"x": 1})
    some, ledger = imported(tmp_path, [row, delta_row("c@b.io", slow=["image"]), delta_row("d@b.io")])
    fake.on("POST", IMPORT, by_email)
    outcome = clear(fake.client(), some, Quiet())
    assert [body(r) for r in fake.requests] == [
        {
            "data": {
                "type": "profile",
                "attributes": {"email": "a@b.io", "title": None, "phone_number": None, "location": {"city": None}},
            }
        },
        {"data": {"type": "profile", "attributes": {"email": "c@b.io", "image": None}}},
    ]
    assert (outcome.done, outcome.failed, outcome.warnings) == (2, 0, ())
    assert ledger.ids == {"a@b.io": "P-a@b.io", "c@b.io": "P-c@b.io"}
    [part] = ledger.parts(PartKind.CLEAR)
    assert (part.start, part.stop, part.state) == (0, 2, PartState.COMPLETE)


@pytest.mark.parametrize("state", [s for s in PartState if s is not PartState.COMPLETE])
def test_only_people_whose_import_was_confirmed_are_touched(fake: Fake, tmp_path: Path, state: PartState) -> None:
    some, ledger = imported(tmp_path, [delta_row("a@b.io", slow=["title"])], state=state)
    assert clear(fake.client(), some, Quiet()).done == 0
    assert (fake.requests, list(ledger.parts(PartKind.CLEAR))) == ([], [])


def test_a_person_whose_row_was_refused_is_not_touched(fake: Fake, tmp_path: Path) -> None:
    some, ledger = imported(tmp_path, [delta_row(f"{name}@b.io", slow=["title"]) for name in "abc"])
    reject = RowReject(
        kind=PartKind.IMPORT, at_submit=False, chunk=0, position=1, key="", field="", reason="", detail=""
    )
    ledger.reject([reject])
    fake.on("POST", IMPORT, by_email)
    clear(fake.client(), some, Quiet())
    assert cleared(fake) == ["a@b.io", "c@b.io"]


@pytest.mark.parametrize("status", [400, 409])
def test_a_refused_clear_is_written_down_and_the_others_go_on(fake: Fake, tmp_path: Path, status: int) -> None:
    some, ledger = imported(tmp_path, [delta_row(f"{name}@b.io", slow=["title", "city"]) for name in "abc"])

    def answer(request: httpx.Request) -> httpx.Response:
        is_b = body(request)["data"]["attributes"]["email"] == "b@b.io"
        return refused(status, code="duplicate_profile", detail="taken") if is_b else by_email(request)

    fake.on("POST", IMPORT, answer)
    outcome = clear(fake.client(), some, Quiet())
    [reject] = ledger.rejects()
    assert (reject.kind, reject.position, reject.key, reject.field) == (PartKind.CLEAR, 1, "b@b.io", "title, city")
    assert (reject.reason, reject.detail) == ("duplicate_profile", "taken")
    assert (outcome.done, outcome.failed) == (3, 1)
    assert "1 profile." in outcome.warnings[0]


def test_a_second_start_repeats_only_unfinished_batches(fake: Fake, tmp_path: Path) -> None:
    rows = [delta_row(f"p{i:03d}@b.io", slow=["title"]) for i in range(BATCH + 3)]
    some, ledger = imported(tmp_path, rows)
    ledger.plan([Part(kind=PartKind.CLEAR, chunk=0, start=0, stop=BATCH, state=PartState.COMPLETE)])
    fake.on("POST", IMPORT, by_email)
    clear(fake.client(), some, Quiet())
    assert cleared(fake) == [f"p{i:03d}@b.io" for i in range(BATCH, BATCH + 3)]


def test_an_answer_of_another_kind_stops_the_clears(fake: Fake, tmp_path: Path) -> None:
    some, ledger = imported(tmp_path, [delta_row("a@b.io", slow=["title"])])
    fake.on("POST", IMPORT, refused(404))
    with pytest.raises(DestinationError):
        clear(fake.client(), some, Quiet())
    assert [p.state for p in ledger.parts(PartKind.CLEAR)] == [PartState.PLANNED]
