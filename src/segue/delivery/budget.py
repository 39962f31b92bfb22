"""One rate budget per account: how fast calls may go out, as data per endpoint, lowered by what the server says.

The server counts in fixed windows of one second (burst) and one minute (steady) whose beginnings we do not know. Calls of
an endpoint are therefore spaced evenly at the burst rate, no second sees more than the burst number, and no 60 seconds
more than the steady one. The server may lower the budget, never raise it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BURST_WINDOW = 1.0
STEADY_WINDOW = 60.0
_BURST_SHARE = 0.98
"""Jitter on the way must not put an eleventh call into a window of ten."""
_STEADY_SLACK = 0.25
"""Seconds added to the window, for the same reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Calls per second and calls per minute."""

    burst: float
    steady: float

    def part(self, share: float) -> Limit:
        """This share of both, 1 for all."""
        return Limit(burst=self.burst * share, steady=self.steady * share)


class Interrupted(Exception):  # noqa: N818 -- a request to stop, not a failure
    """The user asked to stop while a call was waiting for its turn."""


@dataclass(slots=True)
class _Lane:
    limit: Limit
    sent: deque[float] = field(default_factory=deque)
    next_at: float = 0.0
    closed_until: float = 0.0
    left: int | None = None
    resets_at: float = 0.0
    waited: float = 0.0
    fresh: bool = True
    """Nothing was sent for a whole window, so what the server counts in it may be other processes' of ours."""
    ours_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an endpoint stands. left: calls that the steady window still admits; waited: seconds for which calls were held
    back since the process began, those of callers at the same time added up."""

    left: int
    waited: float


class Windows:
    """What is known of the windows of one account. Several budgets may share it. Thread-safe where ``lock`` is held.

    scale: 1 obeys the limits as they are, 2 doubles them, 0 does not wait at all (a fake server); share: how much of them
    may be used, over 0 and up to 1: the rest is for other programs.
    """

    def __init__(
        self, limits: Mapping[str, Limit], *, scale: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lanes = {
            name: _Lane(Limit(burst=limit.burst * (scale or 1), steady=limit.steady * (scale or 1)))
            for name, limit in limits.items()
        }
        self.paced = scale > 0
        self.share = 1.0
        self.clock = clock
        self.lock = threading.Lock()

    def absorb(self, other: Windows) -> None:
        """Count what was sent through other windows here too: they turned out to be the same account's."""
        for name, theirs in other.lanes.items():
            ours = self.lanes[name]
            ours.sent = deque(sorted([*ours.sent, *theirs.sent]))
            ours.next_at = max(ours.next_at, theirs.next_at)
            ours.closed_until = max(ours.closed_until, theirs.closed_until)
            ours.waited += theirs.waited
            ours.fresh = ours.fresh and theirs.fresh
            ours.ours_until = max(ours.ours_until, theirs.ours_until)

    def allow(self, share: float) -> None:
        """Use this share from now on. What was sent so far still counts."""
        with self.lock:
            self.share = share

    def standing(self) -> dict[str, Standing]:
        """How every endpoint stands."""
        with self.lock:
            now = self.clock()
            return {
                name: Standing(left=_left(lane, now, self.share), waited=lane.waited)
                for name, lane in self.lanes.items()
            }


class RateBudget:
    """The calls of one connection, under the windows of its account. Thread-safe.

    A process that was silent for a window does not know which of its calls other processes of ours made. Where only a share
    may be used, all that the server counts in that window is taken for ours, so that runs that go from one worker to the
    next stay within the share together.

    pause(seconds) must return False when the user asked to stop; on_wait(endpoint, seconds) is told of waits over a second.
    """

    def __init__(
        self,
        windows: Windows,
        *,
        pause: Callable[[float], bool] | None = None,
        on_wait: Callable[[str, float], None] = lambda _endpoint, _seconds: None,
    ) -> None:
        self._windows = windows
        self._pause = pause or _sleep
        self._on_wait = on_wait
        self.calls: Counter[str] = Counter()
        """Calls made so far through this budget, by endpoint."""

    def share(self, windows: Windows) -> None:
        """From now on use these windows."""
        self._windows = windows

    @property
    def allowed(self) -> float:
        """The share of the windows that may be used."""
        return self._windows.share

    @property
    def paced(self) -> bool:
        """False with a fake server: its limits are off."""
        return self._windows.paced

    def acquire(self, endpoint: str) -> None:
        """Return when a call of this endpoint may go out. Raises Interrupted when the user asked to stop."""
        while True:
            windows = self._windows
            with windows.lock:
                lane, now = windows.lanes[endpoint], windows.clock()
                wait = self._earliest(lane, now) - now
                if wait <= 0:
                    self._take(lane, now)
                    self.calls[endpoint] += 1
                    return
                lane.waited += wait
            if wait > 1:
                self._on_wait(endpoint, wait)
            if not self._pause(wait):
                raise Interrupted

    def _earliest(self, lane: _Lane, now: float) -> float:
        closed = lane.closed_until
        if not self._windows.paced:
            return closed
        while lane.sent and lane.sent[0] <= now - STEADY_WINDOW - _STEADY_SLACK:
            lane.sent.popleft()
        if lane.left is not None and lane.left <= 0:
            closed = max(closed, lane.resets_at)
        # Late calls are caught up with, so even spacing alone would let one too many into a second.
        limit = lane.limit.part(self._windows.share)
        burst, steady = _whole(limit.burst), _whole(limit.steady)
        if len(lane.sent) >= burst:
            closed = max(closed, lane.sent[-burst] + BURST_WINDOW / _BURST_SHARE)
        if len(lane.sent) >= steady:
            closed = max(closed, lane.sent[-steady] + STEADY_WINDOW + _STEADY_SLACK)
        return max(closed, lane.next_at)

    def _take(self, lane: _Lane, now: float) -> None:
        if not self._windows.paced:
            return
        lane.fresh = lane.fresh or not lane.sent
        lane.sent.append(now)
        gap = 1 / (lane.limit.burst * self._windows.share * _BURST_SHARE)
        # A late call does not push the following ones back: the average stays at the burst rate.
        lane.next_at = lane.next_at + gap if now - lane.next_at < gap else now + gap
        if lane.left is not None:
            lane.left = lane.left - 1 if now < lane.resets_at else None

    def observe(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Learn from the RateLimit-* headers of an answer; other programs of the same account use the budget too."""
        remaining, reset = _number(headers.get("ratelimit-remaining")), _number(headers.get("ratelimit-reset"))
        limit = _number(headers.get("ratelimit-limit"))
        windows = self._windows
        with windows.lock:
            lane = windows.lanes[endpoint]
            if limit and limit < lane.limit.steady:
                lane.limit = Limit(burst=lane.limit.burst, steady=limit)
            if remaining is None or reset is None:
                return
            now = windows.clock()
            if lane.fresh:
                lane.fresh, lane.ours_until = False, now + reset
            if windows.paced and windows.share < 1 and now < lane.ours_until:
                remaining -= lane.limit.steady - _whole(lane.limit.steady * windows.share)
            known = lane.left if lane.left is not None and now < lane.resets_at else None
            lane.left = int(remaining) if known is None else min(known, int(remaining))
            lane.resets_at = now + reset

    def close(self, endpoint: str, seconds: float) -> None:
        """The server asked for a pause: nobody calls this endpoint for so long. The pause is never shortened."""
        windows = self._windows
        with windows.lock:
            lane = windows.lanes[endpoint]
            lane.closed_until = max(lane.closed_until, windows.clock() + seconds)

    def pause(self, seconds: float, *, endpoint: str) -> None:
        """Wait outside any window before the next call of an endpoint, interruptibly; over a second it is told."""
        if seconds > 1:
            self._on_wait(endpoint, seconds)
        if not self._pause(seconds):
            raise Interrupted


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def _left(lane: _Lane, now: float, share: float) -> int:
    """By our own count and by what the server said, whichever is less; none while the server asks for a pause."""
    if now < lane.closed_until:
        return 0
    left = _whole(lane.limit.steady * share) - sum(sent > now - STEADY_WINDOW for sent in lane.sent)
    if lane.left is not None and now < lane.resets_at:
        left = min(left, lane.left)
    return max(0, left)


def _whole(limit: float) -> int:
    """Calls that a window admits; a scaled-down or lowered limit still admits one."""
    return max(1, int(limit))


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < math.inf else None


def seconds_needed(calls: int, limit: Limit) -> float:
    """The least time in which ``calls`` can be made: whole minutes of the steady window, the rest at the burst rate."""
    if calls <= 0:
        return 0.0
    minutes, rest = divmod(calls - 1, _whole(limit.steady))
    return minutes * STEADY_WINDOW + rest / limit.burst
