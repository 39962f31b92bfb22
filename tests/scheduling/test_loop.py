"""The scheduler that runs by itself."""

from __future__ import annotations

import threading
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


def test_it_tells_what_was_missed_starts_what_is_due_and_ends_when_stopped(site, reports):
    site.apply(DAILY, WAITS)
    site.due("2026-01-10 04:00")
    site.signal("loaded", "2026-01-10 05:00")
    site.now = utc("2026-01-10 12:00")
    stop = threading.Event()
    running = threading.Thread(target=loop(site, reports, stop=stop).run)
    running.start()
    told = [reports.get(timeout=60) for _ in range(3)]
    assert told == [("missed", "Daily", "missed"), ("due", "Waits", "waiting"), ("ended", "Waits", "completed")]
    site.signal("loaded", "2026-01-10 11:00")
    assert reports.get(timeout=60) == ("due", "Waits", "waiting")
    assert reports.get(timeout=60) == ("ended", "Waits", "completed")
    stop.set()
    running.join(timeout=60)
    assert not running.is_alive()
    assert reports.empty()
    assert site.scheduler().last_beat() == utc("2026-01-10 12:00")


def test_stopping_waits_for_members_that_run(site, reports):
    site.apply(WAITS)
    site.signal("loaded", "2026-01-10 05:00")
    site.now = utc("2026-01-10 12:00")
    stop, begun, go_on = threading.Event(), threading.Event(), threading.Event()

    class Slow(Starts):
        def __call__(self, name):
            begun.set()
            assert go_on.wait(60)
            return super().__call__(name)

    start = Slow()
    running = threading.Thread(target=loop(site, reports, start, stop).run)
    running.start()
    assert begun.wait(60)
    stop.set()
    running.join(timeout=0.2)
    assert running.is_alive()
    go_on.set()
    running.join(timeout=60)
    assert start.names == ["B"]
    assert [run.status for run in site.runs("Waits")] == ["completed"]


def test_a_workspace_has_one_scheduler(site, reports):
    stop = threading.Event()
    first = threading.Thread(target=loop(site, reports, stop=stop).run)
    first.start()
    try:
        while site.scheduler().last_beat() is None:
            first.join(timeout=0.01)
        with pytest.raises(BusyError, match="another process is the scheduler"):
            loop(site, reports).run()
    finally:
        stop.set()
        first.join(timeout=60)
