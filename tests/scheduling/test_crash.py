"""A kill at any point: the run starts once, and goes on with what is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segue.scheduling import GroupStatus

from .site import Starts

GROUP = {
    "name": "Group",
    "after_signal": "loaded",
    "members": [{"orchestration": "A"}, {"orchestration": "B", "after": ["A"]}],
}


@pytest.mark.parametrize(
    ("failpoint", "began", "left"),
    [
        ("group-due", "", ["A", "B"]),
        ("group-begun", "", ["A", "B"]),
        ("group-member-begun", "", ["A", "B"]),
        ("group-member-ended", "A", ["B"]),
        ("group-member-begun:2", "A", ["B"]),
        ("group-member-ended:2", "AB", []),
    ],
)
def test_killed_at_a_place_it_starts_once_and_goes_on(site, failpoint, began, left):
    site.apply(GROUP)
    site.signal("loaded", "2026-01-10 10:00")
    log = site.folder / "log"
    log.touch()
    script = Path(__file__).with_name("dying.py")
    done = subprocess.run(
        [sys.executable, str(script), str(site.settings.home), failpoint, str(log)],
        check=False,
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert log.read_text() == began
    start = Starts()
    (ended,) = site.turn("2026-01-10 12:01", start)
    assert start.names == left
    assert ended.status is GroupStatus.COMPLETED
    assert [member.status for member in ended.members] == ["completed", "completed"]
    assert [run.id for run in site.runs("Group")] == [ended.id]
    assert site.due("2026-01-10 12:02") == []


def test_a_run_by_hand_that_was_killed_is_finished_by_the_next_one(site):
    site.apply(GROUP)
    site.signal("loaded", "2026-01-10 10:00")
    log = site.folder / "log"
    script = Path(__file__).with_name("dying.py")
    arguments = [sys.executable, str(script), str(site.settings.home), "group-member-ended", str(log)]
    assert subprocess.run(arguments, check=False, timeout=100).returncode == -signal.SIGKILL
    start = Starts()
    ended = site.scheduler().run_now("Group", start)
    assert (start.names, ended.cause, ended.status) == (["B"], "signal", GroupStatus.COMPLETED)
    assert len(site.runs("Group")) == 1
