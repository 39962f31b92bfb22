"""The real server, in a process of its own, beside a shop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import yaml

from segue.services.configuration import apply_files
from segue.services.workspace import Workspace, open_workspace
from segue.workflow.records import RunRecord, RunRecords
from tests.e2e.shop import Shop

T = TypeVar("T")
PATIENCE = 90.0
JOBS = "POST /api/profile-bulk-import-jobs"


def until(happened: Callable[[], T | bool | None], what: str = "it") -> T:
    """Wait for what another process does and of which there is no other sign."""
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.05)
    return found  # type: ignore[return-value]


class Server:
    """``segue serve``; standing once the constructor returns."""

    def __init__(self, shop: Shop, *arguments: str, command: str = "serve", **environment: str) -> None:
        port = () if "--port" in arguments or command == "worker" else ("--port", "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "segue.cli", command, *port, *arguments],
            env={**os.environ, **shop.environment, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        while line.startswith(("the web app is at", "the API is at")):
            line = self.process.stderr.readline()
        assert line.startswith(("serving", "working")), line + self.process.communicate(timeout=PATIENCE)[1]

    def died(self) -> int:
        """The exit code, once it has ended by itself."""
        code = self.process.wait(timeout=PATIENCE)
        self.end()
        return code

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@contextmanager
def serving(shop: Shop, *arguments: str, command: str = "serve", **environment: str) -> Iterator[Server]:
    server = Server(shop, *arguments, command=command, **environment)
    try:
        yield server
    finally:
        server.end()


@contextmanager
def opened(shop: Shop) -> Iterator[Workspace]:
    workspace = open_workspace(shop.settings)
    try:
        yield workspace
    finally:
        workspace.close()


def ended(workspace: Workspace, run_id: str) -> RunRecord:
    """The run, once nobody works on it."""
    records = RunRecords(workspace.catalog)
    until(lambda: records.get(run_id).status.ended, f"the end of run {run_id}")
    return records.get(run_id)


def orchestrations(shop: Shop, *names: str, key: str | None = None) -> None:
    """More orchestrations of the same query, each with a list of its name; key: of another account."""
    credential = f"key {key}" if key else "klaviyo"
    destination = f"Klaviyo {key}" if key else "Klaviyo"
    document = {
        "version": 1,
        "credentials": [
            {"name": credential, "type": "klaviyo", "api_key": key or shop.key, "base_url": shop.emulator.url}
        ],
        "destinations": [{"name": destination, "plugin": "klaviyo", "credential": credential}],
        "data_templates": [{"name": f"To {name}", "destination": destination, "list_name": name} for name in names],
        "orchestrations": [
            {
                "name": name,
                "query": "People",
                "destination": destination,
                "data_template": f"To {name}",
                "workflow": "manual",
            }
            for name in names
        ],
    }
    path = shop.folder / f"{names[0]}.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with opened(shop) as workspace:
        apply_files(workspace, [path], environ={})
