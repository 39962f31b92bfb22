"""Rows of runs as they are made, and as they are looked for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from segue.catalog.base import now
from segue.catalog.runs import ENDED_WELL, DeliveryPart, Run, Task
from segue.workflow.status import RunStatus, TaskStatus

SETTLED = (Task.name == "record", Task.status.in_([status for status in TaskStatus if status.over]))
"""Says of a task that its run recorded what came of it, or was given up; see ``RunRecord.settled``."""


def new_run(
    *,
    orchestration_id: str,
    orchestration: str,
    kind: str,
    settings: Mapping[str, Any],
    credential_id: str,
    undoes: str | None = None,
) -> Run:
    """A row for a run that waits, not stored yet."""
    started = now()
    return Run(
        id=f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        orchestration_id=orchestration_id,
        orchestration=orchestration,
        kind=kind,
        undoes=undoes,
        status=RunStatus.WAITING,
        started_at=started,
        settings=dict(settings),
        list_created=False,
        counts={},
        requests={},
        warnings=[],
        started_by="user",
        priority=10,
        attempt=0,
        options={},
        credential_id=credential_id,
    )


def unfinished_run(orchestration_id: str, *, besides: str = "") -> Select[Run]:
    """Selects the latest run that has begun to write and has not recorded what came of it."""
    settled = select(Task.run_id).where(*SETTLED)
    begun = select(DeliveryPart.run_id).where(DeliveryPart.run_id == Run.id).exists()
    return (
        select(Run)
        .where(Run.orchestration_id == orchestration_id, Run.status.not_in(ENDED_WELL), Run.id != besides)
        .where(Run.id.not_in(settled), begun)
        .order_by(Run.started_at.desc())
        .limit(1)
    )
