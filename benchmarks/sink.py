"""A receiver that only reads: ``python -m benchmarks.sink [--windows]``.

It answers what a run needs to complete and keeps no profile, so that its own cost stays small. A bulk job is complete as soon as
it is accepted, with as many rows as its body had; every address that is looked up has an id. With ``--windows`` it keeps
Klaviyo's rate windows. ``GET /stats`` gives what it counted. It prints its URL and serves until it is terminated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

BUFFER = 1 << 20
PAGE = 100
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_ID = re.compile(r"(?<=/)(?:SINK|J|P)[0-9]*(?=/|$)")
_EMAILS = re.compile(r"any\(email,(\[.*\])\)")
_JOBS = "/api/profile-bulk-import-jobs"
CREATE_JOB = f"POST {_JOBS}"
_ROW = b'"type":"profile"'
"""What stands in a body once a row; inside a JSON string its quotes would be escaped."""
_STAMP = "2026-07-15T12:00:00+00:00"

WINDOWS = {
    CREATE_JOB: (10, 150),
    f"GET {_JOBS}": (10, 150),
    f"GET {_JOBS}/ID": (10, 150),
    f"GET {_JOBS}/ID/import-errors": (10, 150),
    "POST /api/lists": (10, 150),
    "DELETE /api/lists/ID/relationships/profiles": (10, 150),
    "GET /api/lists": (75, 750),
    "GET /api/lists/ID": (1, 15),
    "GET /api/lists/ID/profiles": (75, 750),
    "POST /api/profile-import": (75, 750),
    "GET /api/accounts": (1, 15),
}
"""Calls a second and a minute, as Klaviyo's OpenAPI document of revision 2026-07-15 has them."""


@dataclass
class _Window:
    """A fixed window that opens with its first call."""

    seconds: float
    calls: int
    opened: float = float("-inf")
    used: int = 0

    def wait(self, now: float) -> float:
        """Seconds until a call may pass, 0 when it may now."""
        if now >= self.opened + self.seconds:
            self.opened, self.used = now, 0
        return 0.0 if self.used < self.calls else self.opened + self.seconds - now


@dataclass
class Sink:
    """What the receiver knows: counters, and how many jobs there are. clock: seconds, for the windows."""

    windows: bool = False
    clock: Callable[[], float] = time.monotonic
    requests: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    received: int = 0
    jobs: list[int] = field(default_factory=list)
    """Rows of each accepted bulk job."""
    job_times: deque[float] = field(default_factory=deque)
    _open: dict[str, tuple[_Window, _Window]] = field(default_factory=dict)

    def answer(self, method: str, target: str, rows: int = 0) -> tuple[int, dict[str, Any] | None, float]:
        """Status, body and seconds to wait (a 429) of the answer to a request that has been read. rows: in its body."""
        url = urlsplit(target)
        if url.path == "/stats":
            return 200, self.stats(), 0.0
        endpoint = f"{method} {_ID.sub('ID', url.path)}"
        if wait := self._throttle(endpoint):
            self.throttled += 1
            return (
                429,
                {"errors": [{"id": "1", "code": "throttled", "title": "Throttled", "detail": "slow down"}]},
                wait,
            )
        self.requests[endpoint] += 1
        if endpoint == CREATE_JOB:
            self.jobs.append(rows)
            self.job_times.append(self.clock())
        return *self._body(endpoint, url.path, parse_qs(url.query)), 0.0

    def stats(self) -> dict[str, Any]:
        """What was counted. span: seconds from the first accepted bulk job to the last."""
        span = self.job_times[-1] - self.job_times[0] if self.job_times else 0.0
        return {
            "requests": dict(self.requests),
            "throttled": self.throttled,
            "bytes": self.received,
            "jobs": len(self.jobs),
            "rows": sum(self.jobs),
            "span": span,
        }

    def _throttle(self, endpoint: str) -> float:
        if not self.windows or endpoint not in WINDOWS:
            return 0.0
        burst, steady = WINDOWS[endpoint]
        both = self._open.setdefault(endpoint, (_Window(1.0, burst), _Window(60.0, steady)))
        now = self.clock()
        if wait := max(window.wait(now) for window in both):
            return wait
        for window in both:
            window.used += 1
        return 0.0

    def _body(self, endpoint: str, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any] | None]:
        match endpoint.split(" "):
            case ["POST", "/api/profile-bulk-import-jobs"]:
                return 202, {"data": self._job(len(self.jobs))}
            case ["GET", "/api/profile-bulk-import-jobs"]:
                return 200, self._newest(int(query.get("page[cursor]", ["0"])[0]))
            case ["GET", "/api/profile-bulk-import-jobs/ID"]:
                return 200, {"data": self._job(int(path.rpartition("/J")[2]))}
            case ["GET", "/api/lists/ID/profiles"]:
                return 200, {"data": _members(query), "links": {"next": None}}
            case ["GET", "/api/accounts"]:
                return 200, {"data": [{"type": "account", "id": "SINK1", "attributes": {}}]}
            case ["POST", "/api/lists"] | ["GET", "/api/lists/ID"]:
                named = {"name": "Bench", "created": _STAMP, "updated": _STAMP, "opt_in_process": "single_opt_in"}
                return 201 if endpoint == "POST /api/lists" else 200, {"data": _thing("list", "SINK1", named)}
            case ["POST", "/api/profile-import"]:
                return 200, {"data": _thing("profile", f"P{self.requests[endpoint]}", {})}
            case ["DELETE", _]:
                return 204, None
            case _:  # lists by name before there is one, errors of jobs that had none
                return 200, {"data": [], "links": {"next": None}}

    def _newest(self, skip: int) -> dict[str, Any]:
        last = len(self.jobs) - skip
        page = [self._job(number) for number in range(last, max(0, last - PAGE), -1)]
        more = f"http://sink{_JOBS}?page%5Bcursor%5D={skip + PAGE}" if last > PAGE else None
        return {"data": page, "links": {"next": more}}

    def _job(self, number: int) -> dict[str, Any]:
        rows = self.jobs[number - 1]
        counts = {"total_count": rows, "completed_count": rows, "failed_count": 0}
        times = {"created_at": _STAMP, "started_at": _STAMP, "completed_at": _STAMP, "expires_at": _STAMP}
        return _thing("profile-bulk-import-job", f"J{number}", {"status": "complete", **counts, **times})


def _thing(kind: str, name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "id": name, "attributes": attributes, "links": {"self": f"http://sink/{kind}/{name}"}}


def _members(query: dict[str, list[str]]) -> list[dict[str, Any]]:
    asked = _EMAILS.search(query.get("filter", [""])[0])
    emails: list[str] = json.loads(asked[1]) if asked else []
    return [_thing("profile", f"P{n}", {"email": email}) for n, email in enumerate(emails)]


class _Connection(asyncio.BufferedProtocol):
    """One keep-alive connection. The rows of a body are counted, and it is overwritten by the next piece of it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = memoryview(bytearray(BUFFER))
        self._head = bytearray()
        self._left = -1
        self._request = ("", "")
        self._rows, self._tail = 0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Always the same memory."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count what came, answer what is whole."""
        data = self._buffer[:nbytes]
        while data:
            if self._left < 0:
                data = self._read_head(data)
            if self._left < 0:
                return
            taken = min(len(data), self._left)
            self._left -= taken
            self._sink.received += taken
            self._count(data[:taken])
            data = data[taken:]
            if self._left == 0:
                self._left = -1
                self._answer()

    def _read_head(self, data: memoryview) -> memoryview:
        """Add to the head; what is behind its end. ``_left`` is the length of the body once the head is whole."""
        had = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n", max(0, had - 3))
        if end < 0:
            return data[:0]
        head = bytes(self._head[:end])
        self._head.clear()
        method, target, _ = head.partition(b"\r\n")[0].decode().split(" ")
        length = _LENGTH.search(head)
        self._request, self._left = (method, target), int(length[1]) if length else 0
        return data[end + 4 - had :]

    def _count(self, piece: memoryview) -> None:
        """Count the rows of a bulk body, those included that are cut by the border of two pieces."""
        if self._request != ("POST", _JOBS):
            return
        text = self._tail + piece
        self._rows += text.count(_ROW)
        self._tail = text[1 - len(_ROW) :]

    def _answer(self) -> None:
        status, body, wait = self._sink.answer(*self._request, self._rows)
        self._rows, self._tail = 0, b""
        content = b"" if body is None else json.dumps(body).encode()
        retry = f"retry-after: {max(1, round(wait + 0.5))}\r\n" if wait else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/vnd.api+json\r\n{retry}content-length: {len(content)}\r\n\r\n"
        self._transport.write(head.encode() + content)


async def serve(sink: Sink) -> asyncio.Server:
    """Listen on a free port of 127.0.0.1."""
    return await asyncio.get_running_loop().create_server(lambda: _Connection(sink), "127.0.0.1", 0)


async def _main(sink: Sink) -> None:
    server = await serve(sink)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description="A receiver that only reads.")
    _parser.add_argument("--windows", action="store_true", help="keep Klaviyo's rate windows")
    asyncio.run(_main(Sink(windows=_parser.parse_args().windows)))
