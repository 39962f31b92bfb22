"""Tokens of the API: made, recognised, revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update

from segue.catalog.base import now
from segue.catalog.tokens import ApiToken
from segue.catalog.users import User
from segue.errors import SegueError, UsageError
from segue.security import Secret
from segue.services.audit import record
from segue.services.names import suggestion
from segue.services.permissions import Actor, NotPermittedError, Policy, Scope
from segue.services.users import actor_of, find_user
from segue.services.workspace import Workspace

_PREFIX = "sk_segue_"
"""How secret scanners, and the masks in front of Segue's own logs, know a token."""
_BYTES = 32
_MOST_DAYS = 3650
_NOTED = timedelta(minutes=1)
"""How exactly the last use is known: a write for every request would be too many."""


class TokenError(SegueError):
    """The API does not know who asks."""

    code = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret. expires_at: it opens nothing from this moment on; user_id, user: whose it is, None for
    the workspace's own, which the command line made; last_used_at: to the minute."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    user_id: str | None
    user: str | None
    last_used_at: datetime | None = None

    def stands(self, moment: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if moment < self.expires_at else "expired"


def create_token(
    workspace: Workspace, name: str, scopes: Collection[Scope], *, days: int, user: str | None = None
) -> tuple[Token, Secret]:
    """A new token of the actor, and its text: the only time that it can be seen.

    user: whose it is where the local operator makes it; None for the workspace's own. Raises UsageError for a name that is
    taken or an unknown user, NotPermittedError for scopes that the actor's own token lacks.
    """
    actor = workspace.actor
    actor.require("tokens.own")
    if not name.strip() or not scopes or not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"a token takes a name, at least one scope, and 1 to {_MOST_DAYS} days")
    if user is not None and actor.id is not None:
        raise NotPermittedError("A token is made by the one whose it is, or on the command line.")
    text = _PREFIX + secrets.token_hex(_BYTES)
    made = now()
    with workspace.catalog.session() as session:
        if session.scalars(select(ApiToken.id).where(ApiToken.name == name)).first() is not None:
            raise UsageError(
                f'there is a token "{name}" already',
                code="token_exists",
                steps=("Take another name: names are not used twice, so that it stays clear who did what.",),
            )
        owner = find_user(session, user) if user is not None else session.get(User, actor.id) if actor.id else None
        row = ApiToken(
            name=name,
            digest=_digest(text),
            scopes=sorted(scopes),
            created_at=made,
            expires_at=made + timedelta(days=days),
            user_id=owner.id if owner else None,
        )
        session.add(row)
        session.flush()
        after = {"scopes": row.scopes, "user": owner.name if owner else None, "expires_at": row.expires_at.isoformat()}
        record(session, actor, "token.create", name, after=after)
        return _token(row, owner), Secret(text)


def list_tokens(workspace: Workspace) -> tuple[Token, ...]:
    """Every token that was ever made, by name; for those who do not manage tokens, their own."""
    actor = workspace.actor
    actor.require("tokens.own")
    with workspace.catalog.session(read_only=True) as session:
        return tuple(_token(row, owner) for row, owner in session.execute(_visible(actor).order_by(ApiToken.name)))


def revoke_token(workspace: Workspace, name: str) -> Token:
    """Make a token open nothing from now on; again changes nothing. Raises UsageError for an unknown name.

    To those who do not manage tokens, somebody else's is unknown: a refusal would tell that it is there.
    """
    actor = workspace.actor
    actor.require("tokens.own")
    with workspace.catalog.session() as session:
        found = {row.name: (row, owner) for row, owner in session.execute(_visible(actor))}
        if name not in found:
            raise UsageError(
                f'there is no token "{name}"{suggestion(name, found)}',
                code="unknown_token",
                steps=("See all of them with: segue token list",),
            )
        row, owner = found[name]
        if row.revoked_at is None:
            row.revoked_at = now()
            record(session, actor, "token.revoke", name)
        return _token(row, owner)


def recognise(workspace: Workspace, text: str, *, address: str | None = None) -> Actor:
    """The one for whom the token of this text speaks, with what it may. Raises TokenError when it is unknown, expired or
    revoked, or its user is disabled."""
    # The search by digest tells by its time how much of a digest is right, which helps nobody to find a token.
    with workspace.catalog.session(read_only=True) as session:
        query = select(ApiToken, User).outerjoin(User, User.id == ApiToken.user_id)
        found = session.execute(query.where(ApiToken.digest == _digest(text))).one_or_none()
        if found is None:
            raise TokenError("The token is not known here.", code="token_unknown", steps=_steps())
        who, used = _speaking(*found, address=address), found[0].last_used_at
    moment = now()
    if used is None or used < moment - _NOTED:
        with workspace.catalog.session() as session:
            session.execute(update(ApiToken).where(ApiToken.id == who.token_id).values(last_used_at=moment))
    return who


def _speaking(row: ApiToken, user: User | None, *, address: str | None) -> Actor:
    token = _token(row, user)
    stands = token.stands(now())
    if stands != "valid":
        raise TokenError(f'The token "{token.name}" is {stands}.', code=f"token_{stands}", steps=_steps())
    who = Actor(name=f'token "{token.name}"', policy=Policy.ADMINISTRATOR, address=address)
    if row.user_id is not None:
        if user is None or user.disabled_at is not None:
            raise TokenError(f'The user of the token "{token.name}" is disabled.', code="user_disabled", steps=_steps())
        who = actor_of(user, address=address)
    return replace(who, token=token.name, token_id=token.id, scopes=token.scopes)


def _visible(actor: Actor) -> Select[ApiToken, User | None]:
    query = select(ApiToken, User).outerjoin(User, User.id == ApiToken.user_id)
    return query if actor.may("tokens.manage") else query.where(ApiToken.user_id == actor.id)


def _steps() -> tuple[str, ...]:
    return ("Make a new one: segue token create NAME --scope read",)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: ApiToken, user: User | None) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        user_id=row.user_id,
        user=user.name if user is not None else None,
        last_used_at=row.last_used_at,
    )
