"""What sending a delta costs at Klaviyo: requests, bytes, and the least time at the published limits."""

from __future__ import annotations

from segue.audience.delta import Delta
from segue.delivery.budget import seconds_needed
from segue.destinations.contract import Estimate
from segue.destinations.klaviyo.limits import (
    CREATE_JOB,
    CREATE_LIST,
    ENVELOPE_BYTES,
    GET_ACCOUNTS,
    GET_JOBS,
    GET_LIST_COUNT,
    GET_LISTS,
    GET_MEMBERS,
    IDS_A_CALL,
    IMPORT_PROFILE,
    LIMITS,
    PAGE,
    REMOVE_MEMBERS,
)


def estimate(delta: Delta, *, removes: int, read_back: int, new_list: bool) -> Estimate:
    """Requests by endpoint; ``GET`` of jobs is one call a poll, at least one for each hundred jobs. Minutes are the sum over
    tasks, since clears wait for imports and removes wait for both; Klaviyo's own processing comes on top."""
    jobs = len(delta.chunks)
    sampled = _calls(min(read_back, delta.counts.added + delta.counts.changed), PAGE)
    sampled += _calls(min(read_back, removes), PAGE)
    requests = {
        GET_ACCOUNTS.name: 1,
        GET_LISTS.name: int(new_list),
        GET_LIST_COUNT.name: int(not new_list) + int(bool(jobs or removes)),
        CREATE_LIST.name: int(new_list),
        CREATE_JOB.name: jobs,
        GET_JOBS.name: _calls(jobs, PAGE),
        IMPORT_PROFILE.name: delta.counts.slow_rows,
        GET_MEMBERS.name: _calls(removes, PAGE) + sampled,
        REMOVE_MEMBERS.name: _calls(removes, IDS_A_CALL),
    }
    seconds = sum(seconds_needed(calls, LIMITS[name]) for name, calls in requests.items())
    return Estimate(
        requests={name: calls for name, calls in requests.items() if calls},
        bytes=sum(chunk.bytes + ENVELOPE_BYTES // 4 for chunk in delta.chunks),
        minutes=round(seconds / 60, 2),
    )


def _calls(items: int, a_call: int) -> int:
    return -(-items // a_call)
