"""How destinations answered this process: calls by endpoint and status."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[tuple[str, str]] = Counter()


def answered(endpoint: str, status: int | None) -> None:
    """Count one attempt. status: of HTTP, None where there was no answer."""
    with _lock:
        _counts[endpoint, "none" if status is None else str(status)] += 1


def answers() -> dict[tuple[str, str], int]:
    """Attempts since the process began, by endpoint and status (``none``: no answer)."""
    with _lock:
        return dict(_counts)
