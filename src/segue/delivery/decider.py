"""What an answer means: one table, one place that decides.

status             decision        code
2xx                DONE
400, 409           ROW_ERROR       refused, conflict      the request's rows are at fault
401                CREDENTIAL      key_refused
403                CREDENTIAL      scope_missing
404                GONE            not_found              list, profile or job is not there
410                STOP            revision_retired
413, 414           SPLIT           too_large
429                SLOW_DOWN                              never a failure; wait as the server says
500 502 503 504    RETRY           unavailable            and 524, and no answer at all
others             STOP            unexpected_answer
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What the caller does next."""

    DONE = "done"
    RETRY = "retry"
    SLOW_DOWN = "slow down"
    ROW_ERROR = "row error"
    SPLIT = "split"
    GONE = "gone"
    CREDENTIAL = "credential"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A decision and the code that it is known by."""

    decision: Decision
    code: str


_DONE = Rule(decision=Decision.DONE, code="done")
_UNAVAILABLE = Rule(decision=Decision.RETRY, code="unavailable")
RULES: Mapping[int, Rule] = {
    400: Rule(decision=Decision.ROW_ERROR, code="refused"),
    401: Rule(decision=Decision.CREDENTIAL, code="key_refused"),
    403: Rule(decision=Decision.CREDENTIAL, code="scope_missing"),
    404: Rule(decision=Decision.GONE, code="not_found"),
    409: Rule(decision=Decision.ROW_ERROR, code="conflict"),
    410: Rule(decision=Decision.STOP, code="revision_retired"),
    413: Rule(decision=Decision.SPLIT, code="too_large"),
    414: Rule(decision=Decision.SPLIT, code="too_large"),
    429: Rule(decision=Decision.SLOW_DOWN, code="throttled"),
    500: _UNAVAILABLE,
    502: _UNAVAILABLE,
    503: _UNAVAILABLE,
    504: _UNAVAILABLE,
    524: _UNAVAILABLE,
}
MAX_ATTEMPTS = 8
_BASE_SECONDS = 0.5
_CAP_SECONDS = 60.0
LONG_PAUSE = 900.0
"""Seconds. A longer Retry-After is a daily limit, not a throttle: the run says so instead of sleeping on it."""


def decide(status: int | None) -> Rule:
    """The rule for an answer's status; None is no answer: a refused, broken or timed-out connection."""
    if status is None:
        return _UNAVAILABLE
    if 200 <= status < 300:  # noqa: PLR2004
        return _DONE
    return RULES.get(status, Rule(decision=Decision.STOP, code="unexpected_answer"))


def backoff(attempt: int, *, draw: float | None = None) -> float:
    """Seconds before attempt ``attempt`` (2 is the first repeat): doubling, capped, half of it random, so that callers
    that failed together do not come back together. draw: 0 to 1, for tests."""
    full = min(_CAP_SECONDS, _BASE_SECONDS * 2.0 ** (attempt - 1))
    return full * (0.5 + 0.5 * (random.random() if draw is None else draw))  # noqa: S311 -- spread, not secrecy
