"""Tokens of the API: made, recognised, revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from segue.catalog.base import now
from segue.catalog.tokens import ApiToken
from segue.errors import SegueError, UsageError
from segue.security import Secret
from segue.services.names import suggestion
from segue.services.workspace import Workspace

_PREFIX = "sk_segue_"
"""How secret scanners, and the masks in front of Segue's own logs, know a token."""
_BYTES = 32
_MOST_DAYS = 3650


class Scope(StrEnum):
    """What a token may do. Every scope may read; ``admin`` may do everything."""

    READ = "read"
    """Look at the configuration, at runs and at numbers; nobody's data."""
    RUN = "run"
    """Plan, start and stop runs; read rejects and histories, which hold people's data."""
    CONFIGURE = "configure"
    """Change queries, destinations, data templates, orchestrations and groups; see the rows of queries."""
    ADMIN = "admin"
    """Change databases and credentials too: what files are read, and where keys are sent."""


class TokenError(SegueError):
    """The API does not know who asks."""

    code = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret. expires_at: it opens nothing from this moment on."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def may(self, scope: Scope) -> bool:
        """Whether the token allows what needs this scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes or scope is Scope.READ

    def stands(self, moment: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if moment < self.expires_at else "expired"


def create_token(workspace: Workspace, name: str, scopes: Collection[Scope], *, days: int) -> tuple[Token, Secret]:
    """A new token, and its text: the only time that it can be seen. Raises UsageError for a name that is taken."""
    if not name.strip() or not scopes or not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"a token takes a name, at least one scope, and 1 to {_MOST_DAYS} days")
    text = _PREFIX + secrets.token_hex(_BYTES)
    made = now()
    with workspace.catalog.session() as session:
        if session.scalars(select(ApiToken.id).where(ApiToken.name == name)).first() is not None:
            raise UsageError(
                f'there is a token "{name}" already',
                code="token_exists",
                steps=("Take another name: names are not used twice, so that it stays clear who did what.",),
            )
        row = ApiToken(
            name=name,
            digest=_digest(text),
            scopes=sorted(scopes),
            created_at=made,
            expires_at=made + timedelta(days=days),
        )
        session.add(row)
        session.flush()
        return _token(row), Secret(text)


def list_tokens(workspace: Workspace) -> tuple[Token, ...]:
    """Every token that was ever made, by name."""
    with workspace.catalog.session(read_only=True) as session:
        return tuple(_token(row) for row in session.scalars(select(ApiToken).order_by(ApiToken.name)))


def revoke_token(workspace: Workspace, name: str) -> Token:
    """Make a token open nothing from now on; again changes nothing. Raises UsageError for an unknown name."""
    with workspace.catalog.session() as session:
        row = session.scalars(select(ApiToken).where(ApiToken.name == name)).one_or_none()
        if row is None:
            known = session.scalars(select(ApiToken.name)).all()
            raise UsageError(
                f'there is no token "{name}"{suggestion(name, known)}',
                code="unknown_token",
                steps=("See all of them with: segue token list",),
            )
        row.revoked_at = row.revoked_at or now()
        return _token(row)


def recognise(workspace: Workspace, text: str) -> Token:
    """The token of this text. Raises TokenError when it is unknown, expired or revoked."""
    # The search by digest tells by its time how much of a digest is right, which helps nobody to find a token.
    with workspace.catalog.session(read_only=True) as session:
        row = session.scalars(select(ApiToken).where(ApiToken.digest == _digest(text))).one_or_none()
        token = None if row is None else _token(row)
    if token is None:
        raise TokenError("The token is not known here.", code="token_unknown", steps=_steps())
    stands = token.stands(now())
    if stands != "valid":
        raise TokenError(f'The token "{token.name}" is {stands}.', code=f"token_{stands}", steps=_steps())
    return token


def _steps() -> tuple[str, ...]:
    return ("Make a new one: segue token create NAME --scope read",)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: ApiToken) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
