from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from segue.catalog.runs import Run
from segue.scheduling import Cause
from segue.scheduling.records import new_run
from segue.services.permissions import Scope

from .conftest import NAME

DASHBOARD = Path(__file__).parents[2] / "examples/grafana/segue.json"


def samples(office):
    text = office.call("GET", "/metrics", scope=Scope.READ).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_runs_rows_requests_and_seconds_are_counted(shop):
    run = shop.run()
    found = samples(shop)
    assert found["segue_runs", (("status", "completed"),)] == 1
    assert found["segue_rows", (("outcome", "added"),)] == 2
    for endpoint, calls in run["requests"].items():
        assert found["segue_destination_requests", (("endpoint", endpoint),)] == calls
    of = ("orchestration", NAME)
    assert found["segue_last_run_seconds", (of,)] == found["segue_run_seconds", ()] == run["seconds"]
    assert found["segue_runs_ended", ()] == 1
    assert found["segue_last_run_rows", (of, ("outcome", "added"))] == 2
    assert found["segue_last_success_timestamp_seconds", (of,)] == found["segue_last_run_timestamp_seconds", (of,)]


def test_calls_are_counted_by_what_was_answered(shop, emulator):
    jobs = ("endpoint", "POST /api/profile-bulk-import-jobs")

    def counts():
        found = samples(shop)
        return [found.get(("segue_destination_answers_total", (jobs, ("status", s))), 0) for s in ("202", "503")]

    emulator.admin.fault("status", jobs[1], status=503, count=1)
    before = counts()
    shop.run()
    assert [after - b for after, b in zip(counts(), before, strict=True)] == [1, 1]


def test_a_failure_leaves_the_moment_of_the_last_success(shop):
    shop.run()
    before = samples(shop)
    shop.people()
    assert shop.run()["status"] == "failed"  # the fuse of an empty result
    after, of = samples(shop), (("orchestration", NAME),)
    success = ("segue_last_success_timestamp_seconds", of)
    assert after[success] == before[success] < after["segue_last_run_timestamp_seconds", of]
    assert after["segue_runs", (("status", "failed"),)] == 1


def test_the_budget_of_the_account_and_what_waits(shop):
    run = shop.run()
    found = samples(shop)
    job = (("account", run["account_id"]), ("endpoint", "POST /api/profile-bulk-import-jobs"))
    assert 0 < found["segue_budget_left", job] <= 150  # klaviyo-api.md: 150 a minute
    assert found["segue_budget_wait_seconds_total", job] >= 0
    assert not [name for name, _ in found if name == "segue_runs_waiting"]
    with shop.workspace.catalog.session() as session:
        session.get_one(Run, run["run_id"]).status = "waiting to start"
    assert samples(shop)["segue_runs_waiting", (("account", run["account_id"]),)] == 1


def late_run(shop, *, started: int | None, cause: str = "schedule", status: str = "completed") -> None:
    """A run of the group that was due ten minutes ago."""
    group = shop.call("GET", "/api/v1/orchestration-groups/Nightly").json()
    due = datetime.now(UTC) - timedelta(minutes=10)
    fresh = new_run(group_id=group["id"], group="Nightly", cause=Cause(cause), trigger=None, due_at=due)
    fresh.status, fresh.started_at = status, None if started is None else due + timedelta(seconds=started)
    with shop.workspace.catalog.session() as session:
        session.add(fresh)


def test_how_late_a_group_started_or_is(shop):
    shop.make("orchestration-groups", name="Nightly", members=[{"orchestration": NAME}])
    lag = ("segue_group_start_lag_seconds", (("group", "Nightly"),))
    late_run(shop, started=500, cause="manual")
    assert lag not in samples(shop)
    late_run(shop, started=7)
    late_run(shop, started=None, status="missed")
    assert samples(shop)[lag] == 7
    late_run(shop, started=None, status="waiting")
    assert 600 <= samples(shop)[lag] < 720


def test_answers_are_counted_by_route_and_never_by_name(office):
    office.call("GET", "/api/v1/queries/ana@mail.shop")
    office.http.request("PATCH", "/ana@mail.shop")
    text = office.call("GET", "/metrics").text
    assert "ana" not in text
    assert 'segue_http_requests_total{method="GET",route="/api/v1/queries/{ref}",status="404"} 1.0' in text
    assert 'segue_http_requests_total{method="any",route="none",status="401"} 1.0' in text


def test_health_needs_no_token(office):
    assert office.http.get("/healthz").json() == {"status": "ok"}
    assert office.http.get("/readyz").json() == {"status": "ready"}


def test_the_dashboard_asks_for_metrics_that_are_there(shop):
    shop.run()
    run = shop.run()
    shop.call("GET", "/api/v1/runs")
    shop.make("orchestration-groups", name="Nightly", members=[{"orchestration": NAME}])
    late_run(shop, started=7)
    with shop.workspace.catalog.session() as session:
        session.get_one(Run, run["run_id"]).status = "waiting to start"
    there = {name for name, _ in samples(shop)}
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    asked = {name for query in queries for name in re.findall(r"\bsegue_[a-z_]+", query)}
    assert len(asked) >= 13
    assert asked <= there
    [answers] = [query for query in queries if "segue_destination_answers_total" in query]
    assert "by (endpoint, status)" in answers
