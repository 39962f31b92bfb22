"""What sending a delta costs at Klaviyo: requests, bytes, and the least time at the published limits."""

from __future__ import annotations

from collections.abc import Mapping

from segue.audience.delta import Delta
from segue.delivery.budget import seconds_needed
from segue.destinations.contract import Estimate
from segue.destinations.klaviyo.limits import (
    CREATE_JOB,
    CREATE_LIST,
    ENVELOPE_BYTES,
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


def estimate(
    delta: Delta,
    *,
    removes: int,
    strangers: int,
    read_back: int,
    new_list: bool,
    made: Mapping[str, int],
    share: float = 1.0,
) -> Estimate:
    """Requests by endpoint; ``GET`` of jobs is one call a poll, at least one for each hundred jobs. Minutes are the sum over
    tasks, since clears wait for imports and removes wait for both; Klaviyo's own processing comes on top.

    strangers: members to remove whose ids are known; made: the calls of the look-ups before, which a run makes too;
    share: how much of the limits may be used.
    """
    jobs = len(delta.chunks)
    sampled = _calls(min(read_back, delta.counts.added + delta.counts.changed), PAGE)
    sampled += _calls(min(read_back, removes), PAGE)
    left = {
        # A name is looked up once more before a list is made of it.
        GET_LISTS.name: int(new_list),
        GET_LIST_COUNT.name: int(bool(jobs or removes or strangers)),
        CREATE_LIST.name: int(new_list),
        CREATE_JOB.name: jobs,
        GET_JOBS.name: _calls(jobs, PAGE),
        IMPORT_PROFILE.name: delta.counts.slow_rows,
        GET_MEMBERS.name: _calls(removes, PAGE) + sampled,
        REMOVE_MEMBERS.name: _calls(removes + strangers, IDS_A_CALL),
    }
    requests = {name: made.get(name, 0) + left.get(name, 0) for name in {**made, **left}}
    seconds = sum(seconds_needed(calls, LIMITS[name].part(share)) for name, calls in requests.items())
    return Estimate(
        requests={name: calls for name, calls in requests.items() if calls},
        bytes=sum(chunk.bytes + ENVELOPE_BYTES // 4 for chunk in delta.chunks),
        minutes=round(seconds / 60, 2),
    )


def _calls(items: int, a_call: int) -> int:
    return -(-items // a_call)
