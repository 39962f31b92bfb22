"""Fifty orchestrations over five accounts in one group, on one server, at Klaviyo's own limits.

``python -m examples.many`` (part of ``make soak``). Says how long it took, how much memory it needed, and whether each account's
limits held: an account that asked too often was answered with 429, and a list that differs from the query ends it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil
import yaml

from examples.sandbox import Sandbox, SandboxError, emulator
from klaviyo_emulator.admin_client import EmulatorAdmin

_SIGNAL = "loaded"
_LOOK = 5.0
"""Seconds between two looks at the runs, each a command of its own."""
_UNDER_WAY = {"waiting to start", "running", "stopping"}
_EVERY = 0.25
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """orchestrations are spread evenly over the accounts; each sends all rows to a list of its own."""

    orchestrations: int = 50
    accounts: int = 5
    rows: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """seconds: of the group; peak: resident memory of the server and its queries, bytes; refused: answers 429; jobs: bulk
    requests of the account with most of them; rows: that were sent."""

    seconds: float
    peak: int
    refused: int
    jobs: int
    rows: int


def many(size: Size, folder: Path, *, at_once: int = 5) -> Report:
    """Run the group once. Raises SandboxError where a run failed or a list is not the query."""
    with emulator(limit_scale=1) as url:
        place = Sandbox(folder=folder / "home", url=url)
        _prepare(place, folder, size)
        server = place.start("serve", "--port", "0", SEGUE_RUNS_AT_ONCE=str(at_once))
        started = time.perf_counter()
        try:
            with _memory(server.pid) as memory:
                place.captured("signal", _SIGNAL)
                _wait(place, server, size)
                seconds = time.perf_counter() - started
        finally:
            server.terminate()
            server.wait()
        jobs = _compare(place, size)
        statuses = [entry["statuses"] for entry in place.admin.requests()["endpoints"].values()]
        return Report(
            seconds=seconds,
            peak=memory[0],
            refused=sum(status.get("429", 0) for status in statuses),
            jobs=jobs,
            rows=size.orchestrations * size.rows,
        )


def _prepare(place: Sandbox, folder: Path, size: Size) -> None:
    database = folder / "people.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"""CREATE TABLE People AS SELECT 'p' || i || '@mail.shop' AS email, 'Ana' || i AS first_name,
            'Graz' AS city, i AS points FROM range({size.rows}) r(i)""")
    numbers, keys = range(size.orchestrations), range(size.accounts)
    for key in keys:
        place.admin.add_account(f"A{key}").add_key(f"pk_{key}")
    document = {
        "version": 1,
        "databases": [{"name": "shop", "engine": "duckdb", "path": str(database)}],
        "credentials": [
            {"name": f"key {key}", "type": "klaviyo", "api_key": f"pk_{key}", "base_url": place.url} for key in keys
        ],
        "queries": [
            {
                "name": "People",
                "database": "shop",
                "status": "active",
                "sql": "SELECT email, first_name, city, points FROM People",
            }
        ],
        "destinations": [{"name": f"Klaviyo {key}", "plugin": "klaviyo", "credential": f"key {key}"} for key in keys],
        "data_templates": [
            {
                "name": f"To {number}",
                "destination": _destination(number, size),
                "list_name": f"List {number}",
                "use_full_profile": True,
            }
            for number in numbers
        ],
        "orchestrations": [
            {
                "name": f"Sends {number}",
                "query": "People",
                "destination": _destination(number, size),
                "data_template": f"To {number}",
            }
            for number in numbers
        ],
        "orchestration_groups": [
            {
                "name": "Everything",
                "after_signal": _SIGNAL,
                "members": [{"orchestration": f"Sends {number}"} for number in numbers],
            }
        ],
    }
    path = folder / "many.yaml"
    path.write_text(yaml.safe_dump(document))
    place.captured("init")
    place.captured("apply", str(path))


def _wait(place: Sandbox, server: subprocess.Popen[str], size: Size) -> None:
    """Until every orchestration has had its run."""
    ended = 0
    while ended < size.orchestrations:
        if server.poll() is not None:
            raise SandboxError("the server ended")
        time.sleep(_LOOK)
        ended = sum(run["status"] not in _UNDER_WAY for run in _runs(place, size))


def _runs(place: Sandbox, size: Size) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(place.captured("runs", "--json", "--limit", str(size.orchestrations)))
    return runs


def _destination(number: int, size: Size) -> str:
    return f"Klaviyo {number % size.accounts}"


def _compare(place: Sandbox, size: Size) -> int:
    """Each list is the query, each run says so; returns the bulk requests of the account that had most."""
    runs = _runs(place, size)
    wrong = [run["run_id"] for run in runs if run["counts"].get("added") != size.rows or run["error"]]
    if len(runs) != size.orchestrations or wrong:
        raise SandboxError(f"{len(runs)} runs, of which these did not send every row: {wrong}")
    for number in range(size.orchestrations):
        admin = EmulatorAdmin(place.url, account=f"A{number % size.accounts}")
        members = len(admin.emails(f"List {number}"))
        if members != size.rows:
            raise SandboxError(f"List {number} has {members} members, the query {size.rows} rows")
    jobs = [len(EmulatorAdmin(place.url, account=f"A{key}").jobs()) for key in range(size.accounts)]
    return max(jobs)


@contextmanager
def _memory(pid: int) -> Iterator[list[int]]:
    """The largest resident memory of a process and its children; of pages that they share each counts its part."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            process = psutil.Process(pid)
            peak[0] = max(peak[0], sum(map(_resident, [process, *process.children(recursive=True)])))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    """Bytes; none of a process that has ended meanwhile."""
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run it and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orchestrations", type=int, default=Size().orchestrations)
    parser.add_argument("--accounts", type=int, default=Size().accounts)
    parser.add_argument("--rows", type=int, default=Size().rows)
    parser.add_argument("--at-once", type=int, default=5)
    chosen = parser.parse_args(arguments)
    size = Size(orchestrations=chosen.orchestrations, accounts=chosen.accounts, rows=chosen.rows)
    with tempfile.TemporaryDirectory(prefix="segue-many-") as folder:
        try:
            report = many(size, Path(folder), at_once=chosen.at_once)
        except (SandboxError, subprocess.SubprocessError) as error:
            print(f"failed: {error}", file=sys.stderr)
            return 1
    print(
        f"{size.orchestrations} orchestrations over {size.accounts} accounts: {report.rows:,} rows in {report.seconds:.0f} s"
    )
    print(f"memory of the server and its queries: at most {report.peak / 1e6:,.0f} MB")
    print(f"bulk requests of the busiest account: {report.jobs}; answers 429 of all: {report.refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
