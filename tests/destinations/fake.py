"""A transport that answers as a test says, and the work of a run written down by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from segue.audience.workbench import writing
from segue.delivery.budget import RateBudget, Windows
from segue.delivery.exchanges import Recorder
from segue.destinations.contract import Work
from segue.destinations.klaviyo.client import Client
from segue.destinations.klaviyo.limits import LIMITS
from tests.delivery.memory_ledger import MemoryLedger

KEY = "pk_test_0123456789"
BASE = "http://127.0.0.1:9"
Answer = Callable[[httpx.Request], httpx.Response]
JOBS = "/api/profile-bulk-import-jobs"
MEMBERS = "/api/lists/L1/profiles"
MEMBERSHIP = "/api/lists/L1/relationships/profiles"


class Fake:
    """Routes requests by method and path to answers; keeps what was asked. scale: multiplies the rate limits, 0 has none."""

    def __init__(self, *, scale: float = 0) -> None:
        self._scale = scale
        self.routes: dict[tuple[str, str], Answer] = {}
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
        return self.routes[request.method, request.url.path](request)

    def on(self, method: str, path: str, *answers: httpx.Response | Answer) -> None:
        """Give these answers one after the other, the last one for good."""
        left = list(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            with self._lock:
                now = left.pop(0) if len(left) > 1 else left[0]
            return now if isinstance(now, httpx.Response) else now(request)

        self.routes[method, path] = answer

    def asked(self, method: str, path: str) -> list[httpx.Request]:
        """The requests of one route, in order."""
        return [r for r in self.requests if (r.method, r.url.path) == (method, path)]

    def client(self, recorder: Recorder | None = None) -> Client:
        """A client that notes its waits and waits for nothing."""

        def pause(seconds: float) -> bool:
            self.waits.append(seconds)
            return True

        self.now = 0.0

        def waited(seconds: float) -> bool:
            self.now += seconds
            return pause(seconds)

        budget = RateBudget(Windows(LIMITS, scale=self._scale, clock=lambda: self.now), pause=waited)
        transport = httpx.MockTransport(self)
        return Client(base_url=BASE, secret=KEY, budget=budget, recorder=recorder, transport=transport)


def ok(data: Any = (), *, status: int = 200, after: str | None = None) -> httpx.Response:
    """A good answer; after: the cursor of the next page."""
    links = {"next": f"https://elsewhere.example/api/x?page%5Bcursor%5D={after}" if after else None}
    return httpx.Response(status, json={"data": data, "links": links})


def accepted(job: str) -> httpx.Response:
    return ok({"type": "profile-bulk-import-job", "id": job}, status=202)


def refused(
    status: int, *pointers: str | None, code: str = "invalid", detail: str = "no", **more: Any
) -> httpx.Response:
    """The error envelope of klaviyo-api.md, section 6.2."""
    problems = [
        {
            "id": "e",
            "status": status,
            "code": code,
            "title": "t",
            "detail": detail,
            "source": {"pointer": p} if p else {},
        }
        for p in pointers or (None,)
    ]
    return httpx.Response(status, json={"errors": problems}, **more)


def body(request: httpx.Request) -> Any:
    return orjson.loads(request.content)


def emails(request: httpx.Request) -> list[str]:
    """Whom a bulk body carries."""
    return [p["attributes"]["email"] for p in body(request)["data"]["attributes"]["profiles"]["data"]]


def row(pointer: int, field: str = "") -> str:
    return f"/data/attributes/profiles/data/{pointer}{'/attributes/' + field if field else ''}"


def profile(identifier: str, email: str | None, **attributes: Any) -> dict[str, Any]:
    return {"type": "profile", "id": identifier, "attributes": {"email": email, **attributes}}


def delta_row(
    key: str, *, slow: Sequence[str] = (), cleared: Sequence[str] = (), kind: int = 0, **attributes: Any
) -> dict[str, Any]:
    """A row of a delta."""
    names = lambda listed: orjson.dumps(list(listed)).decode() if listed else None  # noqa: E731
    payload = orjson.dumps({"email": key, **attributes}).decode()
    return {
        "row": 0, "key": key, "hash": "h", "fragment": f'{{"type":"profile","attributes":{payload}}},', "head": 31,
        "kind": kind, "changed": None, "cleared": names(cleared or slow), "slow": names(slow), "uncleared": None,
    }  # fmt: skip


SCHEMA = pa.schema(
    [("row", pa.int64()), ("key", pa.string()), ("hash", pa.string()), ("fragment", pa.string()), ("head", pa.int32())]
    + [("kind", pa.int8())]
    + [(name, pa.string()) for name in ("changed", "cleared", "slow", "uncleared")]
)


def work(
    folder: Path,
    *chunks: Sequence[dict[str, Any] | str],
    ledger: MemoryLedger | None = None,
    leavers: Sequence[str | tuple[str, str]] = (),
    wanted: Collection[str] = (),
) -> Work:
    """The staged work of a run. leavers: keys, or pairs of key and id; wanted: what the query still has."""
    with writing(folder / "delta.arrow", SCHEMA) as file:
        for chunk in chunks:
            rows = [delta_row(entry) if isinstance(entry, str) else entry for entry in chunk]
            file.write_batch(pa.RecordBatch.from_pylist(rows, SCHEMA))
    gone = [(entry, None) if isinstance(entry, str) else entry for entry in leavers]
    columns = {"key": [key for key, _ in gone], "id": [i for _, i in gone]}
    table = pa.table({n: pa.array(v, pa.string()) for n, v in columns.items()})
    pq.write_table(table, folder / "removes.parquet")
    return Work(
        folder=folder,
        list_id="L1",
        ledger=ledger or MemoryLedger(),
        still_wanted=lambda keys: frozenset(keys) & frozenset(wanted),
    )
