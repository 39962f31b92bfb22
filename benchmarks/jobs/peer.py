"""What people write without Segue, from the same query to the same receiver. ``peer NAME DATABASE ROWS URL``.

    sdk-bulk     the official SDK's bulk import call, its models built from dicts, 10,000 rows a call
    sdk-one      the official SDK, one profile-import call a row
    stdlib-bulk  json.dumps and http.client, 10,000 rows a request

None of them checks rows, settles duplicates, compares, keeps a ledger or confirms. Prints JSON: seconds, cpu and rows.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import duckdb

from benchmarks.clock import Clock
from benchmarks.data import PROFILES

_LOCATION = ("address1", "city", "region", "zip", "country")
_OWN = ("external_id", "email", "first_name", "last_name", "phone_number", "organization", "locale")
Rows = list[dict[str, Any]]


def chunks(database: str, rows: int) -> Iterator[Rows]:
    """The query's rows as bodies of the API's form, 10,000 at a time, NULLs left out."""
    with duckdb.connect(database, read_only=True) as con:
        for batch in con.sql(f"{PROFILES} LIMIT {rows}").to_arrow_reader(10_000):
            yield [_profile(row) for row in batch.to_pylist()]


def _profile(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if value is not None}
    for name in ("birthdate", "customer_since"):
        if name in kept:
            kept[name] = kept[name].isoformat()
    attributes = {name: kept.pop(name) for name in _OWN if name in kept}
    attributes["location"] = {name: kept.pop(name) for name in _LOCATION if name in kept}
    attributes["properties"] = kept
    return {"type": "profile", "attributes": attributes}


def _job(profiles: Rows) -> dict[str, Any]:
    lists = {"lists": {"data": [{"type": "list", "id": "SINK1"}]}}
    job = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": profiles}}, "relationships": lists}
    return {"data": job}


def _sdk(url: str) -> Any:
    from klaviyo_api import KlaviyoAPI  # noqa: PLC0415 -- its import alone takes seconds

    return KlaviyoAPI(api_key="pk_bench", max_retries=1, test_host=url)


def sdk_bulk(url: str) -> Callable[[Rows], None]:
    """A job a chunk."""
    sdk = _sdk(url)
    return lambda profiles: sdk.Profiles.bulk_import_profiles(_job(profiles))


def sdk_one(url: str) -> Callable[[Rows], None]:
    """A call a row."""
    sdk = _sdk(url)

    def send(profiles: Rows) -> None:
        for profile in profiles:
            sdk.Profiles.create_or_update_profile({"data": profile})

    return send


def stdlib_bulk(url: str) -> Callable[[Rows], None]:
    """A request a chunk."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {
        "authorization": "Klaviyo-API-Key pk_bench",
        "revision": "2026-07-15",
        "content-type": "application/vnd.api+json",
    }

    def send(profiles: Rows) -> None:
        connection.request("POST", "/api/profile-bulk-import-jobs", json.dumps(_job(profiles)).encode(), headers)
        answer = connection.getresponse()
        assert answer.status == 202
        answer.read()

    return send


PEERS = {"sdk-bulk": sdk_bulk, "sdk-one": sdk_one, "stdlib-bulk": stdlib_bulk}


def main(name: str, database: str, rows: str, url: str) -> None:
    """Time from the query's start to the last answer; imports and set-up are not counted."""
    send = PEERS[name](url)
    clock, done = Clock(), 0
    for profiles in chunks(database, int(rows)):
        send(profiles)
        done += len(profiles)
    print(json.dumps({**clock.read(), "rows": done}))


if __name__ == "__main__":
    main(*sys.argv[1:])
