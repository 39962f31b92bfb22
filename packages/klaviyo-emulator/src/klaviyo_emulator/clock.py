"""The clock that every rule of the emulator reads, so that tests move time instead of waiting for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


class Clock:
    """Seconds since 1970 (UTC), in whole microseconds.

    It runs with the wall clock plus whatever it was advanced by; a frozen one stands still between advances.
    """

    def __init__(self, *, frozen_at: float | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = 0.0

    @property
    def frozen(self) -> bool:
        """Whether time passes by ``advance`` alone."""
        return self._frozen_at is not None

    def now(self) -> float:
        """The time in seconds. Rounded to microseconds: what an answer prints must compare equal when it comes back."""
        base = time.time() if self._frozen_at is None else self._frozen_at
        return round(base + self._offset, 6)

    def advance(self, seconds: float) -> float:
        """Move on by ``seconds`` (not negative) and return the new time."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._offset += seconds
        return self.now()

    def restart(self) -> None:
        """Forget every advance."""
        self._offset = 0.0


@lru_cache(maxsize=4096)
def iso(seconds: float) -> str:
    """The time as Klaviyo prints it: ISO 8601 with an offset, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
