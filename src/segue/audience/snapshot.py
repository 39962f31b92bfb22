"""What Klaviyo has acknowledged for an orchestration: Parquet segments, the later ones on top of the earlier.

A segment holds key, hash, payload, uncleared, kind (``add``, ``change``, ``rebase``, ``remove``, ``maybe``), row, changed,
cleared, and unset (what a new person's NULLs unset). ``maybe``, with an empty hash: sent, and nobody knows whether it
arrived; held to be removed, never as unchanged. The first segment may be large, later ones are as large as what a run
changed, so a run without changes writes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segue.audience.encode import HEAD
from segue.audience.rows import ADD
from segue.audience.text import literal, parquet
from segue.audience.workbench import Workbench, sync_file, sync_folder

_COLUMNS = "key, hash, payload, uncleared"
MAX_SEGMENTS = 8
DOUBTFUL = "doubtful"
"""Stands for the hash of a member of whom a change may have arrived: no row is like it, so the next one is sent."""
RELEASED_FILE = "released.parquet"
"""In a run's folder: key, hash and payload of people whom the snapshot forgets while they stay on the list."""
_COMPRESSION = "COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 1"
"""Level 1 takes two thirds of the time of the default and gives no larger files (measured: payloads of 400 bytes). Keys, hashes
and payloads do not repeat: looking for a dictionary of them is lost time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """segments: oldest first; rows: members after all of them; columns: the query's sent columns at the last run;
    list_id, account_id: where the members are; version: counts up with every published change."""

    segments: tuple[Path, ...] = ()
    rows: int = 0
    columns: tuple[str, ...] = ()
    list_id: str | None = None
    account_id: str | None = None
    version: int = 0

    def sql(self) -> str | None:
        """A SELECT of the present members (key, hash, payload, uncleared), or None where nothing was sent."""
        return members_sql(self.segments)


def members_sql(segments: Sequence[Path]) -> str | None:
    """The rows of the first segment that no later one touches, and the latest row of each key of the others."""
    if not segments:
        return None
    base, *later = [parquet(path) for path in segments]
    if not later:
        return f"SELECT {_COLUMNS} FROM {base} WHERE kind <> 'remove'"
    stacked = " UNION ALL ".join(f"SELECT {_COLUMNS}, kind, {n} AS age FROM {path}" for n, path in enumerate(later))
    return f"""
        SELECT {_COLUMNS} FROM {base} b
        WHERE kind <> 'remove' AND NOT EXISTS (SELECT 1 FROM ({stacked}) later WHERE later.key = b.key)
        UNION ALL
        SELECT {_COLUMNS} FROM ({stacked})
        QUALIFY row_number() OVER (PARTITION BY key ORDER BY age DESC) = 1 AND kind <> 'remove'"""


def write_segment(bench: Workbench, sql: str, path: Path) -> None:
    """Write the rows of ``sql`` as a segment that is on disk, synced, under its name, or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.part")
    for left in path.parent.glob(f"{path.stem}.*.part"):  # by a process that was killed
        left.unlink(missing_ok=True)
    bench.execute(f"COPY ({sql}) TO {literal(str(unfinished))} (FORMAT parquet, {_COMPRESSION})")
    sync_file(unfinished)
    unfinished.replace(path)
    sync_folder(path.parent)


def delta_rows_sql(relation: str) -> str:
    """A SELECT of the rows of a delta as a segment has them."""
    return f"""SELECT key, hash, substr(fragment, head + 1, length(fragment) - head - 2) AS payload, uncleared,
        ['add', 'change', 'rebase'][kind + 1] AS kind, row, changed, cleared, {_UNSET} AS unset FROM {relation}"""


_UNSET_FROM, _UNSET_TO = '{"type":"profile","meta":{"patch_properties":{"unset":', '}},"attributes":'
_UNSET = f"""CASE WHEN kind = {ADD} AND head > {len(HEAD)}
    THEN substr(fragment, {len(_UNSET_FROM) + 1}, head - {len(_UNSET_FROM) + len(_UNSET_TO)}) END"""
"""The list of properties that the row of a new person unsets, as it stands before the payload."""


def compact(bench: Workbench, segments: Sequence[Path], path: Path) -> tuple[Path, ...]:
    """One segment that says the same as many; reading stays fast however many runs there were."""
    if len(segments) <= MAX_SEGMENTS:
        return tuple(segments)
    merge(bench, segments, path)
    return (path,)


def merge(bench: Workbench, segments: Sequence[Path], path: Path) -> None:
    """Write one segment of the members that the first segments of a snapshot hold; who left is not in it."""
    write_segment(
        bench,
        f"""SELECT {_COLUMNS}, 'add' AS kind, NULL::BIGINT AS row, NULL::VARCHAR AS changed,
        NULL::VARCHAR AS cleared FROM ({members_sql(segments)})""",
        path,
    )


def merged_path(segment: Path) -> Path:
    """Where the segments up to this one are merged."""
    return segment if is_merged(segment) else segment.with_name(f"{segment.stem}-base.parquet")


def is_merged(segment: Path) -> bool:
    """Whether a segment stands for several runs; those of one run are named after it."""
    return segment.stem.endswith("-base")
