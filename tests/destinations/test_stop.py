"""A stop while a task waits leaves the ledger where a later start goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from segue.delivery.budget import Interrupted, RateBudget, Windows
from segue.delivery.ledger import Part, PartKind, PartState
from segue.delivery.progress import Progress, Quiet
from segue.destinations.contract import Outcome, Work
from segue.destinations.klaviyo.clears import clear
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.confirm import confirm
from segue.destinations.klaviyo.limits import LIMITS
from segue.destinations.klaviyo.members import remove
from segue.destinations.klaviyo.submit import send
from tests.delivery.memory_ledger import MemoryLedger
from tests.destinations.fake import BASE, KEY, delta_row, work

Task = Callable[[Client, Work, Progress], Outcome]


@pytest.mark.parametrize(
    ("task", "imported", "kind", "left"),
    [
        (send, PartState.PLANNED, PartKind.IMPORT, PartState.SENDING),
        (confirm, PartState.ACCEPTED, PartKind.IMPORT, PartState.ACCEPTED),
        (clear, PartState.COMPLETE, PartKind.CLEAR, PartState.PLANNED),
        (remove, PartState.COMPLETE, PartKind.REMOVE, PartState.PLANNED),
    ],
)
def test_a_stop_ends_a_task_that_waits_for_an_answer(
    tmp_path: Path, task: Task, imported: PartState, kind: PartKind, left: PartState
) -> None:
    ledger = MemoryLedger()
    part = Part(kind=PartKind.IMPORT, chunk=0, start=0, stop=1)
    ledger.plan([part])
    ledger.mark(part, imported, job="J0")
    some = work(tmp_path, [delta_row("a@b.io", slow=["title"])], ledger=ledger, leavers=["z@b.io"])
    budget = RateBudget(Windows(LIMITS, scale=0), pause=lambda _: False)
    away = httpx.MockTransport(lambda _: httpx.Response(503))
    client = Client(base_url=BASE, secret=KEY, budget=budget, transport=away)
    with pytest.raises(Interrupted):
        task(client, some, Quiet())
    assert [p.state for p in ledger.parts(kind)] == [left]
