"""The profile ids that are kept by address: they go with the last stored file that names the person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from sqlalchemy import delete, select

from segue.audience.text import path_literal
from segue.audience.workbench import Workbench
from segue.catalog import Catalog
from segue.catalog.runs import ProfileId

_BATCH = 500
_READ = 10_000
_SCHEMA = pa.schema([("account", pa.string()), ("key", pa.string())])


def forget_unheld(catalog: Catalog, bench: Workbench, segments: Sequence[Path], *, dry_run: bool) -> int:
    """Drop the ids of people whom none of these segments names; returns how many they are, or would be.

    An id that a run would have used is asked for again: it is never wrong to drop one.
    """
    bench.show("ids", pa.RecordBatchReader.from_batches(_SCHEMA, _ids(catalog)))
    files = ", ".join(path_literal(path) for path in segments)
    named = f"SELECT key FROM read_parquet([{files}])" if files else "SELECT NULL::VARCHAR AS key WHERE false"
    bench.execute(f"CREATE TEMP TABLE unheld AS SELECT account, key FROM ids ANTI JOIN ({named}) USING (key)")
    count = int(bench.one("SELECT count(*) FROM unheld"))
    if count and not dry_run:
        for batch in bench.stream("FROM unheld", rows=_BATCH):
            _drop(catalog, batch.to_pylist())
    return count


def _ids(catalog: Catalog) -> Iterator[pa.RecordBatch]:
    query = select(ProfileId.account_id, ProfileId.key).execution_options(yield_per=_READ)
    with catalog.session(read_only=True) as session:
        for rows in session.execute(query).partitions():
            yield pa.RecordBatch.from_pylist([{"account": a, "key": k} for a, k in rows], schema=_SCHEMA)


def _drop(catalog: Catalog, rows: Sequence[dict[str, str]]) -> None:
    keys: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        keys[row["account"]].append(row["key"])
    with catalog.session() as session:
        for account, some in keys.items():
            session.execute(delete(ProfileId).where(ProfileId.account_id == account, ProfileId.key.in_(some)))
