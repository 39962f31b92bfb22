"""Runs of groups in the catalog, read and written."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from segue.catalog import Catalog, base
from segue.catalog.groups import GroupRun, GroupRunMember
from segue.errors import UsageError
from segue.scheduling.groups import Member
from segue.scheduling.status import Cause, GroupStatus, MemberStatus

_NOT_TRIED = (GroupStatus.WAITING, GroupStatus.SKIPPED, GroupStatus.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """One member of a run of a group. run_id: the run of the orchestration; None when there is none or it is not known."""

    orchestration: str
    after: tuple[str, ...]
    status: MemberStatus
    run_id: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord:
    """One run of a group as it stands; see ``catalog.groups.GroupRun``."""

    id: str
    group_id: str
    group: str
    cause: Cause
    trigger: str
    status: GroupStatus
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    fingerprint: str | None
    warnings: tuple[str, ...]
    members: tuple[MemberRecord, ...]


def new_run(
    *,
    group_id: str,
    group: str,
    cause: Cause,
    trigger: str | None,
    due_at: datetime,
    status: GroupStatus = GroupStatus.WAITING,
    ended_at: datetime | None = None,
    warnings: Sequence[str] = (),
) -> GroupRun:
    """A row for a run of a group. trigger: None for the run's own id; ended_at: for one that is never to begin."""
    run_id = f"g{due_at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    return GroupRun(
        id=run_id,
        group_id=group_id,
        group=group,
        cause=cause,
        trigger=trigger or run_id,
        status=status,
        due_at=due_at,
        ended_at=ended_at,
        warnings=list(warnings),
    )


class GroupRecords:
    """Every method is one transaction."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def get(self, run_id: str) -> GroupRecord:
        """One run of a group."""
        with self._catalog.session(read_only=True) as session:
            return record_of(session.get_one(GroupRun, run_id))

    def find(self, run_id: str) -> GroupRecord:
        """One run of a group, by its whole id. Raises UsageError when there is none."""
        with self._catalog.session(read_only=True) as session:
            row = session.get(GroupRun, run_id)
            if row is None:
                raise UsageError(
                    f'There is no group run "{run_id}".',
                    code="unknown_group_run",
                    steps=("See the last ones with: segue groups",),
                )
            return record_of(row)

    def latest(
        self, group_id: str, *, limit: int = 1, before: tuple[datetime, str] | None = None
    ) -> tuple[GroupRecord, ...]:
        """The last runs of a group, the newest first. before: due_at and id of the run after which to go on."""
        query = select(GroupRun).where(GroupRun.group_id == group_id)
        if before is not None:
            query = query.where(base.before(GroupRun.due_at, GroupRun.id, before))
        with self._catalog.session(read_only=True) as session:
            rows = session.scalars(query.order_by(GroupRun.due_at.desc(), GroupRun.id.desc()).limit(limit))
            return tuple(record_of(row) for row in rows)

    def last_of_each(self) -> dict[str, GroupRecord]:
        """The last run of every group that ran, by id of the group."""
        newest = select(GroupRun.group_id, func.max(GroupRun.due_at).label("at")).group_by(GroupRun.group_id).subquery()
        query = select(GroupRun).join(
            newest, (GroupRun.group_id == newest.c.group_id) & (GroupRun.due_at == newest.c.at)
        )
        with self._catalog.session(read_only=True) as session:
            return {row.group_id: record_of(row) for row in session.scalars(query.order_by(GroupRun.id))}

    def latest_of_each(self) -> dict[str, GroupRecord]:
        """The last run of each group that ran, by the group's id: two reads, however many there are."""
        last = select(GroupRun.group_id, func.max(GroupRun.due_at).label("at")).group_by(GroupRun.group_id).subquery()
        query = (
            select(GroupRun)
            .join(last, (GroupRun.group_id == last.c.group_id) & (GroupRun.due_at == last.c.at))
            .order_by(GroupRun.id)
        )
        with self._catalog.session(read_only=True) as session:
            return {row.group_id: record_of(row) for row in session.scalars(query)}

    def add(self, run: GroupRun) -> GroupRecord:
        """Write a new run down."""
        with self._catalog.session() as session:
            session.add(run)
        return self.get(run.id)

    def open(self, group_id: str | None = None) -> tuple[GroupRecord, ...]:
        """Runs that are waiting or under way, the oldest first; of one group or of all."""
        query = select(GroupRun).where(GroupRun.status.in_([GroupStatus.WAITING, GroupStatus.RUNNING]))
        if group_id is not None:
            query = query.where(GroupRun.group_id == group_id)
        with self._catalog.session(read_only=True) as session:
            return tuple(record_of(row) for row in session.scalars(query.order_by(GroupRun.due_at, GroupRun.id)))

    def missed_at(self, moment: datetime) -> tuple[GroupRecord, ...]:
        """Runs that a look at this moment found to be missed."""
        query = select(GroupRun).where(GroupRun.status == GroupStatus.MISSED, GroupRun.ended_at == moment)
        with self._catalog.session(read_only=True) as session:
            return tuple(record_of(row) for row in session.scalars(query.order_by(GroupRun.group)))

    def tried_before(self, record: GroupRecord) -> GroupRecord | None:
        """The last run of the same group that began, other than this one."""
        query = (
            select(GroupRun)
            .where(
                GroupRun.group_id == record.group_id,
                GroupRun.id != record.id,
                GroupRun.status.not_in(_NOT_TRIED),
                GroupRun.started_at.is_not(None),
            )
            .order_by(GroupRun.started_at.desc())
            .limit(1)
        )
        with self._catalog.session(read_only=True) as session:
            row = session.scalars(query).one_or_none()
            return record_of(row) if row else None

    def begin(self, run_id: str, members: Sequence[Member], *, fingerprint: str, at: datetime) -> GroupRecord:
        """waiting or running -> running. The members are written down once; those that had not ended wait again.

        The caller holds the group's lock.
        """
        with self._catalog.session() as session:
            run = session.get_one(GroupRun, run_id)
            run.status = GroupStatus.RUNNING
            run.started_at = run.started_at or at
            # The first look counts: what changed after it may have been missed by members that have ended.
            run.fingerprint = run.fingerprint or fingerprint
            if not run.members:
                session.add_all(_member_row(run_id, position, member) for position, member in enumerate(members))
            for row in run.members:
                if not MemberStatus(row.status).ended:
                    row.status = MemberStatus.WAITING
        return self.get(run_id)

    def set_member(
        self, run_id: str, orchestration: str, status: MemberStatus, *, run: str | None = None, message: str = ""
    ) -> None:
        """Say how a member stands. run: its run, None where that is not known, or known already."""
        where = (GroupRunMember.group_run_id == run_id, GroupRunMember.orchestration == orchestration)
        known = {} if run is None else {"run_id": run}
        with self._catalog.session() as session:
            session.execute(update(GroupRunMember).where(*where).values(status=status, message=message, **known))

    def end(self, run_id: str, status: GroupStatus, *, at: datetime, warnings: Sequence[str] = ()) -> GroupRecord:
        """Say how a run of a group ended, or that it waits again; warnings are added to those that it has."""
        with self._catalog.session() as session:
            run = session.get_one(GroupRun, run_id)
            run.status = status
            run.ended_at = None if status is GroupStatus.WAITING else at
            run.warnings = [*run.warnings, *warnings]
        return self.get(run_id)


def has_trigger(session: Session, group_id: str, cause: Cause, trigger: str) -> bool:
    """Whether this cause has made a run of this group already."""
    query = select(func.count()).where(
        GroupRun.group_id == group_id, GroupRun.cause == cause, GroupRun.trigger == trigger
    )
    return bool(session.scalar(query))


def record_of(row: GroupRun) -> GroupRecord:
    """The value of a row."""
    return GroupRecord(
        id=row.id,
        group_id=row.group_id,
        group=row.group,
        cause=Cause(row.cause),
        trigger=row.trigger,
        status=GroupStatus(row.status),
        due_at=row.due_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        fingerprint=row.fingerprint,
        warnings=tuple(row.warnings),
        members=tuple(
            MemberRecord(
                orchestration=member.orchestration,
                after=tuple(member.after),
                status=MemberStatus(member.status),
                run_id=member.run_id,
                message=member.message,
            )
            for member in row.members
        ),
    )


def _member_row(run_id: str, position: int, member: Member) -> GroupRunMember:
    return GroupRunMember(
        group_run_id=run_id,
        orchestration=member.orchestration,
        position=position,
        after=list(member.after),
        status=MemberStatus.WAITING,
        message="",
    )
