"""A scheduler that dies at a named place: ``dying.py HOME FAILPOINT FILE``. Members that begin are written to FILE."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from segue import failpoints
from segue.scheduling import MemberResult, MemberStatus, Scheduler, Turn
from segue.services.workspace import open_workspace
from segue.settings import Settings

home, failpoint, log = sys.argv[1:]


def start(turn: Turn) -> MemberResult:
    with Path(log).open("a") as file:
        file.write(turn.orchestration)
    return MemberResult(run_id=f"run-{turn.orchestration}", status=MemberStatus.COMPLETED)


failpoints.arm(failpoint)
workspace = open_workspace(Settings.from_env({"SEGUE_HOME": home}))
now = datetime(2026, 1, 10, 12, tzinfo=UTC)
scheduler = Scheduler(catalog=workspace.catalog, locks=workspace.locks, stop=threading.Event(), clock=lambda: now)
for run in scheduler.due(now):
    scheduler.run_group(run, start)
