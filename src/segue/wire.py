"""What the use cases give, as it goes over the wire and as the command line shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from segue.alerts import Line
from segue.client import group_values, request_values, state_values, values
from segue.delivery.exchanges import answered_how
from segue.scheduling import Group, GroupRecord, Scheduler, load_groups, next_starts
from segue.services.connections import TestedConnection
from segue.services.exchange_files import StoredExchange
from segue.services.exchanges import RunRequests
from segue.services.history import Entry
from segue.services.plan_samples import PlanSamples
from segue.services.planning import Plan
from segue.services.rejects import Reject
from segue.timetable import Timetable
from segue.workflow.outline import outline
from segue.workflow.records import RunRecord, TaskRecord
from segue.workflow.resolve import Offer

_NEXT = 5
"""Times to come that are told of a group."""


def run_of(run: RunRecord, *, parts: Mapping[str, int] | None = None) -> values.Run:
    """A run with its tasks, those that have not begun too. parts: its deliveries by state."""
    return values.Run(
        run_id=run.id,
        orchestration=run.orchestration,
        kind=run.kind,
        status=run.status,
        started_by=run.started_by,
        plan_id=run.plan_id,
        undoes=run.undoes,
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=run.seconds,
        account_id=run.account_id,
        list=values.ListRef(id=run.list_id, name=run.list_name, created=run.list_created),
        counts=dict(run.counts),
        requests=dict(run.requests),
        warnings=tuple(run.warnings),
        error=values.Failure.model_validate(run.error) if run.error else None,
        tasks=tuple(map(task_of, outline(run))),
        settings=dict(run.settings),
        parts=dict(parts or {}),
    )


def started_of(run: RunRecord, *, resumed: bool) -> values.Started:
    """A run that was asked for. resumed: it had begun, or was asked for, before."""
    return values.Started(**dict(run_of(run)), resumed=resumed)


def plan_of(plan: Plan, samples: PlanSamples | None = None) -> values.Plan:
    """What a run would do, with a few people of each kind where they were asked for."""
    shown = asdict(samples) if samples is not None else None
    return values.Plan.model_validate({**plan.as_dict(), "samples": shown})


def reject_of(reject: Reject) -> values.Reject:
    """Why something was not sent."""
    return values.Reject.model_validate(asdict(reject))


def run_requests_of(run_id: str, told: RunRequests) -> request_values.RunRequests:
    """When a run called its destination."""
    return request_values.RunRequests(
        run_id=run_id,
        width=told.width,
        items=tuple(
            request_values.RequestLine(
                at=datetime.fromtimestamp(line.at, UTC),
                endpoint=line.endpoint,
                status=line.status,
                outcome=answered_how(line.status),
                calls=line.calls,
                waited=line.waited,
            )
            for line in told.lines
        ),
    )


def exchange_of(stored: StoredExchange) -> request_values.Exchange:
    """A sampled request with its answer."""
    how = answered_how(stored.exchange.status)
    told = {**asdict(stored.exchange), "number": stored.number, "forgotten": stored.forgotten, "outcome": how}
    return request_values.Exchange.model_validate(told)


def connection_of(tested: TestedConnection) -> state_values.Connection:
    """What a credential opens."""
    return state_values.Connection(
        credential=tested.credential,
        plugin=tested.plugin,
        account_id=tested.account.id,
        account_name=tested.account.name,
        account_note=tested.account.note,
        sound=tested.sound,
        missing=tested.missing,
    )


def notification_of(line: Line) -> state_values.Notification:
    """A line of the recent activity."""
    return state_values.Notification.model_validate(asdict(line))


def history_entry_of(entry: Entry) -> values.HistoryEntry:
    """What one run did with a person."""
    return values.HistoryEntry.model_validate(asdict(entry))


def resolutions_of(offered: Offer) -> values.Resolutions:
    """What can be done about a run."""
    entry, error = offered.resolution, offered.run.error or {}
    return values.Resolutions(
        run_id=offered.run.id,
        orchestration=offered.run.orchestration,
        status=offered.run.status,
        code=offered.code,
        message=error.get("message"),
        task=offered.task,
        cause=entry.cause,
        who=entry.who,
        steps=entry.steps,
        actions=tuple(values.OfferedAction(action=a, meaning=a.meaning) for a in offered.actions),
        docs=entry.docs,
        fuses=offered.fuses,
        lists=offered.lists,
        opens_at=offered.opens_at,
    )


def group_run_of(run: GroupRecord) -> group_values.GroupRun:
    """A run of a group with its members."""
    return group_values.GroupRun(
        group_run_id=run.id,
        group=run.group,
        cause=run.cause,
        status=run.status,
        due_at=run.due_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        warnings=run.warnings,
        members=tuple(group_values.GroupMember.model_validate(asdict(member)) for member in run.members),
    )


def group_states_of(scheduler: Scheduler, *, now: datetime) -> group_values.GroupStates:
    """How every group stands, by name. now: after which the next times are."""
    with scheduler.catalog.session(read_only=True) as session:
        groups = load_groups(session)
    latest = scheduler.records.latest_of_each()
    return group_values.GroupStates(
        items=tuple(_group_state(group, latest.get(group.id), now) for group in groups),
        scheduler_seen_at=scheduler.last_beat(),
    )


def _group_state(group: Group, latest: GroupRecord | None, now: datetime) -> group_values.GroupState:
    return group_values.GroupState(
        name=group.name,
        enabled=group.enabled,
        schedule=_schedule(group.timetable, missed="run_once" if group.run_missed else "skip"),
        next=next_starts(group, _NEXT, now=now),
        after_signal=group.after_signal,
        after_group=group.after_group,
        offset_seconds=group.offset.total_seconds(),
        only_if_changed=group.only_if_changed,
        members=tuple(
            group_values.MemberPlace(orchestration=member.orchestration, after=member.after) for member in group.members
        ),
        last=group_run_of(latest) if latest else None,
    )


def _schedule(timetable: Timetable | None, *, missed: str) -> group_values.Schedule | None:
    if timetable is None:
        return None
    return group_values.Schedule(cron=timetable.cron, words=timetable.words, timezone=timetable.timezone, missed=missed)


def task_of(task: TaskRecord) -> values.Task:
    """A task."""
    ended = task.started_at is not None and task.ended_at is not None
    return values.Task(
        name=task.name,
        status=task.status,
        started_at=task.started_at,
        ended_at=task.ended_at,
        seconds=(task.ended_at - task.started_at).total_seconds() if ended else None,  # type: ignore[operator]
        attempts=task.attempts,
        outcome=dict(task.outcome),
        progress=dict(task.progress) if task.progress is not None else None,
    )
