"""The background task that processes jobs when they are due."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from klaviyo_emulator.bulk import process
from klaviyo_emulator.world import World

IDLE_SLICES = 8
"""Slices between two turns of the event loop while no request is being answered."""


class Worker:
    """One at a time, in the order of their due times, a slice of rows per turn of the event loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()

    def wake(self) -> None:
        """A job was queued or the clock moved."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            await self.settle()
            due = self._world.next_due()
            wait = None if due is None else max(0.0, due - self._world.clock.now())
            if self._world.clock.frozen:
                wait = None  # only an advance, which wakes, can make a job due
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def settle(self) -> None:
        """Process every job that is due by now, then return."""
        async with self._busy:
            for account, job in self._world.due_jobs():
                for turn, _ in enumerate(process(self._world, account, job)):
                    if self._world.traffic.in_flight or turn % IDLE_SLICES == 0:
                        await asyncio.sleep(0)
