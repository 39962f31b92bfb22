"""Logging in with name and password, and what a session is."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, not_, or_, select, update
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.users import LoginSession, User
from segue.errors import SegueError
from segue.security import Secret
from segue.security.passwords import LONGEST, hash_password, is_outdated, verify_password
from segue.services.attempts import count_attempt, forget_attempt
from segue.services.audit import record
from segue.services.links import require_good
from segue.services.permissions import NOBODY, Actor
from segue.services.recovery import take_recovery_code
from segue.services.totp import take_code
from segue.services.users import actor_of, find_user
from segue.services.workspace import Workspace

IDLE = timedelta(hours=8)
"""A session that nobody used for this long is over."""
LIFE = timedelta(days=7)
"""A session is over after this long, however it is used."""
_NOTED = timedelta(minutes=1)
"""How exactly the last use is known: a write for every request would be too many."""
_BYTES = 32

Clock = Callable[[], datetime]


class LoginError(SegueError):
    """The log-in failed. Its words are the same whatever was wrong, but for a code that is still missing."""

    code = "login_failed"


class SessionError(SegueError):
    """There is no session, or it is over."""

    code = "session_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A browser that somebody is logged in with. token: what its cookie holds; csrf: what its forms and requests that
    change something must carry; expires_at: whatever happens, it is over then."""

    token: Secret
    csrf: str
    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A browser of the actor's. seen_at: to the minute; address: where it logged in from."""

    created_at: datetime
    seen_at: datetime
    address: str | None


def log_in(
    workspace: Workspace,
    name: str,
    password: Secret,
    *,
    code: str | None = None,
    address: str | None,
    clock: Clock = now,
) -> LoggedIn:
    """A new session for the user of this name and password.

    code: of the second factor, where the user has one. Raises LoginError ``login_failed``, ``code_needed`` (the password is
    right), LockedError.
    """
    wanted, failure = name.strip().lower(), "login_failed"
    with workspace.catalog.session() as session:
        count_attempt(session, user=wanted, address=address, moment=clock())
        kept = _kept(_find(session, wanted))
    right = len(password.reveal()) <= LONGEST and verify_password(kept, password)
    with workspace.catalog.session() as session:
        user = _find(session, wanted)
        # The hash is looked at again: the password may have changed while the other one was verified.
        if right and user is not None and _kept(user) == kept:
            if user.totp is None or (code and _second(session, workspace, user, code, clock())):
                forget_attempt(session, user=wanted, address=address, moment=clock())
                if kept and is_outdated(kept):
                    user.password = hash_password(password)
                return open_session(session, user, address=address, clock=clock)
            failure = "login_failed" if code else "code_needed"
        if failure == "login_failed":
            who = replace(NOBODY, address=address) if user is None else actor_of(user, address=address)
            record(session, who, "login.failed", user.name if user is not None else None)
    raise LoginError(_WORDS[failure], code=failure, steps=_STEPS[failure])


def open_session(session: Session, user: User, *, address: str | None, clock: Clock = now) -> LoggedIn:
    """A new session of a user who has shown who they are. Its token is always a new one, so none can be planted before."""
    moment, token = clock(), secrets.token_hex(_BYTES)
    session.execute(delete(LoginSession).where(_over(moment)))
    row = LoginSession(
        digest=_digest(token),
        user_id=user.id,
        created_at=moment,
        seen_at=moment,
        expires_at=moment + LIFE,
        address=address,
    )
    session.add(row)
    user.last_login_at = moment
    actor = actor_of(user, address=address)
    record(session, actor, "login")
    return _logged_in(Secret(token), actor, row)


def session_of(workspace: Workspace, token: Secret, *, address: str | None, clock: Clock = now) -> LoggedIn:
    """The session of a cookie, with what its user may at this moment. Raises SessionError."""
    moment = clock()
    with workspace.catalog.session(read_only=True) as session:
        row = session.get(LoginSession, _digest(token.reveal()))
        stands = row is not None and row.expires_at > moment and row.seen_at > moment - IDLE
        if row is None or not stands or row.user.disabled_at is not None:
            raise SessionError("You are not logged in, or were not here for too long.", steps=("Log in again.",))
        found, stale = _logged_in(token, actor_of(row.user, address=address), row), row.seen_at < moment - _NOTED
    if stale:
        seen = update(LoginSession).where(LoginSession.digest == _digest(token.reveal())).values(seen_at=moment)
        with workspace.catalog.session() as session:
            session.execute(seen)
    return found


def log_out(workspace: Workspace, token: Secret) -> None:
    """End a session; one that is over already is no mistake."""
    with workspace.catalog.session() as session:
        row = session.get(LoginSession, _digest(token.reveal()))
        if row is not None:
            record(session, replace(actor_of(row.user, address=None), address=workspace.actor.address), "logout")
            session.delete(row)


def open_sessions(workspace: Workspace, *, clock: Clock = now) -> tuple[OpenSession, ...]:
    """Where the actor is logged in, the last used first."""
    query = select(LoginSession).where(LoginSession.user_id == workspace.actor.id, not_(_over(clock())))
    with workspace.catalog.session(read_only=True) as session:
        return tuple(
            OpenSession(created_at=row.created_at, seen_at=row.seen_at, address=row.address)
            for row in session.scalars(query.order_by(LoginSession.seen_at.desc()))
        )


def log_out_everywhere(workspace: Workspace, name: str | None = None) -> int:
    """End every session of the actor, or of the user of this name, and say how many there were.

    Raises NotPermittedError, UsageError ``unknown_user``.
    """
    actor = workspace.actor
    if name is not None and name != actor.name:
        actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = find_user(session, name or actor.name)
        digests = session.scalars(select(LoginSession.digest).where(LoginSession.user_id == user.id)).all()
        session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        record(session, actor, "logout.everywhere", user.name)
        return len(digests)


def change_password(workspace: Workspace, old: Secret, new: Secret) -> None:
    """Give the actor a new password; every session ends. Raises LoginError, LockedError, ConfigError ``weak_password``."""
    actor = workspace.actor
    require_good(new, name=actor.name)
    with workspace.catalog.session() as session:
        count_attempt(session, user=actor.name, address=actor.address, moment=now())
        kept = _kept(find_user(session, actor.name))
    if not verify_password(kept, old):
        raise LoginError("That is not your password.")
    hashed = hash_password(new)
    with workspace.catalog.session() as session:
        user = find_user(session, actor.name)
        user.password = hashed
        forget_attempt(session, user=actor.name, address=actor.address, moment=now())
        session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        record(session, actor, "user.password", user.name)


def _second(session: Session, workspace: Workspace, user: User, code: str, moment: datetime) -> bool:
    return take_code(user, workspace.box, code, moment=moment) or take_recovery_code(session, user, code)


def _find(session: Session, name: str) -> User | None:
    return session.scalars(select(User).where(User.name == name)).one_or_none()


def _kept(user: User | None) -> str | None:
    return user.password if user is not None and user.disabled_at is None else None


def _over(moment: datetime) -> ColumnElement[bool]:
    return or_(LoginSession.expires_at <= moment, LoginSession.seen_at <= moment - IDLE)


def _logged_in(token: Secret, actor: Actor, row: LoginSession) -> LoggedIn:
    # Made from the token: whoever can make one can read the cookie, which a foreign page cannot.
    csrf = hmac.new(token.reveal().encode(), b"csrf", hashlib.sha256).hexdigest()
    return LoggedIn(token=token, csrf=csrf, actor=actor, expires_at=row.expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


_WORDS = {
    "login_failed": "Name, password or code is not right.",
    "code_needed": "The code of your second factor is needed.",
}
_STEPS = {
    "login_failed": ("Try again, or ask an administrator for a link to choose a new password.",),
    "code_needed": ("Take it from the application on your phone, or use a recovery code.",),
}
