"""What happens to a query that takes too much, is stopped, or loses its process or its parent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from segue.database import DatabaseConfig, Engine, QueryLimits, open_engine
from segue.database.forks import Forks
from segue.errors import QueryError
from tests.database.conftest import own_children, queries_of

ENDLESS_WORK = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n > 0) SELECT max(n) FROM r"
ENDLESS_ROWS = "SELECT i FROM range(1000000000000) AS t(i)"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(repeat('x', 3000000000))",
        "SELECT repeat('x', 3000000000)",
        "SELECT len(list(repeat('x', 1000) || i)) FROM range(30000000) AS t(i)",
        "SELECT length(string_agg(repeat('x', 1000), '')) FROM range(30000000)",
        "SELECT length(repeat(repeat(repeat('x', 40000), 40000), 2))",
        "SELECT len(range(2000000000))",
        "SELECT max(length(repeat('x', 100000000 + i::INTEGER))) FROM range(100) AS t(i)",
    ],
)
def test_a_memory_bomb_dies_within_its_limit(engine: Engine, nothing_left: None, sql: str) -> None:
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            for child in own_children():
                try:
                    peak = max(peak, child.memory_info().rss)
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with (
            pytest.raises(QueryError) as caught,
            engine.run(sql, limits=QueryLimits(memory_bytes=512 * 1024**2)) as reader,
        ):
            reader.read_all()
    finally:
        done.set()
        watcher.join()
    assert caught.value.code == "query_memory"
    assert peak < 640 * 1024**2  # the limit, and the code of the libraries, which is no data


@pytest.mark.parametrize("sql", [ENDLESS_WORK, ENDLESS_ROWS])
def test_a_query_ends_at_its_time_limit(engine: Engine, nothing_left: None, sql: str) -> None:
    start = time.monotonic()
    with pytest.raises(QueryError) as caught, engine.run(sql, limits=QueryLimits(seconds=1)) as reader:
        for _ in reader:
            pass
    assert caught.value.code == "query_timeout"
    assert "1 s" in caught.value.message
    assert 1 <= time.monotonic() - start < 20


def test_the_time_limit_holds_for_a_caller_that_does_not_read(engine: Engine, nothing_left: None) -> None:
    def dawdle() -> None:
        with engine.run(ENDLESS_ROWS, limits=QueryLimits(seconds=1)) as reader:
            _only_child().wait()
            reader.read_all()

    with pytest.raises(QueryError) as caught:
        dawdle()
    assert caught.value.code == "query_timeout"


def test_cancel_before_the_first_row(engine: Engine, nothing_left: None) -> None:
    def cancel() -> None:
        while not own_children():
            pass
        engine.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(QueryError) as caught, engine.run(ENDLESS_WORK, limits=QueryLimits()):
        pass
    canceller.join()
    assert caught.value.code == "query_cancelled"


def test_cancel_between_rows_from_another_thread(engine: Engine, nothing_left: None) -> None:
    canceller = threading.Thread(target=engine.cancel)

    def read() -> None:
        with engine.run(ENDLESS_ROWS, limits=QueryLimits()) as reader:
            reader.read_next_batch()
            canceller.start()
            for _ in reader:
                pass

    with pytest.raises(QueryError) as caught:
        read()
    canceller.join()
    assert caught.value.code == "query_cancelled"


def test_cancel_is_for_the_queries_that_run_now(engine: Engine) -> None:
    engine.cancel()
    with engine.run("SELECT 1 AS n", limits=QueryLimits()) as reader:
        assert reader.read_all().num_rows == 1
        engine.cancel()  # it has arrived whole: there is nothing to stop


def test_a_killed_child_is_an_error(engine: Engine, nothing_left: None) -> None:
    def read() -> None:
        with engine.run(ENDLESS_ROWS, limits=QueryLimits()) as reader:
            reader.read_next_batch()
            _only_child().kill()
            for _ in reader:
                pass

    with pytest.raises(QueryError) as caught:
        read()
    assert caught.value.code == "query_died"
    assert caught.value.cause == "signal SIGKILL"


def test_a_stream_that_stops_between_two_batches_is_not_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that writes one batch and dies: to Arrow that is the regular end of a stream."""
    child = Path(__file__).with_name("half_a_stream.py")
    forks = Forks(child)
    monkeypatch.setattr("segue.database.process.QUERIES", forks)
    with closing(forks), pytest.raises(QueryError) as caught, engine.run("SELECT 1", limits=QueryLimits()) as reader:
        assert reader.read_all().num_rows == 1
    assert caught.value.code == "query_died"


def test_a_child_that_cannot_start_is_an_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, nothing_left: None, tmp_path: Path
) -> None:
    forks = Forks(tmp_path / "none.py")
    monkeypatch.setattr("segue.database.process.QUERIES", forks)
    with (
        closing(forks),
        pytest.raises(QueryError) as caught,
        engine.run("SELECT 1" + " " * 200_000, limits=QueryLimits()),
    ):
        pass
    assert caught.value.code == "query_died"
    assert caught.value.cause == "exit code 1"


def test_a_message_longer_than_a_pipe_does_not_hang(engine: Engine) -> None:
    with (
        pytest.raises(QueryError) as caught,
        engine.run("SELECT error(repeat('é', 1000000))", limits=QueryLimits(seconds=60)),
    ):
        pass
    assert caught.value.code == "query_failed"


def test_the_child_ends_with_its_parent(shop: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "spill"
    temporary.mkdir()
    program = f"""
import tempfile, pathlib
tempfile.tempdir = {str(temporary)!r}
from segue.database import DatabaseConfig, QueryLimits, open_engine
engine = open_engine(DatabaseConfig(name="shop", path=pathlib.Path({str(shop)!r})))
with engine.run({ENDLESS_ROWS!r}, limits=QueryLimits()) as reader:
    reader.read_next_batch()
    print("running", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "running\n"
        (child,) = queries_of(psutil.Process(parent.pid))
        assert len(list(temporary.iterdir())) == 1
        parent.kill()
    child.wait(timeout=20)
    assert not child.is_running()
    assert list(temporary.iterdir()) == []


def test_the_child_ends_with_its_parent_while_it_computes(shop: Path) -> None:
    program = f"""
import pathlib, threading
from segue.database import DatabaseConfig, QueryLimits, open_engine
engine = open_engine(DatabaseConfig(name="shop", path=pathlib.Path({str(shop)!r})))
print("running", flush=True)
with engine.run({ENDLESS_WORK!r}, limits=QueryLimits()) as reader:
    pass
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "running\n"
        while not (children := queries_of(psutil.Process(parent.pid))):
            pass
        (child,) = children
        while child.cpu_times().user < 0.5:  # past its start, in the recursion
            pass
        parent.kill()
    child.wait(timeout=20)


def test_the_child_sees_no_secret_of_the_environment(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_SECRET_KEY", "do not pass on")
    engine = open_engine(DatabaseConfig(name="shop", path=shop))
    with engine.run(ENDLESS_ROWS, limits=QueryLimits()) as reader:
        reader.read_next_batch()
        assert set(_only_child().environ()) == {"ARROW_DEFAULT_MEMORY_POOL", "JE_ARROW_MALLOC_CONF", "LANG", "TZ"}


def _only_child() -> psutil.Process:
    (child,) = own_children()
    return child
