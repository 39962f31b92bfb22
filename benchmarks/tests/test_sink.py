# ruff: noqa: D103 -- the name of a test says what it shows
"""The sink answers as Klaviyo's documents say, and keeps its windows."""

from __future__ import annotations

import asyncio
import json

from benchmarks.sink import CREATE_JOB, Sink, serve

JOBS = "/api/profile-bulk-import-jobs"


async def _exchange(sink: Sink, *pieces: bytes) -> bytes:
    """Send pieces one by one over one connection; what came back until all requests were answered."""
    server = await serve(sink)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


def _post(body: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (JOBS.encode(), len(body), body)


def test_a_body_in_pieces_is_counted_and_answered_once() -> None:
    sink = Sink()
    request = _post(b"x" * 3_000_000)
    answer = asyncio.run(_exchange(sink, request[:10], request[10:70], request[70:2_000_000], request[2_000_000:]))
    assert answer.startswith(b"HTTP/1.1 202")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["id"] == "J1"
    assert (sink.received, sink.requests[CREATE_JOB]) == (3_000_000, 1)


def test_requests_behind_each_other_are_all_answered() -> None:
    sink = Sink()
    answer = asyncio.run(_exchange(sink, _post(b"a") + b"GET /api/accounts HTTP/1.1\r\n\r\n" + _post(b"bc")))
    assert [line.split()[0] for line in answer.split(b"HTTP/1.1")[1:]] == [b"202", b"200", b"202"]
    assert (sink.received, sink.requests.total()) == (3, 3)


def test_newest_jobs_come_first_a_hundred_a_page() -> None:
    sink = Sink(jobs=[10_000] * 149 + [7])
    _, page, _ = sink.answer("GET", f"{JOBS}?sort=-created_at&page[size]=100")
    assert page is not None
    assert [job["id"] for job in page["data"]] == [f"J{n}" for n in range(150, 50, -1)]
    assert [job["attributes"]["completed_count"] for job in page["data"][:2]] == [7, 10_000]
    _, rest, _ = sink.answer("GET", page["links"]["next"])
    assert rest is not None
    assert [job["id"] for job in rest["data"]] == [f"J{n}" for n in range(50, 0, -1)]
    assert rest["links"]["next"] is None


def test_every_address_that_is_looked_up_has_an_id() -> None:
    _, found, _ = Sink().answer("GET", '/api/lists/SINK1/profiles?filter=any(email,["ana%2B1@shop.io","bo@shop.io"])')
    assert found is not None
    assert [one["attributes"]["email"] for one in found["data"]] == ["ana+1@shop.io", "bo@shop.io"]


def test_windows_are_those_of_the_documents() -> None:
    clock = [0.0]
    sink = Sink(windows=True, clock=lambda: clock[0])
    for number in range(150):
        clock[0] = number // 10  # ten calls in each second
        assert sink.answer("POST", JOBS)[0] == 202
    clock[0] = 15.0
    status, _, wait = sink.answer("POST", JOBS)
    assert (status, wait) == (429, 45.0)
    clock[0] = 60.0
    assert [sink.answer("POST", JOBS)[0] for _ in range(11)] == [202] * 10 + [429]
    assert sink.stats()["throttled"] == 2


def test_a_job_has_the_rows_of_its_body_wherever_it_is_cut() -> None:
    """A row's value may speak of rows: its quotes are escaped. The type of the job is no row."""
    row = b'{"type":"profile","attributes":{"email":"ana@shop.io","title":"\\"type\\":\\"profile\\""}}'
    body = (
        b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['
        + b",".join([row] * 3)
        + b"]}}}}"
    )
    request = _post(body)
    for cut in range(len(request) - len(body), len(request), 7):
        sink = Sink()
        asyncio.run(_exchange(sink, request[:cut], request[cut:]))
        assert sink.jobs == [3]
