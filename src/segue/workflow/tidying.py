"""The working files of runs: large while a run works, of no use after it. What a run did stays in its segment."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from segue.services.exchange_files import EXCHANGES_FILE
from segue.services.rejects import REFUSED_FILE, keep_refused
from segue.services.unchanged import NOTE_FILE
from segue.services.workspace import Workspace
from segue.workflow.records import RunRecords

KEPT = frozenset({"rejects.parquet", REFUSED_FILE, NOTE_FILE, EXCHANGES_FILE})
_SWEPT = 20
"""How many of the latest runs of an orchestration are looked at for working files."""
_PLAN_AGE = 24 * 3600.0
"""Seconds after which the folder of a plan cannot be in use any more."""


def sweep(workspace: Workspace, orchestration_id: str, *, besides: str = "") -> None:
    """What killed processes and failed runs left behind: runs without an end, working files of those that have one.

    besides: the run that is about to begin, where it has a record already.
    """
    records, runs = RunRecords(workspace.catalog), workspace.layout.runs
    records.close_orphans(orchestration_id, besides=besides)
    latest = records.recent(orchestration_id=orchestration_id, limit=_SWEPT)
    for run in (run for run in latest if run.id != besides):
        if (runs / run.id / "delta.arrow").exists():
            keep_refused(workspace, run.id)
        tidy_run(runs / run.id)
    tidy_plans(runs)


def tidy_run(folder: Path) -> None:
    """Remove the working files of a run that has ended; its rejects, the rows that were refused, the sampled
    exchanges and the note of a run that found nothing to send stay."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name not in KEPT:
            path.unlink(missing_ok=True)


def tidy_plans(runs: Path) -> None:
    """Remove what a plan that was killed left behind."""
    for folder in runs.glob("plan-*"):
        if time.time() - folder.stat().st_mtime > _PLAN_AGE:
            shutil.rmtree(folder, ignore_errors=True)
