from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from emulator_kit import Api, problem, row

from klaviyo_emulator import AdminError, EmulatorAdmin, serve

LIST_BODY = {"data": {"type": "list", "attributes": {"name": "VIP"}}}
JOBS = "POST /api/profile-bulk-import-jobs"


def statuses(api: Api, count: int) -> list[int]:
    return [api.get("/lists").status_code for _ in range(count)]


def test_a_status_answers_count_times_then_stops(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("status", "GET /api/lists", status=503, count=2)
    assert api.get("/profiles").status_code == 200
    assert statuses(api, 3) == [503, 503, 200]
    assert [(fault["seen"], fault["struck"]) for fault in admin.faults()] == [(3, 2)]


def test_it_may_skip_the_first_requests(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("status", "GET /api/lists", after=2)
    assert statuses(api, 4) == [200, 200, 503, 200]


def test_it_may_strike_by_chance_and_repeats_with_the_seed(api: Api, admin: EmulatorAdmin) -> None:
    admin.settings(limit_scale=0)
    runs = []
    for _ in range(2):
        admin.clear_faults()
        admin.fault("status", "GET /api/lists", rate=0.5, count=None, seed=7)
        runs.append(statuses(api, 60))
    assert runs[0] == runs[1]
    assert 15 < runs[0].count(503) < 45


def test_templates_and_any_endpoint(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    admin.fault("status", "GET /api/lists/{id}", status=500)
    assert [api.get("/lists").status_code, api.get(f"/lists/{key}").status_code] == [200, 500]
    admin.fault("status", status=502)
    assert api.get("/accounts").status_code == 502


def test_a_status_may_bring_its_own_body_and_retry_after(api: Api, admin: EmulatorAdmin) -> None:
    body = {"errors": [{"id": "1", "code": "invalid", "title": "t", "detail": "maximum lists exceeded"}]}
    admin.fault("status", "POST /api/lists", status=400, body=body)
    assert problem(api.send("POST", "/lists", LIST_BODY))["detail"] == "maximum lists exceeded"
    admin.fault("status", "POST /api/lists", status=429, retry_after=3600)
    answer = api.send("POST", "/lists", LIST_BODY)
    assert (answer.status_code, answer.headers["retry-after"], problem(answer)["code"]) == (429, "3600", "throttled")
    admin.fault("status", "POST /api/lists", status=403, body="plain words")
    assert api.send("POST", "/lists", LIST_BODY).text == "plain words"
    assert admin.lists() == []


def test_drop_before_applies_nothing(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("drop_before", "POST /api/lists")
    with pytest.raises(httpx.TransportError):
        api.send("POST", "/lists", LIST_BODY)
    assert admin.lists() == []
    assert api.send("POST", "/lists", LIST_BODY).status_code == 201


def test_drop_after_applies_and_says_nothing(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    admin.fault("drop_after", JOBS)
    with pytest.raises(httpx.TransportError):
        api.submit([row("ana@shop.io")], key)
    admin.settle()
    assert admin.emails("VIP") == ["ana@shop.io"]
    assert admin.requests()["endpoints"][JOBS]["statuses"] == {"0": 1}


def test_a_dropped_connection_leaves_others_alone(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("drop_before", "POST /api/lists")
    with httpx.Client(base_url=admin.url, verify=False) as other:
        assert other.get("/").status_code == 200
        with pytest.raises(httpx.TransportError):
            api.send("POST", "/lists", LIST_BODY)
        assert other.get("/").status_code == 200


def test_slow(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("slow", "GET /api/lists", seconds=0.15)
    began = time.monotonic()
    assert api.get("/lists").status_code == 200
    assert time.monotonic() - began >= 0.15


def test_a_client_that_does_not_wait_for_a_slow_answer(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("slow", "GET /api/lists", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        api.client.get("/api/lists", timeout=0.05)
    assert api.get("/lists").status_code == 200


def test_non_json(api: Api, admin: EmulatorAdmin) -> None:
    admin.fault("non_json", "GET /api/lists")
    answer = api.get("/lists")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_cancel_job(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    admin.fault("cancel_job")
    assert api.get("/lists").status_code == 200
    job_id = api.run_job([row("ana@shop.io")], key)
    assert (api.job(job_id)["status"], api.job(job_id)["completed_count"]) == ("cancelled", 0)
    assert admin.emails("VIP") == []


def test_cancel_job_after_some_rows(api: Api, admin: EmulatorAdmin) -> None:
    key = api.create_list("VIP")
    admin.fault("cancel_job", JOBS, rows=2)
    job_id = api.run_job([row(f"p{number}@shop.io") for number in range(5)], key)
    assert (api.job(job_id)["status"], api.job(job_id)["completed_count"]) == ("cancelled", 2)
    assert admin.emails("VIP") == ["p0@shop.io", "p1@shop.io"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "explode"},
        {"kind": "slow", "seconds": "1"},
        {"kind": "status", "unknown": 1},
        {"kind": "status", "count": True},
    ],
)
def test_a_wrong_fault_is_refused(admin: EmulatorAdmin, fault: dict[str, Any]) -> None:
    with pytest.raises(AdminError) as refused:
        admin.fault(**fault)
    assert refused.value.status == 400
    assert admin.faults() == []


def test_latency_is_added_to_every_answer() -> None:
    with serve(latency=0.1) as running, httpx.Client(base_url=running.url, verify=False) as client:
        began = time.monotonic()
        assert client.get("/api/lists").status_code == 401
        assert time.monotonic() - began >= 0.1
