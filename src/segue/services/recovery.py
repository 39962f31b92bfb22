"""Recovery codes: each stands in once for a code of the second factor, for who lost the phone."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from segue.catalog.users import RecoveryCode, User
from segue.security import Secret
from segue.services.audit import record
from segue.services.users import actor_of

CODES = 8
"""How many there are at first."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike: people copy codes by hand."""
_GROUPS, _GROUP = 4, 4


def new_recovery_codes(session: Session, user: User) -> tuple[Secret, ...]:
    """New codes of a user, seen this once; earlier ones open nothing any more."""
    drop_recovery_codes(session, user)
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)) for _ in range(CODES)
    ]
    session.add_all(RecoveryCode(digest=_digest(user, code), user_id=user.id) for code in codes)
    return tuple(map(Secret, codes))


def drop_recovery_codes(session: Session, user: User) -> None:
    """Every code of a user opens nothing any more."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def recovery_codes_left(session: Session, user: User) -> int:
    """How many codes of a user were not used yet."""
    return session.scalar(select(func.count()).where(RecoveryCode.user_id == user.id)) or 0


def take_recovery_code(session: Session, user: User, code: str) -> bool:
    """Whether it is a code of the user's; it is used up by it. Upper and lower case, spaces and dashes do not matter."""
    used = delete(RecoveryCode).where(RecoveryCode.digest == _digest(user, code)).returning(RecoveryCode.digest)
    if session.scalars(used).first() is None:
        return False
    left = {"left": recovery_codes_left(session, user)}
    record(session, actor_of(user, address=None), "user.recovery_code", user.name, after=left)
    return True


def _digest(user: User, code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(f"{user.id} {plain}".encode("utf-8", "surrogatepass")).hexdigest()
