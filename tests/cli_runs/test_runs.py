"""`plan`, `run`, `runs` and `show`: the promised shapes and exit codes, and what refuses."""

from __future__ import annotations

import fcntl
import io

import pytest

from .conftest import NAME

ADA = {"email": "ada@mail.shop", "first_name": "Ada", "tier": "gold"}
BO = {"email": "bo@mail.shop", "first_name": "Bo", "tier": "silver"}
COUNTS = {"source", "duplicates", "rejected", "added", "changed", "unchanged", "cleared", "unset", "removed", "warned"}


def test_plan_as_json_sends_nothing(shop):
    shop.people([ADA, ADA, BO, {"email": "not an address"}])
    result = shop.segue("plan", NAME, "--json")
    plan = result.json
    assert (result.code, result.err) == (0, "")
    assert len(plan["id"]) == 16
    assert (plan["orchestration"], plan["list_name"], plan["list_id"]) == (NAME, "People", None)
    assert (plan["source"], plan["added"], plan["changed"], plan["unchanged"], plan["removed"]) == (4, 2, 0, 0, 0)
    assert (plan["duplicates"], plan["rejected"]) == ({"identical": 1, "older": 0}, 1)
    assert plan["problems"] == {"email_malformed": 1}
    assert plan["requests"]["POST /api/profile-bulk-import-jobs"] == 1
    assert {fuse["name"]: fuse["blown"] for fuse in plan["fuses"]}["max_remove_share"] is False
    assert shop.admin.lists() == []
    assert shop.segue("plan", NAME, "--json").json["id"] == plan["id"]


def test_plan_with_samples(shop):
    shop.people([ADA, BO])
    shop.segue("run", NAME, "--json")
    shop.people([{**ADA, "first_name": "Augusta"}, {"email": "new@shop.test"}, {"email": "not an address"}])
    samples = shop.segue("plan", NAME, "--json", "--samples").json["samples"]
    [changed] = samples["changed"]
    assert (changed["key"], changed["fields"]) == (ADA["email"], ["first_name"])
    assert changed["before"]["first_name"] == ADA["first_name"]
    assert changed["after"]["first_name"] == "Augusta"
    assert [row["key"] for row in samples["added"]] == ["new@shop.test"]
    assert [row["key"] for row in samples["removed"]] == [BO["email"]]
    assert [reject["reason"] for reject in samples["rejected"]] == ["email_malformed"]
    told = " ".join(shop.segue("plan", NAME, "--samples").out.split())
    assert f'first_name: "{ADA["first_name"]}" -> "Augusta"' in told
    assert "email: email_malformed" in told
    assert "Augusta" not in shop.segue("plan", NAME).out


def test_plan_for_people(shop):
    shop.people([ADA, BO])
    result = shop.segue("plan", NAME)
    assert result.code == 0
    assert result.out.startswith("Plan ")
    for text in ("source rows", "Requests", "Fuses", "POST /api/profile-bulk-import-jobs"):
        assert text in result.out


def test_run_as_json_and_what_klaviyo_has_then(shop):
    shop.people([ADA, BO])
    result = shop.segue("run", NAME, "--json")
    run = result.json
    assert (result.code, result.err) == (0, "")
    assert {"run_id", "status", "list", "counts", "requests", "seconds", "warnings", "error"} <= set(run)
    [made] = shop.admin.lists()
    assert run["list"] == {"id": made["id"], "name": "People", "created": True}
    assert set(run["counts"]) == COUNTS
    assert (run["counts"]["source"], run["counts"]["added"], run["counts"]["rejected"]) == (2, 2, 0)
    assert (run["status"], run["warnings"], run["error"]) == ("completed", [], None)
    assert run["requests"]["POST /api/profile-bulk-import-jobs"] == 1
    assert run["seconds"] > 0
    assert sorted(shop.admin.emails("People")) == ["ada@mail.shop", "bo@mail.shop"]
    assert shop.admin.profile("ada@mail.shop")["properties"] == {"tier": "gold"}


def test_run_for_people_tells_each_task_on_stderr(shop):
    shop.people([ADA, BO])
    result = shop.segue("run", NAME, "--yes")
    assert result.code == 0
    assert result.out.startswith("Run ")
    assert ": completed" in result.out.splitlines()[0]
    assert [line.partition(":")[0] for line in result.err.splitlines() if ":" in line][:3] == [
        "query",
        "validate",
        "compare",
    ]
    assert "record: 2 members" in result.err


def test_run_with_warnings_exits_with_3(shop):
    shop.people([ADA, {"email": "nobody"}])
    result = shop.segue("run", NAME, "--json")
    assert (result.code, result.json["status"]) == (3, "completed with warnings")
    assert result.json["counts"]["rejected"] == 1
    assert result.json["warnings"]
    assert f"next: segue rejects {result.json['run_id']}" in shop.segue("show", result.json["run_id"]).out


def test_reports_name_the_next_command(shop):
    shop.people([ADA])
    plan = shop.segue("plan", NAME, "--json").json
    assert f'next: segue run "{NAME}" --plan {plan["id"]}\n' in shop.segue("plan", NAME).out
    done = shop.segue("run", NAME, "--yes")
    assert "next:" not in done.out
    shop.people([])
    planned = shop.segue("plan", NAME)
    assert "--allow allow_empty --allow max_remove_share" in planned.out
    assert "BLOWN nothing to send" in planned.out
    failed = shop.segue("run", NAME, "--yes")
    run = shop.segue("runs", "--limit", "1", "--json").json[0]
    assert f"next: segue resolve {run['run_id']}\n" in failed.err
    assert "The query has no rows: every member that Segue sent (1) would be removed." in run["error"]["message"]


def test_steps_hold_the_names_of_what_is_meant(shop):
    shop.people([ADA, {**ADA, "city": "Linz"}])
    shop.apply(duplicates="fail")
    run = shop.segue("run", NAME, "--json").json
    assert run["error"]["code"] == "duplicate_keys"
    assert run["error"]["steps"][0] == f"See all of them with: segue rejects {run['run_id']}"
    offered = shop.segue("resolve", run["run_id"], "--json").json
    assert f"See them: segue rejects {run['run_id']}" in offered["steps"]
    # A plan leaves no rejects behind that could be looked at.
    planned = shop.segue("plan", NAME)
    assert "[duplicate_keys]" in planned.err
    assert "segue rejects" not in planned.err
    outdated = shop.segue("run", NAME, "--json", "--plan", "0" * 16).json
    assert outdated["error"]["code"] == "duplicate_keys"
    shop.people([ADA])
    outdated = shop.segue("run", NAME, "--json", "--plan", "0" * 16).json
    assert outdated["error"]["steps"][0] == f'Look at the new plan: segue plan "{NAME}"'


def test_failed_run_exits_with_1_and_says_what_to_do(shop):
    result = shop.segue("run", NAME, "--json")
    error = result.json["error"]
    assert (result.code, result.json["status"], error["code"]) == (1, "failed", "fuse_blown")
    assert set(error) == {"code", "message", "cause", "steps"}
    assert any("--allow allow_empty" in step for step in error["steps"])
    result = shop.segue("run", NAME, "--yes")
    assert (result.code, "[fuse_blown]" in result.err) == (1, True)
    assert shop.segue("run", NAME, "--json", "--allow", "allow_empty").code == 0


def test_a_fuse_that_is_not_there_is_refused_before_anything_is_asked_or_sent(shop):
    shop.people([ADA])
    result = shop.segue("run", NAME, "--yes", "--allow", "max_remove_shares")
    assert (result.code, shop.admin.lists()) == (2, [])
    assert 'there is no fuse "max_remove_shares"; did you mean "max_remove_share"' in result.err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("options", [(), ("--restart",)])
def test_a_person_at_a_terminal_is_asked_and_may_say_no(shop, monkeypatch, options):
    shop.people([ADA])
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    result = shop.segue("run", NAME, *options)
    assert "Run this plan?" in result.out + result.err
    assert (result.code, shop.admin.lists()) == (1, [])
    assert "nothing was done" in result.err
    assert "error" not in result.err


@pytest.mark.parametrize("command", [("plan",), ("run", "--yes"), ("runs", "--orchestration")])
def test_an_unknown_orchestration_gets_a_suggestion(shop, command):
    result = shop.segue(*command, "People to Klavyio")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        f'error: there is no orchestration "People to Klavyio"; did you mean "{NAME}"? [unknown_orchestration]\n'
    )


def test_a_plan_runs_only_while_it_is_true(shop):
    shop.people([ADA])
    plan = shop.segue("plan", NAME, "--json").json["id"]
    shop.people([ADA, BO])
    result = shop.segue("run", NAME, "--json", "--plan", plan)
    assert (result.code, result.json["error"]["code"]) == (1, "plan_outdated")
    assert shop.admin.lists() == []
    shop.people([ADA])
    result = shop.segue("run", NAME, "--json", "--plan", plan)
    assert (result.code, result.json["plan_id"]) == (0, plan)
    assert shop.admin.emails("People") == ["ada@mail.shop"]


def test_a_plan_that_was_run_is_no_longer_true(shop):
    shop.people([ADA])
    plan = shop.segue("plan", NAME, "--json").json["id"]
    assert shop.segue("run", NAME, "--json", "--plan", plan).code == 0
    assert shop.segue("run", NAME, "--json", "--plan", plan).json["error"]["code"] == "plan_outdated"


def test_a_second_run_at_once_is_refused(shop):
    shop.people([ADA])
    assert shop.segue("plan", NAME).code == 0
    shop.admin.settings(job_delay=600)
    first = shop.process("run", NAME, "--json")
    try:
        _wait_for_a_job(shop)
        result = shop.segue("run", NAME, "--yes")
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith(f'error: A run of "{NAME}" is under way in another process. [run_under_way]\n')
        assert len(shop.admin.jobs()) == 1
    finally:
        first.kill()
        first.communicate()


def test_a_lock_without_its_process_does_not_stop_a_run(shop):
    shop.people([ADA])
    shop.send()
    # Beside it are those of lists.
    [lock] = [p for p in (shop.folder / "home" / "locks").glob("*.lock") if "list-" not in p.name]
    assert shop.send()["status"] == "completed"
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert shop.segue("run", NAME, "--yes").code == 1


def _wait_for_a_job(shop):
    import time

    deadline = time.monotonic() + 60
    while not shop.admin.jobs():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_runs_lists_the_newest_first(shop):
    shop.people([ADA])
    first = shop.send()
    shop.people([ADA, BO])
    second = shop.send()
    runs = shop.segue("runs", "--json").json
    assert [run["run_id"] for run in runs] == [second["run_id"], first["run_id"]]
    assert [run["counts"]["added"] for run in runs] == [1, 1]
    assert runs[0]["started_at"] < runs[0]["ended_at"]
    assert [run["run_id"] for run in shop.segue("runs", "--json", "--limit", "1").json] == [second["run_id"]]
    assert len(shop.segue("runs", "--json", "--orchestration", NAME).json) == 2
    table = shop.segue("runs").out.splitlines()
    assert table[2].startswith(second["run_id"])
    assert table[2].split()[-5:] == ["2", "1", "0", "0", "0"]
    assert table[3].split()[-5:] == ["1", "1", "0", "0", "0"]


def test_runs_before_the_first(shop):
    assert shop.segue("runs", "--json").json == []


def test_show_tells_tasks_requests_and_deliveries(shop):
    shop.people([ADA, BO, {"email": ""}])
    run = shop.send()
    shown = shop.segue("show", run["run_id"], "--json").json
    for name in ("run_id", "status", "list", "counts", "requests", "seconds", "warnings", "error", "plan_id"):
        assert shown[name] == run[name], name
    names = [
        "query",
        "validate",
        "compare",
        "fuses",
        "list",
        "send",
        "confirm",
        "clear",
        "remove",
        "reconcile",
        "record",
    ]
    assert [task["name"] for task in shown["tasks"]] == names
    # The query had a row that cannot be sent.
    assert [task["status"] for task in shown["tasks"]] == ["succeeded", "issue", *["succeeded"] * 9]
    assert {task["attempts"] for task in shown["tasks"]} == {1}
    assert all(task["seconds"] >= 0 for task in shown["tasks"])
    query, validate, compare = (task["outcome"] for task in shown["tasks"][:3])
    assert query == {"source": 3}
    assert (validate["rejected"], validate["problems"]) == (1, {"email_missing": 1})
    assert (compare["added"], compare["chunks"]) == (2, 1)
    assert shown["parts"] == {"import complete": 1}
    assert shown["settings"]["list_name"] == "People"
    result = shop.segue("show", run["run_id"][:-1])
    assert result.code == 0
    for text in ("completed with warnings", "problems email_missing 1", "import complete", "record", "warning: "):
        assert text in result.out


def test_show_of_a_failed_run_says_what_to_do(shop):
    run = shop.send()
    shown = shop.segue("show", run["run_id"], "--json").json
    assert shown["error"] == run["error"]
    tasks = {task["name"]: task["status"] for task in shown["tasks"]}
    assert [tasks.pop(name) for name in ("query", "validate", "compare")] == ["succeeded"] * 3
    assert tasks.pop("fuses") == "failed"
    assert tasks == dict.fromkeys(("list", "send", "confirm", "clear", "remove", "reconcile", "record"), "waiting")
    result = shop.segue("show", run["run_id"])
    assert result.code == 0
    assert "[fuse_blown]" in result.err
    assert "  1. " in result.err


@pytest.mark.parametrize("command", ["show", "rejects"])
def test_an_unknown_run(shop, command):
    result = shop.segue(command, "20990101")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines() == [
        'error: There is no run "20990101". [unknown_run]',
        "  1. See all of them with: segue runs",
        "  2. Records of old runs are removed: see Settings > Retention, or `segue retention show`.",
    ]


def test_the_commands_before_there_is_a_workspace(site, monkeypatch):
    monkeypatch.setenv("SEGUE_HOME", str(site.folder / "elsewhere"))
    for command in (("runs",), ("history", "a@b.shop"), ("test-connection", "k"), ("query", "run", "q")):
        result = site.segue(*command)
        assert (result.code, "segue init" in result.err) == (1, True)
