"""Ctrl-C, as the terminal sends it: SIGINT to the process of the command."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from tests.database.conftest import queries_of

from .conftest import NAME

_PATIENCE = 60.0

SLOW = "SELECT a.i + b.i AS email FROM UNNEST(sequence(1, 9000)) AS a(i) CROSS JOIN UNNEST(sequence(1, 9000)) AS b(i) ORDER BY 1"

STREAM = SLOW.replace("a.i + b.i", "concat('p', CAST(a.i * 9000 + b.i AS varchar), '@mail.shop')").removesuffix(
    " ORDER BY 1"
)


def until(happened):
    """Wait for another process; what it does has no other sign."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def _size(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def engine_of(process):
    """The process that runs the query itself, which works longer than the one that reads the names of the tables."""

    def busy():
        try:
            return [c for c in queries_of(psutil.Process(process.pid)) if c.cpu_times().user > 0.5]
        except psutil.NoSuchProcess:
            return []

    return until(busy)[0]


def test_ctrl_c_cancels_a_query(shop):
    shop.apply(queries=[{"name": "People", "database": "shop", "status": "active", "sql": SLOW}])
    process = shop.process("query", "run", "People")
    child = engine_of(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_PATIENCE)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert not child.is_running()


def test_ctrl_c_in_the_query_of_a_run(shop):
    shop.apply(sql=SLOW.replace("a.i + b.i", "concat('p', CAST(a.i * 9000 + b.i AS varchar), '@mail.shop')"))
    process = shop.process("run", NAME, "--json")
    child = engine_of(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130
    assert not child.is_running()
    [run] = shop.segue("runs", "--json").json
    assert run["status"] == "stopped"
    shop.apply()
    shop.people([{"email": "ada@mail.shop"}])
    assert shop.send()["counts"]["added"] == 1


@pytest.mark.parametrize(
    "command", [("plan", NAME), ("run", NAME, "--json"), ("query", "run", "People", "--csv", "p.csv")]
)
def test_ctrl_c_while_rows_arrive(shop, command):
    """The signal meets DuckDB and Arrow in the middle of a batch, which make an error of their own of it."""
    shop.apply(sql=STREAM, use_full_profile=False)
    process = shop.process(*command)
    until(
        lambda: [
            p for name in ("home/runs/**/keys.arrow.part", "p.csv.part") for p in shop.folder.glob(name) if _size(p)
        ]
    )
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130, err
    assert "unexpectedly" not in err
    assert {run["status"] for run in shop.segue("runs", "--json").json} <= {"stopped"}
    assert not list(shop.folder.glob("p.csv*"))


def test_ctrl_c_in_a_slow_send_and_the_next_run_sends_the_rest(shop):
    shop.apply(use_full_profile=False)
    shop.database("""CREATE OR REPLACE TABLE People AS
        SELECT 'p' || i || '@mail.shop' AS email FROM range(60000) r(i)""")
    shop.admin.fault("slow", "POST /api/profile-bulk-import-jobs", seconds=2, count=None)
    process = shop.process("run", NAME, "--json")
    until(lambda: shop.admin.faults()[0]["struck"] == 4)  # as many as are sent at once
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130, err
    assert "stopping: what is on its way is finished" in err
    assert len(shop.admin.jobs()) == 4
    [run] = shop.segue("runs", "--json").json
    assert run["status"] == "stopped"
    assert shop.segue("show", run["run_id"], "--json").json["parts"] == {"import accepted": 4, "import planned": 2}

    shop.admin.clear_faults()
    result = shop.segue("run", NAME, "--json")
    assert (result.code, result.json["run_id"], result.json["resumed"]) == (0, run["run_id"], True)
    assert result.json["counts"]["added"] == 60000
    assert len(shop.admin.jobs()) == 6
    assert len(shop.admin.emails("People")) == 60000
    tasks = {t["name"]: t["attempts"] for t in shop.segue("show", run["run_id"], "--json").json["tasks"]}
    assert (tasks["query"], tasks["send"], tasks["confirm"]) == (1, 2, 1)


def test_ctrl_c_while_jobs_are_processed(shop):
    shop.people([{"email": "ada@mail.shop"}])
    shop.admin.settings(job_delay=600)
    process = shop.process("run", NAME, "--yes")
    [job] = until(shop.admin.jobs)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130
    shop.admin.cancel_job(job["id"])
    run = shop.send()
    # A cancelled job is nobody's success: its row is sent again by the run after this one.
    assert (run["resumed"], run["counts"]["added"], run["counts"]["warned"]) == (True, 0, 1)
    shop.admin.settings(job_delay=0)
    assert shop.send()["counts"]["added"] == 1
    assert shop.admin.emails("People") == ["ada@mail.shop"]
