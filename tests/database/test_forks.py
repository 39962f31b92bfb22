"""Query processes are forked from one that stays; it is never in the way of a query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from segue.database import Engine, QueryLimits
from segue.database.forks import Forks
from segue.errors import QueryError
from tests.database.conftest import own_children

ECHO = """
import os, signal, sys
def main():
    sys.stdout.write(sys.stdin.readline() or signal.pause())
    sys.stdout.flush()
    os._exit(7)
"""
ENDLESS = "SELECT * FROM range(100000000000)"


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    made = Forks(script, idle_seconds=0.05)
    yield made
    made.close()


def echoed(forks: Forks, text: bytes) -> tuple[bytes, int]:
    process = forks.start()
    try:
        process.stdin.write(text)
        process.stdin.flush()
        return process.stdout.readline(), process.wait()
    finally:
        process.close()


def parent_of(pid: int | None) -> psutil.Process:
    found = psutil.Process(pid).parent()
    assert found is not None
    return found


def test_a_process_has_its_own_pipes_and_exit_code(forks: Forks) -> None:
    assert echoed(forks, b"one\n") == (b"one\n", 7)
    assert echoed(forks, b"two\n") == (b"two\n", 7)


def test_several_at_once_do_not_meet(forks: Forks) -> None:
    processes = [forks.start() for _ in range(5)]
    try:
        assert len({process.pid for process in processes}) == 5
        for number, process in enumerate(processes):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == [b"%d\n" % number for number in range(5)]
    finally:
        for process in processes:
            process.close()


def test_a_process_can_be_killed_and_says_so(forks: Forks) -> None:
    process = forks.start()
    process.kill()
    assert process.wait() == -9
    process.kill()
    process.close()


def test_a_process_that_is_let_go_ends(forks: Forks) -> None:
    process = forks.start()
    running = psutil.Process(process.pid)
    process.close()
    assert not running.is_running()


def test_what_they_are_forked_from_ends_when_nothing_is_asked_and_begins_again(forks: Forks) -> None:
    process = forks.start()
    parent = parent_of(process.pid)
    process.close()
    # Its exit code is collected by the next start.
    while parent.status() != psutil.STATUS_ZOMBIE:
        pass
    assert echoed(forks, b"again\n") == (b"again\n", 7)


def test_the_next_query_does_not_meet_the_end_of_what_was_killed(forks: Forks) -> None:
    for number in range(12):
        process = forks.start()
        left = psutil.Process(process.pid)
        parent_of(process.pid).kill()
        assert echoed(forks, b"%d\n" % number) == (b"%d\n" % number, 7)
        left.kill()  # it waits for a signal, and nobody else is left to send one
        process.close()


def test_nothing_that_a_query_does_not_need_is_open_in_it(engine: Engine) -> None:
    with (
        engine.run("SELECT * FROM range(100000000)", limits=QueryLimits()) as first,
        engine.run("SELECT * FROM range(100000000)", limits=QueryLimits()) as second,
    ):
        first.read_next_batch()
        second.read_next_batch()
        pipes = [{f"{kind}" for kind in _open(child)} for child in own_children()]
    assert len(pipes) == 2
    assert not pipes[0] & pipes[1]


def _open(process: psutil.Process) -> list[str]:
    """Pipes and sockets, by what identifies them."""
    targets = [str(path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
    return [target for target in targets if target.startswith(("pipe:", "socket:"))]


def test_a_query_outlives_what_it_was_forked_from_and_can_still_be_stopped(engine: Engine, nothing_left: None) -> None:
    def read() -> None:
        with engine.run(ENDLESS, limits=QueryLimits()) as reader:
            [query] = own_children()
            parent_of(query.pid).kill()
            reader.read_next_batch()
            engine.cancel()
            for _ in reader:
                pass

    with pytest.raises(QueryError) as caught:
        read()
    assert caught.value.code == "query_cancelled"
    with engine.run("SELECT 1 AS n", limits=QueryLimits()) as reader:
        assert reader.read_all().to_pylist() == [{"n": 1}]
