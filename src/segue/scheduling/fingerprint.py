"""What the sources of a group look like: equal twice means that nothing changed in between."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog import models


def fingerprint(session: Session, orchestrations: Iterable[str]) -> str:
    """A digest of the orchestrations' files and of what is sent from them: names, sizes, times, SQL, settings.

    A file that is not there counts as such: it is the run's matter to say so.
    """
    query = select(models.Orchestration).where(models.Orchestration.name.in_(list(orchestrations)))
    facts = [_facts(row) for row in session.scalars(query.order_by(models.Orchestration.name))]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _facts(row: models.Orchestration) -> dict[str, Any]:
    return {
        "orchestration": row.name,
        # The same data under other SQL or to another list are another result.
        "sql": row.query.sql,
        "destination": row.destination_id,
        "settings": [row.data_template.settings, row.settings],
        "files": [_file(path) for path in _paths(row.query.database)],
    }


def _paths(database: models.Database) -> Iterator[Path]:
    if database.path:
        yield Path(database.path)
        # DuckDB keeps what it has not yet folded into its file beside it.
        yield Path(f"{database.path}.wal")
    for pattern in database.tables.values():
        yield from (Path(path) for path in sorted(glob.glob(pattern, recursive=True)))  # noqa: PTH207 -- absolute


def _file(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (str(path), -1, -1)
    return (str(path), found.st_size, found.st_mtime_ns)
