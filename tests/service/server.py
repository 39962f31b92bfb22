"""The real server, in a process of its own, beside a shop."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import yaml

from segue.services.configuration import apply_files
from segue.services.workspace import Workspace, open_workspace
from segue.workflow.records import RunRecord, RunRecords
from tests.e2e.shop import Shop
from tests.service.child import LOADED, segue

T = TypeVar("T")
PATIENCE = 90.0
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(LOADED)
JOBS = "POST /api/profile-bulk-import-jobs"


def until(happened: Callable[[], T | bool | None], what: str = "it") -> T:
    """Wait for what another process does and of which there is no other sign."""
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.05)
    return found  # type: ignore[return-value]


class Server:
    """``segue serve``, or another command that stays; standing once the constructor returns."""

    def __init__(self, shop: Shop, *arguments: str, command: str = "serve", **environment: str) -> None:
        port = () if "--port" in arguments or command == "worker" else ("--port", "0")
        self._log = shop.folder / f"{command}-{secrets.token_hex(4)}.log"
        self._log.touch()
        self._process = _FORKED.Process(
            target=segue,
            args=((command, *port, *arguments), {**os.environ, **shop.environment, **environment}, str(self._log)),
            daemon=True,
        )
        self._process.start()
        until(lambda: self._stands() or self._process.exitcode is not None, f"the start of {command}")
        assert self._stands(), self._log.read_text()

    def _stands(self) -> bool:
        return any(line.startswith(("serving", "working")) for line in self._log.read_text().splitlines())

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def died(self) -> int:
        """The exit code, once it has ended by itself."""
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "it did not end in time"
        return self._process.exitcode

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self._process.is_alive():
            self.send(number)
        return self.died()


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
