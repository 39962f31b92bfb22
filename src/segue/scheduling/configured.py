"""What is set up to run: orchestrations and groups, with what starts them and when that is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from segue.scheduling.groups import Group, load_groups, next_starts
from segue.scheduling.records import GroupRecord, GroupRecords
from segue.services.overview import OrchestrationLine, orchestration_lines
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """kind: ``orchestration`` or ``group``; starts: what starts it, in words; schedule: its times in words; following: the
    next of them, None where none is known; status: of the last run, None where there is none; run_id: of an orchestration's
    last run."""

    kind: str
    id: str
    name: str
    starts: str
    schedule: str | None
    following: datetime | None
    last_at: datetime | None
    status: str | None
    run_id: str | None = None


def configured(workspace: Workspace, *, now: datetime) -> tuple[Configured, ...]:
    """Groups, then orchestrations, each by name. Raises NotPermittedError."""
    lines = orchestration_lines(workspace)
    with workspace.catalog.session(read_only=True) as session:
        groups = load_groups(session)
    last = GroupRecords(workspace.catalog).last_of_each()
    following = {group.id: next(iter(next_starts(group, 1, now=now)), None) for group in groups}
    groups_of: dict[str, list[Group]] = {}
    for group in groups:
        for name in {member.orchestration for member in group.members}:
            groups_of.setdefault(name, []).append(group)
    return (
        *(_of_group(group, following[group.id], last.get(group.id)) for group in groups),
        *(_of_orchestration(line, groups_of.get(line.name, ()), following) for line in lines),
    )


def _of_group(group: Group, following: datetime | None, last: GroupRecord | None) -> Configured:
    return Configured(
        kind="group",
        id=group.id,
        name=group.name,
        starts=_starts(group),
        schedule=_schedule(group),
        following=following,
        last_at=(last.started_at or last.due_at) if last else None,
        status=str(last.status) if last else None,
    )


def _of_orchestration(
    line: OrchestrationLine, mine: Sequence[Group], following: Mapping[str, datetime | None]
) -> Configured:
    times = [(time, group) for group in mine if (time := following[group.id]) is not None]
    soonest = min(times, key=lambda pair: pair[0], default=None)
    return Configured(
        kind="orchestration",
        id=line.id,
        name=line.name,
        starts=f"group {', '.join(group.name for group in mine)}" if mine else "by hand",
        schedule=_schedule(soonest[1]) if soonest else None,
        following=soonest[0] if soonest else None,
        last_at=line.last.started_at if line.last else None,
        status=line.last.status if line.last else None,
        run_id=line.last.run_id if line.last else None,
    )


def _starts(group: Group) -> str:
    ways = [
        *(["on a schedule"] if group.timetable else []),
        *([f'after the signal "{group.after_signal}"'] if group.after_signal else []),
        *([f'after the group "{group.after_group}"'] if group.after_group else []),
    ]
    said = " and ".join(ways) or "by hand"
    return said if group.enabled else f"{said}; disabled"


def _schedule(group: Group) -> str | None:
    return f"{group.timetable.words}, {group.timetable.timezone}" if group.timetable else None
