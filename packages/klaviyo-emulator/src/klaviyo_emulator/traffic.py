"""What was asked of the emulator: counters, peaks and the latest requests. No bodies, no keys, no query strings."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass

RECENT = 1000
"""How many requests are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One request to the API. status 0: the connection was closed without an answer."""

    at: float
    account: str
    endpoint: str
    status: int
    milliseconds: float
    bytes_in: int


class Traffic:
    """Counters over all accounts since the start or the last reset."""

    def __init__(self) -> None:
        self.recent: deque[Seen] = deque(maxlen=RECENT)
        self.counts: Counter[tuple[str, int]] = Counter()
        self.bytes_in = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self._buckets: dict[tuple[str, float], tuple[float, int]] = {}
        self._peaks: dict[tuple[str, float], int] = {}

    def begin(self, endpoint: str, now: float) -> None:
        """A request has arrived; counts the peaks, refused requests included."""
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        for seconds in (1.0, 60.0):
            bucket = now // seconds
            last, count = self._buckets.get((endpoint, seconds), (bucket, 0))
            count = count + 1 if last == bucket else 1
            self._buckets[endpoint, seconds] = (bucket, count)
            self._peaks[endpoint, seconds] = max(self._peaks.get((endpoint, seconds), 0), count)

    def end(self, seen: Seen) -> None:
        """The request has been answered, or its connection closed."""
        self.in_flight -= 1
        self.counts[seen.endpoint, seen.status] += 1
        self.bytes_in += seen.bytes_in
        self.recent.append(seen)

    def report(self, *, limit: int = 100) -> dict[str, object]:
        """Everything as JSON; ``limit`` latest requests, newest first."""
        endpoints: dict[str, dict[str, object]] = {}
        for (endpoint, status), count in sorted(self.counts.items()):
            entry = endpoints.setdefault(endpoint, {"requests": 0, "statuses": {}})
            entry["requests"] += count  # type: ignore[operator]
            entry["statuses"][str(status)] = count  # type: ignore[index]
            entry["peak_per_second"] = self._peaks.get((endpoint, 1.0), 0)
            entry["peak_per_minute"] = self._peaks.get((endpoint, 60.0), 0)
        latest = list(self.recent)[-limit:] if limit else []
        return {
            "total": sum(self.counts.values()),
            "bytes_in": self.bytes_in,
            "peak_in_flight": self.peak_in_flight,
            "endpoints": endpoints,
            "recent": [asdict(seen) for seen in reversed(latest)],
        }
