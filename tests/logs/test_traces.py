"""Traces of real runs, as a receiver of OTLP gets them."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from segue.workflow.requests import request_run
from segue.workflow.tasks import TASKS
from tests.e2e.shop import NAME, Shop
from tests.service.server import JOBS, ended, opened, serving

ERROR, CLIENT = 2, 3  # the numbers of OTLP


class Receiver:
    """Takes what is sent to ``/v1/traces``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.raw: list[bytes] = []

    @property
    def spans(self) -> list[Any]:
        found = []
        for body in self.raw:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {a.key: a.value.string_value for a in resource.resource.attributes}
                assert names["service.name"] == "segue of the test"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            taken.raw.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def asked(receiver: Receiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_SERVICE_NAME": "segue of the test"}


def noted(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def test_a_run_is_a_tree_of_tasks_and_requests_without_peoples_data(shop: Shop, receiver: Receiver) -> None:
    shop.generate(25)
    shop.admin.fault("status", JOBS, status=503, count=1)
    done = shop.command("run", NAME, "--json", SEGUE_CHUNK_ROWS="10", **asked(receiver))
    assert done.returncode == 0, done.stderr
    assert len(shop.members()) == 25
    spans = receiver.spans
    [run] = [span for span in spans if not span.parent_span_id]
    assert (run.name, run.status.code) == ("run", 0)
    about = noted(run)
    assert (about["segue.run.status"], about["segue.rows.added"], about["segue.run.kind"]) == ("completed", 25, "sync")
    assert about["segue.run.id"] in done.stdout
    tasks = {span.name: span for span in spans if span.parent_span_id == run.span_id and span.name.startswith("task ")}
    assert list(tasks) == [f"task {name}" for name, _ in TASKS]
    assert {noted(span)["segue.task.status"] for span in tasks.values()} == {"succeeded"}
    assert noted(tasks["task query"])["segue.rows.added"] == 25
    assert noted(tasks["task send"])["segue.task.attempt"] == 1
    jobs = [span for span in spans if span.name == JOBS]
    assert {span.parent_span_id for span in jobs} == {tasks["task send"].span_id}
    assert {span.kind for span in jobs} == {CLIENT}
    sent = sorted(
        (noted(s)["http.response.status_code"], noted(s)["segue.attempt"], noted(s)["segue.rows"]) for s in jobs
    )
    # Three chunks; one was refused once and sent again.
    assert [(status, attempt) for status, attempt, _ in sent] == [(202, 1), (202, 1), (202, 2), (503, 1)]
    assert sum(rows for status, _, rows in sent if status == 202) == 25
    assert [span.status.code for span in jobs if noted(span)["http.response.status_code"] == 503] == [ERROR]
    assert len({span.trace_id for span in spans}) == 1
    known = {span.span_id for span in spans}
    assert all(span.parent_span_id in known for span in spans if span is not run)
    for body in receiver.raw:
        for mark in (b"mail.shop", b"Ana", b"Graz", shop.key.encode()):
            assert mark not in body


def test_what_failed_has_its_code(shop: Shop, receiver: Receiver) -> None:
    done = shop.command("run", NAME, "--json", **asked(receiver))
    assert done.returncode == 1
    failed = {span.name: span.status.message for span in receiver.spans if span.status.code == ERROR}
    assert failed == {"task fuses": "fuse_blown", "run": "fuse_blown"}


def test_a_server_sends_the_traces_of_its_runs(shop: Shop, receiver: Receiver) -> None:
    shop.generate(10)
    with serving(shop, **asked(receiver)), opened(shop) as workspace:
        run = ended(workspace, request_run(workspace, NAME).run.id)
        assert run.error is None
    spans = receiver.spans
    [root] = [span for span in spans if span.name == "run"]
    assert noted(root)["segue.run.id"] == run.id
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert JOBS in {span.name for span in spans}


@pytest.mark.parametrize(
    "environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}]
)
def test_nothing_is_loaded_where_nobody_asks(shop: Shop, environment: dict[str, str]) -> None:
    shop.generate(3)
    code = f"""import sys
from segue.cli.main import run
assert run(["run", "{NAME}", "--yes"]) == 0
print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf", "requests"))))"""
    out = in_python(shop, code, environment)
    assert out.stdout.splitlines()[-1] == "[]"


def test_without_the_extra_a_run_says_so_and_works(shop: Shop) -> None:
    shop.generate(3)
    code = f"""import sys
sys.modules["opentelemetry"] = None  # as if it was not installed
from segue.cli.main import run
assert run(["run", "{NAME}", "--yes"]) == 0"""
    out = in_python(shop, code, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert out.stderr.count("pip install 'segue[otel]'") == 1
    assert len(shop.members()) == 3


def in_python(shop: Shop, code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **shop.environment, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
