"""What a run sent of a few people: samples to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from segue.audience.text import parquet
from segue.audience.workbench import Workbench
from segue.catalog.runs import Run
from segue.services.audit import record
from segue.services.privacy import mask_payload, mask_value
from segue.services.workspace import Workspace
from segue.settings import Settings

_KINDS = {"add": "added", "change": "changed", "remove": "removed", "maybe": "unsettled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRow:
    """kind: ``added``, ``changed``, ``removed`` or ``unsettled`` (sent, and nobody knows whether it arrived); changed, cleared:
    names of fields; payload: the profile's attributes as they were sent, of a removed person those of before."""

    kind: str
    key: str | None
    changed: tuple[str, ...]
    cleared: tuple[str, ...]
    payload: Mapping[str, Any] | None


def run_samples(
    workspace: Workspace, settings: Settings, *, orchestration_id: str, run_id: str, limit: int = 20
) -> tuple[SentRow, ...]:
    """Up to ``limit`` people of each kind; none where a run changed nothing or what it changed is no longer stored.

    Keys and values are masked for those who may not see them. The activity log has a line of it. Raises NotPermittedError.
    """
    workspace.actor.require("people.read")
    segment = workspace.layout.snapshots / orchestration_id / f"{run_id}.parquet"
    if not segment.is_file():
        return ()
    with workspace.catalog.session() as session:
        run = session.get(Run, run_id)
        record(session, workspace.actor, "samples.read", run.orchestration if run else None, after={"run": run_id})
    with Workbench(workspace.layout.runs, memory_bytes=settings.engine_memory, threads=1) as bench:
        # A few of each kind at a time: the whole of a first send would not fit.
        rows = [row for kind in _KINDS for row in bench.fetch(_first(parquet(segment), kind, limit))]
    actor = workspace.actor
    return tuple(
        SentRow(
            kind=_KINDS[kind],
            key=mask_value(actor, key),
            changed=_names(changed),
            cleared=_names(cleared),
            payload=mask_payload(actor, orjson.loads(payload)) if payload else None,
        )
        for kind, key, changed, cleared, payload in rows
    )


def _first(segment: str, kind: str, limit: int) -> str:
    return f"""SELECT kind, key, changed, cleared, payload FROM {segment} WHERE kind = '{kind}'
        ORDER BY row NULLS LAST, key LIMIT {limit}"""


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()
