"""What people are told of the runs of groups: in the recent activity, by alerts, in the log."""

from __future__ import annotations

from segue import logs
from segue.alerts import Alerts, Kind, record_activity
from segue.errors import SegueError
from segue.scheduling.groups import load_groups
from segue.scheduling.records import GroupRecord
from segue.scheduling.status import GroupStatus, MemberStatus
from segue.services.workspace import Workspace

_KINDS = {
    GroupStatus.COMPLETED: Kind.COMPLETED,
    GroupStatus.WARNINGS: Kind.WARNING,
    GroupStatus.FAILED: Kind.ERROR,
    GroupStatus.STOPPED: Kind.WARNING,
}


def tell_missed(workspace: Workspace, run: GroupRecord) -> None:
    """Tell what a run of a group warns of, where that is a missed time. The scheduler goes on whatever comes of it."""
    missed = [warning for warning in run.warnings if warning.startswith("missed run")]
    if not missed:
        return
    try:
        members = [member.orchestration for member in run.members] or _configured_members(workspace, run)
        alerts = Alerts(workspace.catalog, workspace.box)
        alerts.missed(run.group, f'Group "{run.group}": {missed[0]}', orchestrations=members)
    except SegueError as error:
        logs.event("not announced", error=error.code)


def _configured_members(workspace: Workspace, run: GroupRecord) -> list[str]:
    """The members that the run will have: it gets its own only when it begins."""
    with workspace.catalog.session(read_only=True) as session:
        groups = [group for group in load_groups(session) if group.id == run.group_id]
    return [member.orchestration for group in groups for member in group.members]


def tell(workspace: Workspace, what: str, run: GroupRecord) -> None:
    """A ``Report``: missed times, and how runs of groups ended, with the members that are to blame."""
    logs.event(f"group {what}", group=run.group, group_run=run.id, cause=run.cause, status=run.status)
    if what != "ended" and run.started_at is None:
        tell_missed(workspace, run)
    if what == "ended" and run.status in _KINDS:
        try:
            record_activity(workspace.catalog, _KINDS[run.status], f'Group "{run.group}" {run.status}{blame(run)}.')
        except SegueError as error:
            logs.event("not announced", error=error.code)


def blame(run: GroupRecord) -> str:
    """Which members did not succeed, to be put behind the status; empty where all did."""
    bad = (MemberStatus.FAILED, MemberStatus.SKIPPED)
    named = [f"{member.orchestration} {member.status}" for member in run.members if member.status in bad]
    return f": {', '.join(named)}" if named else ""
