"""Failed log-ins: who fails too often waits, longer each time."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from segue.catalog.users import LoginFailure
from segue.errors import BusyError

_FREE = {"user": 5, "address": 20}
"""Failures without a wait: an office shares an address."""
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
"""Anybody may lock a user out by guessing: not for long, then."""
_FORGOTTEN = timedelta(hours=24)


class LockedError(BusyError):
    """Too many log-ins failed; which of them was for whom stays untold."""

    code = "login_locked"


def count_attempt(session: Session, *, user: str, address: str | None, moment: datetime) -> None:
    """Count a log-in as failed before its password is looked at: of many at once, none slips through.

    Raises LockedError, and counts nothing, while the user or the address has to wait.
    """
    session.execute(delete(LoginFailure).where(LoginFailure.failed_at < moment - _FORGOTTEN))
    rows = [(kind, _row(session, kind, text, moment)) for kind, text in _subjects(user, address)]
    until = max((row.locked_until for _, row in rows if row.locked_until), default=moment)
    if until > moment:
        seconds = int((until - moment).total_seconds()) + 1
        raise LockedError(
            f"Too many log-ins failed. Try again in {seconds} seconds.",
            steps=("An administrator can make a link to choose a new password: segue user reset-password NAME",),
            facts={"seconds": seconds},
        )
    for kind, row in rows:
        row.count += 1
        row.failed_at = moment
        over = row.count - _FREE[kind]
        row.locked_until = moment + min(_FIRST_WAIT * 2 ** min(over, 10), _LONGEST_WAIT) if over >= 0 else None


def forget_attempt(session: Session, *, user: str, address: str | None, moment: datetime) -> None:
    """The log-in went well: the user begins anew, the address gets back what was counted."""
    for kind, text in _subjects(user, address):
        row = _row(session, kind, text, moment)
        row.count = 0 if kind == "user" else max(row.count - 1, 0)
        row.locked_until = None


def waits_until(session: Session, *, user: str, moment: datetime) -> datetime | None:
    """Until when log-ins as this user are refused; None where they are not."""
    row = session.get(LoginFailure, _digest("user", user))
    return row.locked_until if row is not None and row.locked_until and row.locked_until > moment else None


def _subjects(user: str, address: str | None) -> tuple[tuple[str, str], ...]:
    return (("user", user), *((("address", address),) if address else ()))


def _row(session: Session, kind: str, text: str, moment: datetime) -> LoginFailure:
    digest = _digest(kind, text)
    row = session.get(LoginFailure, digest)
    if row is None:
        row = LoginFailure(digest=digest, count=0, failed_at=moment, locked_until=None)
        session.add(row)
    return row


def _digest(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode("utf-8", "surrogatepass")).hexdigest()
