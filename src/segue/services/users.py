"""Users: made, changed, disabled. They are never deleted: the activity log names them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.users import LoginSession, User
from segue.errors import ConfigError, UsageError
from segue.services.audit import record
from segue.services.names import suggestion
from segue.services.permissions import Actor, NotPermittedError, Option, Policy
from segue.services.workspace import Workspace

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,254}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """A user without secrets. password, totp: whether there is one; external: logs in at the identity provider."""

    id: str
    name: str
    policy: Policy
    options: frozenset[Option]
    created_at: datetime
    password: bool
    totp: bool
    external: bool
    disabled_at: datetime | None
    last_login_at: datetime | None


def user_name(text: str) -> str:
    """The name as it is kept: in lower case, so that Ana and ana are one. Raises ConfigError."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "A user name is made of letters a to z, digits and . _ @ + -, at most 255.",
            code="bad_user_name",
            steps=("An email address is a good one.",),
        )
    return name


def create_user(workspace: Workspace, name: str, policy: Policy, options: Collection[Option] = ()) -> UserRecord:
    """A new user, who has no password yet: ``segue.services.links`` makes the link to choose one.

    Raises UsageError ``user_exists``, NotPermittedError for more than the actor may.
    """
    actor = workspace.actor
    actor.require("users.manage")
    require_no_more(actor, policy, options)
    with workspace.catalog.session() as session:
        return user_record(add_user(session, actor, user_name(name), policy, options))


def list_users(workspace: Workspace) -> tuple[UserRecord, ...]:
    """Everybody, by name."""
    workspace.actor.require("users.manage")
    with workspace.catalog.session(read_only=True) as session:
        return tuple(map(user_record, session.scalars(select(User).order_by(User.name))))


def get_user(workspace: Workspace, name: str) -> UserRecord:
    """The user of this name; everybody may ask for themselves. Raises UsageError with the nearest names."""
    if name != workspace.actor.name:
        workspace.actor.require("users.manage")
    with workspace.catalog.session(read_only=True) as session:
        return user_record(find_user(session, name))


def change_user(
    workspace: Workspace,
    name: str,
    *,
    policy: Policy | None = None,
    options: Collection[Option] | None = None,
    disabled: bool | None = None,
) -> UserRecord:
    """Change what a user may; None leaves a part as it is. A disabled user is logged out at once.

    Raises UsageError ``last_administrator`` when nobody would be left, NotPermittedError.
    """
    actor = workspace.actor
    actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = find_user(session, name)
        before = _facts(user)
        require_no_more(actor, Policy(user.policy), map(Option, user.options))
        user.policy = policy or user.policy
        user.options = sorted(options) if options is not None else user.options
        require_no_more(actor, Policy(user.policy), map(Option, user.options))
        if disabled is not None:
            user.disabled_at = (user.disabled_at or now()) if disabled else None
        if user.disabled_at is not None:
            session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        session.flush()
        _keep_an_administrator(session)
        if before != _facts(user):
            record(session, actor, "user.update", user.name, before=before, after=_facts(user))
        return user_record(user)


def add_user(
    session: Session,
    actor: Actor,
    name: str,
    policy: Policy,
    options: Collection[Option] = (),
    *,
    subject: str | None = None,
) -> User:
    """A row for a new user. Raises UsageError ``user_exists``."""
    if session.scalars(select(User.id).where(User.name == name)).first() is not None:
        raise UsageError(
            f'there is a user "{name}" already', code="user_exists", steps=("Take another name, or change that user.",)
        )
    user = User(name=name, policy=policy, options=sorted(options), subject=subject)
    session.add(user)
    session.flush()
    record(session, actor, "user.create", name, after=_facts(user))
    return user


def find_user(session: Session, name: str) -> User:
    """The row of this name. Raises UsageError ``unknown_user``."""
    row = session.scalars(select(User).where(User.name == name.strip().lower())).one_or_none()
    if row is None:
        raise UsageError(
            f'there is no user "{name}"{suggestion(name, session.scalars(select(User.name)))}',
            code="unknown_user",
            steps=("See all of them with: segue user list",),
        )
    return row


def require_no_more(actor: Actor, policy: Policy, options: Collection[Option] | Any) -> None:
    """Raise NotPermittedError when such a user could do or see more than the actor, who makes or changes it."""
    other = Actor(name="", policy=policy, options=frozenset(options))
    mine = replace(actor, scopes=None)
    if not other.permissions <= mine.permissions or (other.sees_personal_data and not mine.sees_personal_data):
        raise NotPermittedError(
            f"{actor.name} may not make or change a user with more permissions than their own.",
            steps=("Ask an administrator.",),
            facts={"permission": "users.manage"},
        )


def actor_of(user: User, *, address: str | None) -> Actor:
    """The user as an actor."""
    return Actor(
        id=user.id,
        name=user.name,
        policy=Policy(user.policy),
        options=frozenset(map(Option, user.options)),
        address=address,
    )


def user_record(row: User) -> UserRecord:
    """The row as a value."""
    return UserRecord(
        id=row.id,
        name=row.name,
        policy=Policy(row.policy),
        options=frozenset(map(Option, row.options)),
        created_at=row.created_at,
        password=row.password is not None,
        totp=row.totp is not None,
        external=row.subject is not None,
        disabled_at=row.disabled_at,
        last_login_at=row.last_login_at,
    )


def _facts(user: User) -> dict[str, Any]:
    return {"policy": user.policy, "options": list(user.options), "disabled": user.disabled_at is not None}


def _keep_an_administrator(session: Session) -> None:
    left = select(func.count()).where(User.policy == Policy.ADMINISTRATOR, User.disabled_at.is_(None))
    if not session.scalar(left):
        raise UsageError(
            "Nobody would be left who may administrate.",
            code="last_administrator",
            steps=("Make somebody else an administrator first.",),
        )
