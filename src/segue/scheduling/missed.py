"""A time that a group missed, told in the recent activity and to those whom an alert tells."""

from __future__ import annotations

from segue import logs
from segue.alerts import Alerts
from segue.errors import SegueError
from segue.scheduling.records import GroupRecord
from segue.services.workspace import Workspace


def tell_missed(workspace: Workspace, run: GroupRecord) -> None:
    """Tell what a run of a group warns of, where that is a missed time. The scheduler goes on whatever comes of it."""
    missed = [warning for warning in run.warnings if warning.startswith("missed run")]
    if not missed:
        return
    members = [member.orchestration for member in run.members]
    try:
        alerts = Alerts(workspace.catalog, workspace.box)
        alerts.missed(run.group, f'Group "{run.group}": {missed[0]}', orchestrations=members)
    except SegueError as error:
        logs.event("not announced", error=error.code)
