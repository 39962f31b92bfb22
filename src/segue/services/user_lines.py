"""Users as those see them who look after them: when they were here last, and whether they have to wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from segue.catalog.base import now
from segue.catalog.users import LoginSession, User
from segue.services.attempts import forget_attempt, waits_until
from segue.services.audit import record
from segue.services.login import IDLE
from segue.services.permissions import Actor, NotPermittedError, Option, Policy
from segue.services.users import UserRecord, find_user, require_no_more, user_record
from segue.services.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """A user. seen_at: last use of a session, to the minute; sessions: how many browsers are logged in; locked_until:
    log-ins are refused until then because too many failed."""

    user: UserRecord
    seen_at: datetime | None
    sessions: int
    locked_until: datetime | None

    @property
    def status(self) -> str:
        """``disabled``, ``locked``, ``invited`` (no password is chosen yet) or ``active``."""
        if self.user.disabled_at is not None:
            return "disabled"
        if self.locked_until is not None:
            return "locked"
        return "active" if self.user.password or self.user.external else "invited"


def user_lines(workspace: Workspace) -> tuple[UserLine, ...]:
    """Everybody, by name. Raises NotPermittedError."""
    workspace.actor.require("users.manage")
    moment = now()
    with workspace.catalog.session(read_only=True) as session:
        standing = LoginSession.expires_at > moment, LoginSession.seen_at > moment - IDLE
        open_now = select(LoginSession.user_id, func.count(), func.max(LoginSession.seen_at)).where(*standing)
        here: Mapping[str, tuple[int, datetime]] = {
            user: (count, seen) for user, count, seen in session.execute(open_now.group_by(LoginSession.user_id))
        }
        return tuple(
            UserLine(
                user=user_record(row),
                seen_at=here[row.id][1] if row.id in here else row.last_login_at,
                sessions=here[row.id][0] if row.id in here else 0,
                locked_until=waits_until(session, user=row.name, moment=moment),
            )
            for row in session.scalars(select(User).order_by(User.name))
        )


def unlock_user(workspace: Workspace, name: str) -> None:
    """Let a user try to log in again at once. Raises NotPermittedError, UsageError ``unknown_user``."""
    actor = workspace.actor
    actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = user_record(find_user(session, name))
        require_no_more(actor, user.policy, user.options)
        forget_attempt(session, user=user.name, address=None, moment=now())
        record(session, actor, "user.unlock", user.name)


def policies_to_give(actor: Actor) -> tuple[Policy, ...]:
    """The policies that this actor may give to others: none that may more than the own one."""
    least = [o for o in (Option.RESTRICT_PII, Option.RUN_ONLY) if o in actor.options]

    def may_give(policy: Policy) -> bool:
        try:
            require_no_more(actor, policy, least)
        except NotPermittedError:
            return False
        return True

    return tuple(policy for policy in Policy if may_give(policy))
