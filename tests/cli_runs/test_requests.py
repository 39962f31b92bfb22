"""`segue requests`: what a run asked Klaviyo."""

from __future__ import annotations

JOBS = "POST /api/profile-bulk-import-jobs"


def test_requests_are_listed_and_shown_whole(shop):
    shop.apply(sql="SELECT email, first_name FROM People")
    shop.people([{"email": "ada@mail.shop", "first_name": "Ada"}])
    shop.admin.fault("status", JOBS, status=429, count=1)
    run = shop.send()["run_id"]
    told = shop.segue("requests", run)
    assert told.code == 0
    sums = {tuple(line.split()[:-1]) for line in told.out.splitlines() if line.startswith(JOBS)}
    assert sums == {(*JOBS.split(), "202", "done", "1"), (*JOBS.split(), "429", "slowed", "down", "1")}
    assert "ada@mail.shop" not in told.out

    whole = shop.segue("requests", run, "--json").json
    calls = {(line["status"], line["calls"]) for line in whole["requests"]["items"] if line["endpoint"] == JOBS}
    assert calls == {(429, 1), (202, 1)}
    [sent] = [e for e in whole["exchanges"] if e["endpoint"] == JOBS and e["status"] == 202]
    assert "ada@mail.shop" in sent["request_body"]["text"]

    shown = shop.segue("requests", run, "--show", str(sent["number"])).out
    assert shown.startswith("POST /api/profile-bulk-import-jobs\n")
    assert "revision: 2026-07-15" in shown
    assert '"first_name":"Ada"' in shown
    assert "uthorization" not in shown
    missing = shop.segue("requests", run, "--show", "999")
    assert (missing.code, "No request 999" in missing.err) == (2, True)
