"""Which members of a group may begin, and which never will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.scheduling.status import MemberStatus


def ready(after: Mapping[str, Sequence[str]], statuses: Mapping[str, MemberStatus]) -> tuple[str, ...]:
    """Members that wait for nothing any more, in the group's order. after: member -> the members before it."""
    return tuple(
        name
        for name, before in after.items()
        if statuses[name] is MemberStatus.WAITING and all(statuses[other].succeeded for other in before)
    )


def blocked(after: Mapping[str, Sequence[str]], statuses: Mapping[str, MemberStatus]) -> dict[str, str]:
    """Members that cannot run any more -> the member before them that did not succeed."""
    found: dict[str, str] = {}
    for name, before in after.items():
        if statuses[name] is MemberStatus.WAITING:
            for other in before:
                if statuses[other].ended and not statuses[other].succeeded:
                    found.setdefault(name, other)
    return found
