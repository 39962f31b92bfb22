"""The words for how a run and its tasks stand."""

from __future__ import annotations

from enum import StrEnum

from segue.catalog.runs import ENDED_WELL


class RunStatus(StrEnum):
    """waiting to start -> running -> completed, completed with warnings, failed; or stopping -> stopped.

    A run that was killed stays ``running`` until a worker, or the next run of its orchestration, takes it up."""

    WAITING = "waiting to start"
    RUNNING = "running"
    COMPLETED = "completed"
    WARNINGS = "completed with warnings"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def ended(self) -> bool:
        """Whether nobody works on it, or will."""
        return self not in {RunStatus.WAITING, RunStatus.RUNNING, RunStatus.STOPPING}

    @property
    def succeeded(self) -> bool:
        """Whether it did all it was to do."""
        return self in ENDED_WELL

    @property
    def exit_code(self) -> int:
        """Of the command line: 0 completed, 3 completed with warnings, 130 stopped by the user, 1 otherwise."""
        return {RunStatus.COMPLETED: 0, RunStatus.WARNINGS: 3, RunStatus.STOPPED: 130}.get(self, 1)


class TaskStatus(StrEnum):
    """A task that failed, or that waits because its run was stopped, is begun again when the run is taken up.

    issue: it did its work, and not all of it went well; its outcome says what.
    """

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ISSUE = "issue"
    SKIPPED = "skipped"

    @property
    def done(self) -> bool:
        """Whether its work is done."""
        return self in {TaskStatus.SUCCEEDED, TaskStatus.ISSUE}

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.done or self is TaskStatus.SKIPPED

    @classmethod
    def _missing_(cls, value: object) -> TaskStatus | None:
        """What a task that waits was called before."""
        return cls.WAITING if value == "stopped" else None
