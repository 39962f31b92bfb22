"""The time zone in which somebody reads times in the web app."""

from __future__ import annotations

from segue.catalog.users import User
from segue.errors import ConfigError, UsageError
from segue.services.workspace import Workspace
from segue.timetable import check_timezone


def time_zone(workspace: Workspace) -> str | None:
    """The IANA name that the actor chose; None: the one of the browser."""
    if workspace.actor.id is None:
        return None
    with workspace.catalog.session(read_only=True) as session:
        user = session.get(User, workspace.actor.id)
        return user.time_zone if user is not None else None


def set_time_zone(workspace: Workspace, zone: str | None) -> None:
    """Choose it for oneself; None: the browser's. Raises ConfigError ``bad_time_zone``, UsageError for who is no user."""
    if zone is not None:
        try:
            check_timezone(zone)
        except ValueError as error:
            raise ConfigError(f"The time zone {error}.", code="bad_time_zone") from None
    with workspace.catalog.session() as session:
        user = session.get(User, workspace.actor.id) if workspace.actor.id is not None else None
        if user is None:
            raise UsageError("Only a user has a time zone.", code="unknown_user")
        user.time_zone = zone
