"""Members of a list that Segue owns whole and that the query does not want, though Segue never sent them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from segue.audience.workbench import Workbench
from segue.destinations.contract import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """How many there are, and a mark over who they are."""

    count: int
    mark: str


def add_strangers(bench: Workbench, folder: Path, destination: Destination, list_id: str | None) -> Strangers:
    """Give removes.parquet its column ``id`` and add the strangers of a list with theirs.

    A profile shows one address only, and may answer to others: who answers to any address of the query, or
    of another orchestration on the list (the relation ``others``), is no stranger.
    list_id: None when no list is owned; nobody is a stranger then.
    """
    path = folder / "removes.parquet"
    removes = pq.read_table(path)
    # A snapshot's columns may be declared to have no NULLs; of a stranger nothing was ever acknowledged.
    removes = removes.cast(pa.schema([field.with_nullable(True) for field in removes.schema]))
    strangers = _strangers(bench, folder, destination, list_id, removes.column("key").to_pylist()) if list_id else []
    nobody = pa.nulls(len(strangers), pa.string())
    keys = pa.array([key or "" for _, key in strangers], pa.string())
    added = pa.table([keys, nobody, nobody], removes.schema.names).cast(removes.schema)
    ids = [*([None] * removes.num_rows), *(profile_id for profile_id, _ in strangers)]
    both = pa.concat_tables([removes, added]).append_column("id", pa.array(ids, pa.string()))
    pq.write_table(both, path)
    mark = hashlib.sha256("\n".join(sorted(profile_id for profile_id, _ in strangers)).encode()).hexdigest()
    return Strangers(count=len(strangers), mark=mark)


def _strangers(
    bench: Workbench, folder: Path, destination: Destination, list_id: str, leaving: Sequence[str]
) -> list[tuple[str, str | None]]:
    members = destination.members(list_id)
    wanted = wanted_keys(bench, folder, [key for _, key in members if key])
    known = wanted | set(leaving)
    strangers = [(profile_id, key) for profile_id, key in members if key is None or key not in known]
    if not strangers:
        return []
    bench.show("seen", pa.table({"key": pa.array([key for _, key in members if key], pa.string())}).to_reader())
    bench.show("keys", folder / "keys.arrow")
    theirs = "(SELECT key FROM keys UNION SELECT key FROM others)"
    unseen = [key for (key,) in bench.fetch(f"SELECT key FROM {theirs} WHERE key NOT IN (SELECT key FROM seen)")]
    answering = destination.member_ids(list_id, unseen)
    return [(profile_id, key) for profile_id, key in strangers if profile_id not in answering]


def wanted_keys(bench: Workbench, folder: Path, keys: Sequence[str]) -> frozenset[str]:
    """Which of these keys the query has, in a row that is sent or refused, or another orchestration on the list."""
    bench.show("asked", pa.table({"key": pa.array(keys, pa.string())}).to_reader())
    bench.show("keys", folder / "keys.arrow")
    kept = "SELECT key FROM keys UNION ALL SELECT key FROM others"
    return frozenset(key for (key,) in bench.fetch(f"SELECT key FROM asked WHERE key IN ({kept})"))
