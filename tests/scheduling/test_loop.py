"""The scheduler that runs by itself."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from segue.errors import BusyError
from segue.scheduling import Loop

from .site import Starts, utc

DAILY = {
    "name": "Daily",
    "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Vienna", "missed": "skip"},
    "members": [{"orchestration": "A"}],
}
WAITS = {"name": "Waits", "after_signal": "loaded", "members": [{"orchestration": "B"}]}


@pytest.fixture
def reports():
    return SimpleQueue()


def loop(site, reports, start=None, stop=None):
    return Loop(
        scheduler=site.scheduler(stop=stop or threading.Event()),
        start=start or Starts(),
        report=lambda what, run: reports.put((what, run.group, str(run.status))),
        trouble=lambda error: reports.put(("trouble", error.code, "")),
        every=0.01,
    )


@contextmanager
def running(site, reports, start=None):
    """The loop in a thread; stopped at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=loop(site, reports, start, stop).run, daemon=True)
    thread.start()
    try:
        yield thread, stop
    finally:
        stop.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def test_it_tells_what_was_missed_starts_what_is_due_and_ends_when_stopped(site, reports):
    site.apply(DAILY, WAITS)
    site.due("2026-01-10 04:00")
    site.signal("loaded", "2026-01-10 05:00")
    site.now = utc("2026-01-10 12:00")
    with running(site, reports):
        told = [reports.get(timeout=60) for _ in range(3)]
        assert told == [("missed", "Daily", "missed"), ("due", "Waits", "waiting"), ("ended", "Waits", "completed")]
        site.signal("loaded", "2026-01-10 11:00")
        assert reports.get(timeout=60) == ("due", "Waits", "waiting")
        assert reports.get(timeout=60) == ("ended", "Waits", "completed")
    assert reports.empty()
    assert site.scheduler().last_beat() == utc("2026-01-10 12:00")


def test_stopping_waits_for_members_that_run(site, reports):
    site.apply(WAITS)
    site.signal("loaded", "2026-01-10 05:00")
    site.now = utc("2026-01-10 12:00")
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Starts):
        def __call__(self, turn):
            begun.set()
            assert go_on.wait(60)
            return super().__call__(turn)

    start = Slow()
    with running(site, reports, start) as (thread, stop):
        assert begun.wait(60)
        stop.set()
        thread.join(timeout=0.2)
        assert thread.is_alive()
        go_on.set()
    assert start.names == ["B"]
    assert [run.status for run in site.runs("Waits")] == ["completed"]


def test_a_workspace_has_one_scheduler(site, reports):
    site.apply(WAITS)
    site.signal("loaded", "2026-01-10 05:00")
    site.now = utc("2026-01-10 12:00")
    with running(site, reports):
        assert reports.get(timeout=60) == ("due", "Waits", "waiting")
        with pytest.raises(BusyError, match="another process is the scheduler"):
            loop(site, reports).run()
