"""One table says what an answer means: klaviyo-api.md, section 6.2."""

from __future__ import annotations

import pytest

from segue.delivery.decider import MAX_ATTEMPTS, Decision, backoff, decide


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (200, Decision.DONE),
        (201, Decision.DONE),
        (202, Decision.DONE),
        (204, Decision.DONE),
        (400, Decision.ROW_ERROR),
        (401, Decision.CREDENTIAL),
        (403, Decision.CREDENTIAL),
        (404, Decision.GONE),
        (405, Decision.STOP),
        (409, Decision.ROW_ERROR),
        (410, Decision.STOP),
        (413, Decision.SPLIT),
        (415, Decision.STOP),
        (429, Decision.SLOW_DOWN),
        (500, Decision.RETRY),
        (502, Decision.RETRY),
        (503, Decision.RETRY),
        (504, Decision.RETRY),
        (524, Decision.RETRY),
        (None, Decision.RETRY),
        (301, Decision.STOP),
        (418, Decision.STOP),
        (501, Decision.STOP),
    ],
)
def test_each_status_has_one_decision(status: int | None, decision: Decision) -> None:
    assert decide(status).decision is decision


def test_waits_double_from_half_a_second_with_jitter_up_to_a_minute() -> None:
    for attempt in range(2, MAX_ATTEMPTS + 5):
        full = min(60.0, 0.5 * 2 ** (attempt - 1))
        assert backoff(attempt, draw=0) == full / 2
        assert backoff(attempt, draw=1) == full
        assert full / 2 <= backoff(attempt) <= full
