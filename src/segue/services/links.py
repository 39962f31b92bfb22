"""One-time links: with one, a user chooses a password, or somebody becomes the first administrator."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.users import LoginSession, OneTimeLink, User
from segue.errors import ConfigError, UsageError
from segue.security import Secret
from segue.security.passwords import hash_password, weakness
from segue.services.audit import record
from segue.services.permissions import Policy
from segue.services.users import UserRecord, actor_of, add_user, find_user, require_no_more, user_name, user_record
from segue.services.workspace import Workspace

PATH = "/welcome"
"""Where the web application takes links."""
_BYTES = 32
_FIRST = timedelta(hours=1)
_FOR_USER = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that was made just now. token: its secret part, seen this once; user: None for the first administrator."""

    token: Secret
    user: str | None
    expires_at: datetime


def path_of(link: Link) -> str:
    """The path below the address of the web application. It is a secret until it is used."""
    return f"{PATH}?link={link.token.reveal()}"


def first_administrator_link(workspace: Workspace) -> Link | None:
    """A link for the first administrator; None when there are users. Earlier ones open nothing any more."""
    workspace.actor.require("users.manage")
    with workspace.catalog.session() as session:
        if session.scalars(select(User.id).limit(1)).first() is not None:
            return None
        session.execute(delete(OneTimeLink).where(OneTimeLink.user_id.is_(None)))
        return _make(session, None, _FIRST)


def password_link(workspace: Workspace, name: str) -> Link:
    """A link with which a user chooses a password. The old one goes on opening until then.

    Raises UsageError ``unknown_user``, ``external_user``, NotPermittedError for a user who may more than the actor.
    """
    actor = workspace.actor
    actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = find_user(session, name)
        made = user_record(user)
        require_no_more(actor, made.policy, made.options)
        if made.external:
            raise UsageError(
                f'The user "{made.name}" logs in at the identity provider and has no password here.',
                code="external_user",
                steps=("Reset it there.",),
            )
        session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
        record(session, actor, "user.password_link", user.name)
        return _make(session, user, _FOR_USER)


def link_user(workspace: Workspace, token: Secret) -> str | None:
    """Whose password the link is for; None for that of the first administrator. Raises UsageError ``link_over``."""
    with workspace.catalog.session(read_only=True) as session:
        link = _find(session, token)
        return session.get_one(User, link.user_id).name if link.user_id else None


def redeem_link(workspace: Workspace, token: Secret, password: Secret, *, name: str | None = None) -> UserRecord:
    """Choose a password with a link, which is used up by it; every session of the user ends.

    name: of the first administrator. Raises UsageError ``link_over``, ConfigError ``weak_password``, ``bad_user_name``.
    """
    user = link_user(workspace, token)
    chosen = user if user is not None else user_name(name or "")
    require_good(password, name=chosen)
    kept = hash_password(password)
    with workspace.catalog.session() as session:
        link = _find(session, token)
        # Two that come at once: one of them finds it gone.
        used = delete(OneTimeLink).where(OneTimeLink.digest == link.digest).returning(OneTimeLink.digest)
        if session.scalars(used).first() is None:
            raise _over()
        row = session.get_one(User, link.user_id) if link.user_id else _first(session, workspace, chosen)
        row.password = kept
        session.execute(delete(LoginSession).where(LoginSession.user_id == row.id))
        record(session, actor_of(row, address=workspace.actor.address), "user.password", row.name)
        session.flush()
        return user_record(row)


def require_good(password: Secret, *, name: str) -> None:
    """Raise ConfigError ``weak_password`` for one that is guessed too easily."""
    if why := weakness(password, name=name):
        raise ConfigError(why[0].upper() + why[1:] + ".", code="weak_password", steps=("Take a sentence of words.",))


def _first(session: Session, workspace: Workspace, name: str) -> User:
    if session.scalars(select(User.id).limit(1)).first() is not None:
        raise _over()
    return add_user(session, workspace.actor, name, Policy.ADMINISTRATOR)


def _make(session: Session, user: User | None, lives: timedelta) -> Link:
    token, expires = secrets.token_hex(_BYTES), now() + lives
    session.add(OneTimeLink(digest=_digest(token), user_id=user.id if user else None, expires_at=expires))
    return Link(token=Secret(token), user=user.name if user else None, expires_at=expires)


def _find(session: Session, token: Secret) -> OneTimeLink:
    link = session.get(OneTimeLink, _digest(token.reveal()))
    if link is None or link.expires_at <= now():
        raise _over()
    return link


def _over() -> UsageError:
    return UsageError(
        "This link was used already, or its time is over.",
        code="link_over",
        steps=("Ask for a new one: `segue user reset-password NAME`; without users, `segue serve` prints one.",),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
