"""A run as a stream of server-sent events, from the rows that the run itself writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool

from segue.client import values
from segue.workflow.status import RunStatus

_EVERY = 0.5
"""Seconds between two looks at the rows."""
_ALIVE = 30
"""Looks without news after which a comment keeps the connection open."""


class EventStream:
    """The events of a run, until it has ended. read: the run as it stands; it is called from a thread."""

    def __init__(self, read: Callable[[], values.Run], *, every: float = _EVERY) -> None:
        self._read = read
        self._every = every
        self._told: dict[str, values.Task] = {}
        self._status: str | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Every part of the stream, as it has to be sent."""
        quiet = 0
        while True:
            run = await run_in_threadpool(self._read)
            news = self._news(run)
            for part in news:
                yield part
            if RunStatus(run.status).ended:
                return
            quiet = 0 if news else quiet + 1
            if quiet >= _ALIVE:
                quiet = 0
                yield b": still there\n\n"
            await asyncio.sleep(self._every)

    def _news(self, run: values.Run) -> list[bytes]:
        changed = [task for task in run.tasks if self._told.get(task.name) != task]
        self._told.update({task.name: task for task in changed})
        parts = [_event("task", task.model_dump_json()) for task in changed]
        if run.status != self._status:
            self._status = run.status
            parts.append(_event("run", run.model_dump_json()))
        return parts


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
