"""The durable engine, DBOS, as far as runs need it. Nothing else imports it.

DBOS keeps, in a database of its own, which runs are asked for and which steps of them are done. What the steps do and
what came of it is in the catalog: the engine holds ids, names of steps and whether a run goes on, and no data.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from segue.workflow.queue import Waiting

TASKS_VERSION = "1"
"""Goes up when a run that began with the tasks of before cannot be finished by the tasks of now. The engine takes up
runs of its own version only."""
_SCHEMA = "segue_engine"
"""In PostgreSQL. SQLite has no schemas."""
_QUEUE = "runs"
_WORKFLOW = "run"
_POLL = 0.25
"""Seconds between two looks at the queue."""
_LIVES = 20
"""A run that has killed its process so often is not begun again."""
_OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


class Engine:
    """One per process. carry_out(run_id) is called for each run, in a thread; after a crash it is called again.

    state: the SQLite file of the engine's state, or the PostgreSQL that has it in a schema of its own. at_once: runs at a
    time in this process; of one account there is one at a time in all processes together.
    """

    def __init__(
        self, state: Path | sqlalchemy.Engine, *, worker_id: str, at_once: int, carry_out: Callable[[str], None]
    ) -> None:
        self._shared = state if isinstance(state, sqlalchemy.Engine) else None
        if isinstance(state, Path):
            # Made before the engine connects, which would make it readable by everybody.
            state.touch(mode=0o600)
        # With a handler of ours it adds none, and its warnings go where all others go.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        DBOS(
            config={
                "name": "segue",
                # Of a database that is handed over, the engine wants to know the kind alone.
                "system_database_url": "postgresql:///segue" if self._shared else f"sqlite:///{state}",
                "system_database_engine": self._shared,
                "dbos_system_schema": _SCHEMA,
                "application_version": TASKS_VERSION,
                "executor_id": worker_id,
                "log_level": "WARNING",
                "run_migrations": True,
            }
        )

        def run(run_id: str) -> None:
            carry_out(run_id)

        self._run = DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_LIVES)(run)
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            partition_concurrency=1,
            worker_concurrency=at_once,
            polling_interval_sec=_POLL,
            on_conflict="always_update",
        )

    def put(self, waiting: Waiting) -> None:
        """Give a run to the engine. Giving it again changes nothing."""
        with (
            SetWorkflowID(workflow_id(waiting.run_id, waiting.attempt)),
            SetEnqueueOptions(priority=waiting.priority, queue_partition_key=waiting.account),
        ):
            DBOS.enqueue_workflow(_QUEUE, self._run, waiting.run_id)

    def take_over(self, worker_ids: Sequence[str]) -> None:
        """Begin the runs of workers that are gone again."""
        if worker_ids:
            # The public way to this is a paid service; see the decision about the engine.
            DBOS._recover_pending_workflows(list(worker_ids))  # noqa: SLF001

    def lost(self, run_id: str, attempt: int) -> bool:
        """Whether the engine will do nothing more for a run: it has ended it, given it up, or never had it."""
        status = DBOS.get_workflow_status(workflow_id(run_id, attempt))
        return status is None or status.status in _OVER

    def close(self) -> None:
        """Let go of everything. Runs that are not at rest by now are begun again by the next worker."""
        DBOS.destroy(destroy_registry=True)
        if self._shared is not None:
            self._shared.dispose()


def step(name: str, do: Callable[[], bool]) -> bool:
    """A ``Step`` that the engine writes down, inside of ``carry_out``."""
    return DBOS.run_step({"name": name}, do)


def workflow_id(run_id: str, attempt: int) -> str:
    """What a run is called in the engine: each time that it is asked for is a workflow of its own."""
    return f"{run_id}-{attempt}-v{TASKS_VERSION}"


def new_worker_id() -> str:
    """A name for this process, never used before: the engine must not take its runs for those of a worker that is gone."""
    return os.urandom(8).hex()
