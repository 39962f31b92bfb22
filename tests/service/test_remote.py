"""The command line over a server: the same commands, the same answers, and Klaviyo in the same state."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.cli.access import ANYWHERE, COMMANDS
from segue.cli.main import run
from segue.client import Client, Refused
from segue.services.configuration import apply_files
from segue.services.permissions import Scope
from segue.services.tokens import create_token, revoke_token
from segue.workflow.records import RunRecords
from segue.workflow.requests import request_run
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, Server, ended, opened, orchestrations, until
from tests.starts import segue

OTHER = "Other people"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Far:
    """A shop whose server works, and a command line that knows its address and a token, and nothing of the workspace."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.shop = shop
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.servers: list[Server] = []
        with opened(shop) as workspace:
            self.token = create_token(workspace, "far", [Scope.ADMIN], days=1)[1].reveal()
        for name in ("SEGUE_HOME", "SEGUE_SERVER", "SEGUE_TOKEN", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SEGUE_RATE_SCALE", "0")

    def serve(self) -> Server:
        self.servers.append(Server(self.shop, "--port", str(self.port), "--no-web"))
        return self.servers[-1]

    def environment(self, token: str | None = None) -> dict[str, str]:
        return {
            "SEGUE_HOME": str(self.shop.folder / "nowhere"),
            "SEGUE_SERVER": self.url,
            "SEGUE_TOKEN": token or self.token,
        }

    def there(self, *arguments: str, token: str | None = None) -> Said:
        """Over the server."""
        return self._said(arguments, self.environment(token))

    def here(self, *arguments: str) -> Said:
        """In the workspace."""
        return self._said(arguments, self.shop.environment)

    def _said(self, arguments: tuple[str, ...], environment: dict[str, str]) -> Said:
        with self._monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            code = run(arguments)
        captured = self._capsys.readouterr()
        return Said(code=code, out=captured.out, err=captured.err)


@pytest.fixture
def far(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Far]:
    made = Far(shop, monkeypatch, capsys)
    yield made
    for server in made.servers:
        server.end()


def some_people(shop: Shop) -> None:
    """A hundred, one of whom cannot be sent."""
    shop.generate(99)
    shop.change("INSERT INTO People (email, points) VALUES ('nobody', 7)")


def test_a_run_over_a_server_is_as_one_here(far: Far) -> None:
    shop = far.shop
    some_people(shop)
    orchestrations(shop, OTHER)
    near = far.here("run", OTHER, "--json")
    far.serve()
    plan = far.there("plan", NAME, "--json")
    assert (plan.json["added"], plan.json["rejected"]) == (99, 1)
    distant = far.there("run", NAME, "--json", "--plan", plan.json["id"])
    assert (near.code, distant.code) == (3, 3)
    assert list(near.json) == list(distant.json)
    same = {"kind", "status", "resumed", "counts", "requests", "warnings", "error"}
    # Only the first run of an account has a list to look for, and only this one had a plan.
    assert {k: v for k, v in near.json.items() if k in same} == {k: v for k, v in distant.json.items() if k in same}
    assert distant.json["plan_id"] == plan.json["id"]
    assert shop.members() == shop.members(OTHER) == {f"p{i}@mail.shop" for i in range(99)}
    with opened(shop) as workspace:
        assert RunRecords(workspace.catalog).get(distant.json["run_id"]).started_by == "api"


def test_what_is_looked_at_is_the_same_here_and_there(far: Far) -> None:
    shop = far.shop
    some_people(shop)
    far.serve()
    first = far.there("run", NAME)
    assert first.code == 3
    assert "query: 100 source\nvalidate: done\ncompare: 99 added\n" in first.err
    shop.change("UPDATE People SET tier = 'silver' WHERE points = 3")
    far.there("run", NAME)
    run_id = far.there("runs", "--limit", "1", "--json").json[0]["run_id"]
    assert f"Run {run_id}: completed" in far.there("show", run_id).out
    for command in (
        ("plan", NAME, "--json"),
        ("runs", "--json"),
        ("runs",),
        ("runs", "--orchestration", NAME, "--limit", "1", "--json"),
        ("show", run_id, "--json"),
        ("rejects", run_id, "--json"),
        ("requests", run_id),
        ("requests", run_id, "--json"),
        ("rejects", run_id, "--csv", "-"),
        ("rejects", run_id, "--csv", "-", "--limit", "0"),
        ("history", "p3@mail.shop", "--json"),
        ("history", "p3@mail.shop"),
        ("test-connection", "klaviyo", "--json"),
        ("activity", "--json"),
        ("groups", "--json"),
    ):
        near, distant = far.here(*command), far.there(*command)
        assert (near.code, near.out) == (distant.code, distant.out), command
        assert distant.code == 0, distant.err
    changed = far.there("history", "p3@mail.shop", "--json").json[0]
    assert (changed["actions"], changed["changed"]) == (["changed"], ["tier"])
    assert far.there("rejects", run_id, "--csv", "-").err == "1 reject\n"


def test_what_goes_wrong_is_told_the_same_here_and_there(far: Far) -> None:
    far.shop.generate(5)
    far.serve()
    done = far.there("run", NAME, "--json").json
    for command in (
        ("run", "Poeple to Klaviyo", "--json"),
        ("run", NAME, "--allow", "nothing", "--json"),
        ("plan", "Poeple to Klaviyo"),
        ("show", "none"),
        ("stop", done["run_id"]),
        ("runs", "--orchestration", "none"),
        ("resolve", done["run_id"]),
        ("resolve", done["run_id"], "--with", "retry"),
        ("undo", "none"),
        ("test-connection", "klavyo"),
        ("group", "run", "none"),
        ("signal", " "),
        ("query", "run", "none"),
        ("query", "preview", "--sql", "SELECT emial\nFROM People"),
    ):
        near, distant = far.here(*command), far.there(*command)
        assert (near.code, near.out, near.err) == (distant.code, distant.out, distant.err), command
        assert near.code in (1, 2)


def test_a_failed_run_is_resolved_and_undone_over_a_server(far: Far) -> None:
    shop = far.shop
    shop.generate(100)
    far.serve()
    assert far.there("run", NAME, "--yes").code == 0
    shop.change("DELETE FROM People WHERE points < 90")
    blown = far.there("run", NAME, "--json")
    assert (blown.code, blown.json["error"]["code"]) == (1, "fuse_blown")
    run_id = blown.json["run_id"]
    assert far.there("resolve", run_id, "--json").json == far.here("resolve", run_id, "--json").json
    assert far.there("resolve", run_id).out == far.here("resolve", run_id).out
    resolved = far.there("resolve", run_id, "--with", "allow_fuse", "--json")
    assert (resolved.code, resolved.json["run_id"], resolved.json["resumed"]) == (0, run_id, True)
    assert shop.members() == {f"p{i}@mail.shop" for i in range(90, 100)}
    undone = far.there("undo", run_id, "--json")
    assert (undone.code, undone.json["kind"]) == (0, "undo")
    assert len(shop.members()) == 100


def test_an_unfinished_run_is_finished_over_a_server(far: Far) -> None:
    shop = far.shop
    shop.generate(20)
    shop.admin.fault("status", JOBS, status=401, count=1)
    assert far.here("run", NAME, "--json").json["status"] == "failed"
    far.serve()
    done = far.there("run", NAME, "--json")
    assert (done.code, done.json["resumed"], done.json["counts"]["added"]) == (0, True, 20)
    assert len(shop.members()) == 20


def test_beside_a_server_a_resolution_is_left_to_it(far: Far) -> None:
    shop = far.shop
    shop.generate(20)
    shop.admin.fault("status", JOBS, status=401, count=1)
    run_id = far.here("run", NAME, "--json").json["run_id"]
    far.serve()
    done = far.here("resolve", run_id, "--with", "retry", "--json")
    assert (done.code, done.json["run_id"]) == (0, run_id), done.err
    assert len(shop.members()) == 20
    with opened(shop) as workspace:
        record = RunRecords(workspace.catalog).get(run_id)
    assert record.worker_id is not None


def test_ctrl_c_stops_a_run_of_the_server(far: Far) -> None:
    shop = far.shop
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    far.serve()
    process = subprocess.Popen(
        [*segue(), "run", NAME, "--json"],
        env={**os.environ, **far.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(shop.admin.jobs, "the first job")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "stopped"
    assert "press Ctrl-C again to leave the run to the server" in err


def test_a_run_is_stopped_over_a_server(far: Far) -> None:
    shop = far.shop
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    far.serve()
    with opened(shop) as workspace:
        run_id = request_run(workspace, NAME).run.id
        until(shop.admin.jobs, "the first job")
        assert re.fullmatch(rf"run {run_id}: stop(ping|ped)\n", far.there("stop", run_id).out)
        assert ended(workspace, run_id).status == "stopped"


@pytest.mark.parametrize("second", ["refuse", "wait"])
def test_a_second_run_over_a_server_waits_or_is_refused_as_the_server_is_set(far: Far, second: str) -> None:
    shop = far.shop
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    shop.environment["SEGUE_SECOND_RUN"] = second
    far.serve()
    with opened(shop) as workspace, Client(far.url, token=far.token) as client:
        first = client.start(NAME)
        until(shop.admin.jobs, "the first job")
        if second == "refuse":
            with pytest.raises(Refused, match="run_under_way"):
                client.start(NAME)
            return
        other = client.start(NAME)
        assert (other.status, other.resumed) == ("waiting to start", False)
        shop.admin.settings(job_delay=0)
        shop.admin.advance(3600)
        shop.admin.settle()
        assert ended(workspace, first.run_id).counts["added"] == 10
        assert ended(workspace, other.run_id).counts["unchanged"] == 10


def test_a_run_goes_on_when_the_connection_is_lost(far: Far) -> None:
    shop = far.shop
    shop.generate(10)
    shop.admin.settings(job_delay=3600)
    server = far.serve()
    process = subprocess.Popen(
        [*segue(), "run", NAME],
        env={**os.environ, **far.environment()},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(shop.admin.jobs, "the first job")
        server.end(signal.SIGKILL)
        _, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert (process.returncode, f"Nobody answers at {far.url}. [server_unreachable]" in err) == (1, True), err
    shop.admin.settings(job_delay=0)
    shop.admin.advance(3600)
    far.serve()
    with opened(shop) as workspace:
        assert ended(workspace, RunRecords(workspace.catalog).recent()[0].id).status == "completed"
    assert len(shop.members()) == 10


def test_rows_of_queries_are_the_same_here_and_there(far: Far) -> None:
    far.shop.generate(3)
    far.serve()
    odd = (
        "SELECT 'a\"b\nc' AS text, CAST(NULL AS varchar) AS text, 1e-07 AS tiny, DECIMAL '1.50' AS money, true AS yes, "
        "DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05' AS moment, ARRAY[1, 2] AS many FROM People"
    )
    seconds = re.compile(r'"seconds": [0-9.]+')
    for command in (
        ("query", "run", "People"),
        ("query", "run", "People", "--json", "--limit", "2"),
        ("query", "run", "People", "--csv", "-"),
        ("query", "preview", "--sql", odd),
        ("query", "preview", "--sql", odd, "--json", "--database", "shop"),
        ("query", "preview", "--sql", odd, "--csv", "-"),
    ):
        near, distant = far.here(*command), far.there(*command)
        assert seconds.sub("", near.out) == seconds.sub("", distant.out), command
        assert near.err.split(" in ")[0] == distant.err.split(" in ")[0]
        assert distant.code == 0, distant.err
    assert far.there("query", "preview", "--sql", odd, "--csv", "-").err.startswith("3 rows in ")
    many = far.there("query", "run", "People", "--limit", "10001")
    assert (many.code, "[too_many_rows]" in many.err) == (2, True)
    far.shop.generate(10_001)
    assert "there may be more" in far.there("query", "run", "People", "--csv", os.devnull).err


def test_groups_signals_and_activity_over_a_server(far: Far) -> None:
    shop = far.shop
    shop.generate(5)
    group = {
        "name": "Morning",
        "enabled": False,
        "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Vienna"},
        "after_signal": "loaded",
        "offset": "10m",
        "members": [{"orchestration": NAME}],
    }
    path = shop.folder / "groups.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "orchestration_groups": [group]}), encoding="utf-8")
    with opened(shop) as workspace:
        apply_files(workspace, [path], environ={})
    far.serve()
    done = far.there("group", "run", "Morning", "--json")
    assert (done.code, done.json["status"]) == (0, "completed")
    assert len(shop.members()) == 5
    near, distant = far.here("groups", "--json").json, far.there("groups", "--json").json
    assert near["groups"] == distant["groups"]
    assert near["groups"][0]["schedule"]["words"] == "At 06:00 every day"
    assert near["groups"][0]["last"] == done.json
    assert far.here("groups").out.splitlines()[:-1] == far.there("groups").out.splitlines()[:-1]
    assert far.there("signal", "loaded").out == far.here("signal", "loaded").out
    assert "completed" in far.there("activity").out
    # Shown, and so seen.
    assert far.there("activity", "--unseen", "--json").json == []


def test_who_may_not_is_told_what_is_missing(far: Far) -> None:
    far.serve()
    with opened(far.shop) as workspace:
        reads = create_token(workspace, "reader", [Scope.READ], days=1)[1].reveal()
        gone = create_token(workspace, "gone", [Scope.RUN], days=1)[1].reveal()
        revoke_token(workspace, "gone")
    assert far.there("runs", token=reads).code == 0
    for token, code, step in (
        ("sk_segue_wrong", "token_unknown", "segue token create NAME"),
        (gone, "token_revoked", "segue token create NAME"),
        (reads, "not_permitted", "segue token create NAME --scope run"),
    ):
        refused = far.there("run", NAME, "--yes", token=token)
        assert (refused.code, f"[{code}]" in refused.err, step in refused.err) == (1, True, True), refused.err
        assert token not in refused.err


def test_an_address_that_leads_nowhere_is_told(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = far.there("runs")
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err.startswith(f"error: Nobody answers at {far.url}. [server_unreachable]\n")
    assert "`segue serve` works there" in nobody.err
    monkeypatch.setenv("SEGUE_TOKEN", "x")
    foreign = far._said(("--server", far.shop.emulator.url, "runs"), {})
    assert (foreign.code, "[no_answer_of_segue]" in foreign.err) == (1, True)
    monkeypatch.delenv("SEGUE_TOKEN")
    tokenless = far._said(("--server", far.url, "runs"), {})
    assert (tokenless.code, "[token_needed]" in tokenless.err) == (2, True)
    for bad in ("localhost:8321", "http://", "ftp://x", "http://x/api", "http://me:secret@x"):
        refused = far._said(("--server", bad, "runs"), {})
        assert (refused.code, "takes the address of a server" in refused.err) == (2, True)
        assert "secret" not in refused.err


def test_what_works_on_the_workspace_says_so(far: Far) -> None:
    local = {name for name in COMMANDS if name not in ANYWHERE}
    assert {"init", "apply", "export", "serve", "worker", "gc", "token create"} <= local
    file = far.shop.folder / "segue.yaml"
    for command in (("init",), ("apply", str(file)), ("export",), ("serve", "--port", "0"), ("token", "list")):
        refused = far.there(*command)
        assert (refused.code, "[local_only]" in refused.err) == (2, True), refused.err
        assert far.url in refused.err
    assert not Path(far.environment()["SEGUE_HOME"]).exists()
    assert far.there("query", "functions", "date_diff").code == 0
