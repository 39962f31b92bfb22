"""A run of which everything is as it was when an earlier one found nothing to send: it finds nothing either.

Comparing a million rows to learn that none of them changed costs as much as comparing them for something. So a run that found
nothing leaves a note in its folder: what it depended on, a digest of the query's rows, and what it staged. The next run
asks the database for the digest alone, provided that the data were not written to meanwhile; where all is the same it takes
the note instead. Only what an equal run would find again is ever noted, so nothing has to be concluded from it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pydantic

from segue.audience.delta import DeltaCounts
from segue.audience.layout import layout_path
from segue.audience.workbench import write_bytes, writing
from segue.services.orchestrations import Orchestration
from segue.services.staged import Connected, Staged

NOTE_FILE = "unchanged.json"
"""In the folder of a run, beside its rejects, which it needs."""
_CODE = ("segue", "pyarrow", "phonenumbers", "sqlglot")
"""What makes rows of rows; the engine's stamp speaks for the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """depends_on: a mark over everything but the rows; digest: the engine's, over the rows; staged: what came of it."""

    depends_on: str
    digest: str
    staged: Staged


_NOTE = pydantic.TypeAdapter(Note)


def depends_on(orchestration: Orchestration, connected: Connected, *, sql: str, stamp: str | None) -> str | None:
    """A mark over everything that decides what a run stages, but the rows; None where it depends on more than that.

    sql: the query as the engine gets it; stamp: the engine's. A list that is owned whole has members of others, and a test
    send leaves people for the next one: neither is the same again.
    """
    settings, snapshot = orchestration.settings, connected.snapshot
    if stamp is None or not snapshot.segments or settings.own_whole_list or settings.max_rows is not None:
        return None
    decides = [
        [version(name) for name in _CODE],
        orchestration.destination.plugin,
        orchestration.destination.settings,
        settings.model_dump(mode="json"),
        asdict(orchestration.database) | {"path": str(orchestration.database.path), "personal": None},
        [sql, stamp],
        [[path.name for path in snapshot.segments], snapshot.columns, snapshot.rows],
        [connected.account.id, connected.target.id],
    ]
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()


def find_note(folders: Iterable[Path], mark: str) -> tuple[Path, Note] | None:
    """The note of a run that depended on the same, with the run's folder. folders: of runs, the latest first."""
    for folder in folders:
        try:
            note = _NOTE.validate_json((folder / NOTE_FILE).read_bytes())
        except (OSError, pydantic.ValidationError):  # of another version, or not there
            continue
        if note.depends_on == mark and (folder / "rejects.parquet").is_file():
            return folder, note
    return None


def take_note(folder: Path, note: Note) -> None:
    """Leave it for the next run, where the run has nothing to do."""
    counts = note.staged.delta.counts
    idle = replace(counts, quiet=0, losing_candidates=0, kept_fields={}) == DeltaCounts()
    if idle and not note.staged.released and not note.staged.foreign:
        write_bytes(folder / NOTE_FILE, _NOTE.dump_json(note))


def stage_again(folder: Path, found: tuple[Path, Note], connected: Connected) -> Staged:
    """Stage what the note says: working files without a row, the same rejects, the note for the run after this one."""
    earlier, note = found
    staged = replace(note.staged, connected=connected, same_as=note.staged.same_as or earlier.name)
    shutil.copyfile(earlier / "rejects.parquet", folder / "rejects.parquet")
    layout_path(folder / "delta.arrow").unlink(missing_ok=True)
    for name, schema in _WITHOUT_ROWS.items():
        with writing(folder / name, schema):
            pass
    pq.write_table(_NOBODY.empty_table(), folder / "removes.parquet")
    write_bytes(folder / NOTE_FILE, _NOTE.dump_json(replace(note, staged=staged)))
    return staged


_TEXT = pa.string()
_WITHOUT_ROWS = {
    "keys.arrow": pa.schema([("row", pa.int64()), ("key", _TEXT)]),
    "delta.arrow": pa.schema(
        [
            *(("row", pa.int64()), ("key", _TEXT), ("hash", _TEXT), ("fragment", _TEXT), ("head", pa.int32())),
            *(("kind", pa.int8()), ("changed", _TEXT), ("cleared", _TEXT), ("slow", _TEXT), ("uncleared", _TEXT)),
        ]
    ),
}
"""A delta as ``segue.audience.rows.delta_schema`` has it, and the part of the keys that later tasks read."""
_NOBODY = pa.schema([("key", _TEXT), ("hash", _TEXT), ("payload", _TEXT), ("id", _TEXT)])
