"""Fixed rate windows, counted per owner (account, or OAuth app in an account) and name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from klaviyo_emulator.operations import Quota

BURST_SECONDS = 1.0
STEADY_SECONDS = 60.0
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """retry_after is None when the request may pass; the rest describes the steady window, in requests and seconds."""

    retry_after: int | None
    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The headers of an answer that passed."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class Windows:
    """Counts of the open windows."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, float], tuple[float, int]] = {}

    def take(
        self, owner: str, named: Sequence[tuple[str, Quota]], *, now: float, scale: float = 1.0, aligned: bool = False
    ) -> Verdict:
        """Count one request against the burst and steady windows of every named quota, if all of them have room."""
        waits = []
        for name, quota in named:
            for seconds, limit in ((BURST_SECONDS, quota.burst), (STEADY_SECONDS, quota.steady)):
                start, count = self._window(owner, name, seconds, now, aligned)
                if count >= _scaled(limit, scale):
                    waits.append(start + seconds - now)
        if waits:
            return Verdict(retry_after=max(1, math.ceil(max(waits))), limit=0, remaining=0, reset=0)
        tightest: tuple[int, int, float] | None = None
        for name, quota in named:
            self._count(owner, name, BURST_SECONDS, now, aligned)
            start, count = self._count(owner, name, STEADY_SECONDS, now, aligned)
            limit = _scaled(quota.steady, scale)
            if tightest is None or limit - count < tightest[1]:
                tightest = (limit, limit - count, start)
        if tightest is None:
            raise ValueError("a request counts against at least one quota")
        limit, left, start = tightest
        return Verdict(
            retry_after=None, limit=limit, remaining=left, reset=max(0, math.ceil(start + STEADY_SECONDS - now))
        )

    def room(self, owner: str, name: str, *, limit: int, seconds: float, now: float) -> int | None:
        """Count one use of a single window; None when it had room, else the seconds until it has."""
        start, count = self._window(owner, name, seconds, now, aligned=False)
        if count >= limit:
            return max(1, math.ceil(start + seconds - now))
        self._count(owner, name, seconds, now, aligned=False)
        return None

    def _window(self, owner: str, name: str, seconds: float, now: float, aligned: bool) -> tuple[float, int]:
        start, count = self._open.get((owner, name, seconds), (now, 0))
        if now >= start + seconds:
            start, count = now, 0
        if count == 0 and aligned:
            start = now // seconds * seconds
        return start, count

    def _count(self, owner: str, name: str, seconds: float, now: float, aligned: bool) -> tuple[float, int]:
        start, count = self._window(owner, name, seconds, now, aligned)
        self._open[owner, name, seconds] = (start, count + 1)
        return start, count + 1


def _scaled(limit: int, scale: float) -> int:
    return max(1, round(limit * scale))
