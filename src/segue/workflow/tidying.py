"""The working files of runs: large while a run works, of no use after it. What a run did stays in its segment."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from segue.services.rejects import REFUSED_FILE

KEPT = frozenset({"rejects.parquet", REFUSED_FILE})
_PLAN_AGE = 24 * 3600.0
"""Seconds after which the folder of a plan cannot be in use any more."""


def tidy_run(folder: Path) -> None:
    """Remove the working files of a run that has ended; its rejects and the rows that were refused stay."""
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
