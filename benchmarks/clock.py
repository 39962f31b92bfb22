"""The time of a part of a program, where its start is no part of the question."""

from __future__ import annotations

import time


class Clock:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> dict[str, float]:
        """seconds: wall; cpu: processor seconds of this process, all threads."""
        return {"seconds": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}
