"""Files in which people's data lie, and which of them nobody needs any more."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from segue.audience.snapshot import is_merged
from segue.services.workspace import Layout

GRACE = 6 * 3600.0
"""Seconds for which a file is left alone after the baseline stopped naming it: plans, and runs of other orchestrations with the
same list, may be reading it."""
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def segment_files(layout: Layout, orchestration_id: str) -> list[Path]:
    """The segments of an orchestration, with what a killed process left half written."""
    folder = layout.snapshots / orchestration_id
    return sorted([*folder.glob("*.parquet"), *folder.glob("*.part")])


def spare_segments(
    files: Sequence[Path], *, baseline: Sequence[str], needed: AbstractSet[str], at: float
) -> list[Path]:
    """The files that neither the baseline nor one of the needed runs holds, long enough for every reader to have ended.

    A segment stops being read when a merged one, or the first of a new baseline, is written after it. at: seconds since 1970.
    """
    written = {path: path.stat().st_mtime for path in files}
    replacing = [moment for path, moment in written.items() if is_merged(path) or path.name in baseline[:1]]

    def is_spare(path: Path) -> bool:
        if path.suffix == ".part":
            return at - written[path] > GRACE
        if path.name in baseline or (path.stem in needed and not is_merged(path)):
            return False
        replaced = min((moment for moment in replacing if moment > written[path]), default=0.0)
        return at - replaced > GRACE

    return [path for path in files if is_spare(path)]


def run_folders(layout: Layout) -> list[Path]:
    """The folders of runs, of whichever orchestration."""
    return sorted(path for path in layout.runs.glob("*") if _RUN_ID.fullmatch(path.name))


def leftovers(layout: Layout, *, older_than: float) -> list[Path]:
    """Copies of the metadata from before an upgrade, and what killed processes left behind, last written before a moment.

    older_than: seconds since 1970, at least as long ago as a plan may take.
    """
    found = [
        *layout.home.glob("segue.db.*.bak"),
        *layout.runs.glob("plan-*"),
        layout.runs / "spill",
    ]
    return [path for path in found if _written(path) < older_than]


def _written(path: Path) -> float:
    """When it was last written; infinity where it is gone meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def size(paths: Iterable[Path]) -> int:
    """Bytes of files, and of everything in folders."""
    files = (file for path in paths for file in ([path] if path.is_file() else path.rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file())


def remove_all(paths: Iterable[Path]) -> None:
    """Remove files and folders; what is gone already is fine."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
