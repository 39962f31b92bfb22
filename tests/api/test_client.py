from __future__ import annotations

import subprocess
import sys

import duckdb
import httpx
import pytest

import segue
from segue.client import Refused
from segue.services.permissions import Scope

from .conftest import NAME


@pytest.fixture
def client(shop):
    with segue.Client(shop.url, token=shop.token(Scope.ADMIN)) as made:
        yield made


def test_a_run_from_plan_to_history(client, shop, emulator):
    plan = client.plan(NAME)
    assert (plan.added, [fuse.blown for fuse in plan.fuses]) == (2, [False] * len(plan.fuses))
    run = client.wait(client.start(NAME, plan_id=plan.id, key="once"))
    assert (run.status, run.counts["added"]) == ("completed", 2)
    assert set(emulator.admin.emails("People")) == {"ana@mail.shop", "bo@mail.shop"}
    assert client.start(NAME, plan_id=plan.id, key="once").run_id == run.run_id
    assert [found.run_id for found in client.runs(orchestration=NAME, page=1)] == [run.run_id]
    assert client.run(run.run_id) == run
    assert client.rejects(run.run_id).startswith('"row","key"')
    assert [entry.run_id for entry in client.history("bo@mail.shop")] == [run.run_id]
    assert client.requests() == run.requests
    assert client.test_credential("klaviyo").sound
    with pytest.raises(Refused) as caught:
        client.stop(run.run_id)
    assert (caught.value.status, caught.value.code) == (409, "run_over")


def test_the_history_says_what_a_first_send_unset(client, shop):
    with duckdb.connect(str(shop.folder / "shop.duckdb")) as connection:
        connection.execute("ALTER TABLE People ADD COLUMN tier VARCHAR")
    query = client.queries.get("People")
    client.queries.replace(query, {**query.entry, "sql": "SELECT email, tier FROM People"})
    client.wait(client.start(NAME))
    [entry] = client.history("bo@mail.shop")
    assert entry.unset == ("tier",)


def test_things_are_changed_as_they_were_read(client):
    query = client.queries.create({"name": "a/b", "database": "shop", "sql": "SELECT 1"})
    assert client.queries.get(query.id) == query
    changed = client.queries.replace(query, {"database": "shop", "sql": "SELECT 2"})
    assert changed.entry["sql"] == "SELECT 2"
    with pytest.raises(Refused) as caught:
        client.queries.delete(query)
    assert caught.value.code == "changed_meanwhile"
    client.queries.delete(changed)
    assert [thing.name for thing in client.queries.list()] == ["People"]
    kinds = (client.databases, client.credentials, client.destinations, client.data_templates, client.orchestrations)
    assert [len(kind.list()) for kind in kinds] == [1] * 5
    assert client.orchestration_groups.list() == ()


def test_a_preview_is_rows_by_name(client):
    assert client.preview("SELECT email FROM People ORDER BY 1", limit=1) == [{"email": "ana@mail.shop"}]
    with pytest.raises(Refused) as caught:
        client.preview("SELECT emial FROM People")
    assert caught.value.problem.column == 8


def test_a_wrong_token_is_refused(shop):
    with segue.Client(shop.url, token="sk_segue_wrong") as client, pytest.raises(Refused) as caught:
        list(client.runs())
    assert (caught.value.status, caught.value.code) == (401, "token_unknown")


def test_a_proxy_in_between_has_its_own_words():
    proxy = httpx.MockTransport(lambda request: httpx.Response(502, text="<html>bad gateway</html>"))
    with segue.Client("http://segue.test", token="x", transport=proxy) as client, pytest.raises(Refused) as caught:
        client.run("r")
    assert (caught.value.status, caught.value.code) == (502, "no_answer_of_segue")


def test_a_stream_that_breaks_is_taken_up_again():
    run: dict[str, object] = {
        "run_id": "r", "orchestration": "o", "kind": "sync", "started_by": "api", "plan_id": None, "undoes": None,
        "started_at": "2026-01-01T00:00:00Z", "ended_at": None, "seconds": None, "account_id": None,
        "list": {"id": None, "name": None, "created": False}, "counts": {}, "requests": {}, "warnings": [],
        "error": None, "tasks": [],
    }  # fmt: skip
    answers = []

    class Broken(httpx.SyncByteStream):
        def __iter__(self):
            yield event("running")
            raise httpx.RemoteProtocolError("the server went away")

    def event(status):
        text = httpx.Response(200, json={**run, "status": status}).text
        return f"event: run\ndata: {text}\n\n".encode()

    def answer(request):
        answers.append(request.url.path)
        return (
            httpx.Response(200, stream=Broken()) if len(answers) == 1 else httpx.Response(200, content=event("failed"))
        )

    with segue.Client("http://segue.test", token="x", transport=httpx.MockTransport(answer)) as client:
        assert [found.status for found in client.follow("r")] == ["running", "failed"]
    assert answers == ["/api/v1/runs/r/events"] * 2


def test_importing_segue_alone_loads_no_client():
    code = "import sys, segue; assert 'httpx' not in sys.modules; segue.Client; assert 'httpx' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError):
        _ = segue.Nothing
