"""Speed and memory are promises too. Times are processor time of one thread, so a busy machine does not fail them."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import Any

import orjson
import pytest
from emulator_kit import HEADERS, row

from klaviyo_emulator.api import HANDLERS
from klaviyo_emulator.bulk import process
from klaviyo_emulator.gateway import Gateway
from klaviyo_emulator.jobs import Job
from klaviyo_emulator.operations import OPERATIONS, Routes
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import World


def body(count: int) -> bytes:
    """A bulk job with rows of about 400 bytes."""
    location = {"address1": "12 High Street", "city": "Graz", "region": "Styria", "zip": "8010", "country": "AT"}
    rows = [
        row(
            f"person{number}@shop.io",
            external_id=f"customer-{number}",
            first_name="Annabelle",
            last_name="Schmidt",
            organization="ACME GmbH",
            location=location,
            properties={"tier": "gold", "points": number, "product": "something long enough to fill a row"},
        )
        for number in range(count)
    ]
    return orjson.dumps({"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}})


def post(gateway: Gateway, content: bytes) -> int:
    """Send a job through the gateway without a network; the status."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/profile-bulk-import-jobs",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in HEADERS.items()],
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(gateway(scope, receive, send))
    return statuses[0]


def test_ten_thousand_rows_are_accepted_in_150_ms() -> None:
    content, world = body(10_000), World()
    assert len(content) > 3_500_000
    spent = []
    for _ in range(5):
        began = time.thread_time()
        assert post(Gateway(world, Worker(world)), content) == 202
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.15


def test_processing_gives_way_often() -> None:
    world = World()
    account = world.account()
    assert account is not None
    job = Job(id="j", created=0.0, due=0.0, total=10_000, body=body(10_000))
    turns = sum(1 for _ in process(world, account, job))
    assert (job.status, job.completed) == ("complete", 10_000)
    assert turns >= 400


def test_a_million_profiles_fit() -> None:
    """2.5 GB for 1M profiles is 2,500 bytes each, list membership included; half of that is what we hold ourselves to."""
    world, count = World(), 10_000
    account = world.account()
    assert account is not None
    job = Job(id="j", created=0.0, due=0.0, total=count, body=body(count))
    tracemalloc.start()
    try:
        for _ in process(world, account, job):
            pass
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(account.profiles) == count
    assert held / count < 1250


def test_every_operation_has_a_handler_and_is_found() -> None:
    assert {operation.name for operation in OPERATIONS} == set(HANDLERS)
    routes = Routes()
    for operation in OPERATIONS:
        found, values, known = routes.find(operation.method, operation.template.replace("{", "").replace("}", ""))
        assert (found, known) == (operation, True)
        assert len(values) == operation.template.count("{")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/lists/a/b", "/api/lists//profiles", "/api/profile-import/x"])
def test_paths_that_lead_nowhere(path: str) -> None:
    assert Routes().find("GET", path) == (None, (), False)
