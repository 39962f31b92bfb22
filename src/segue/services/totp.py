"""The second factor: codes of an application on a phone, by RFC 6238."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.users import User
from segue.errors import ConfigError, UsageError
from segue.security import Secret, SecretBox
from segue.services.attempts import count_attempt, forget_attempt
from segue.services.audit import record
from segue.services.recovery import (
    drop_recovery_codes,
    new_recovery_codes,
    recovery_codes_left,
    take_recovery_code,
)
from segue.services.users import find_user, require_no_more, user_record
from segue.services.workspace import Workspace

_STEP = 30
"""Seconds that a code stands."""
_AROUND = (-1, 0, 1)
"""Steps that are taken: clocks differ, and typing takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A second factor that is not kept yet. secret: to type; uri: to show as a QR code. Both are secrets."""

    secret: Secret
    uri: Secret


def new_totp(workspace: Workspace) -> Enrolment:
    """A secret for the actor's application. Nothing is kept until ``keep_totp`` has seen a code of it."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=workspace.actor.name, issuer_name="Segue")
    return Enrolment(secret=Secret(secret), uri=Secret(uri))


def keep_totp(workspace: Workspace, secret: Secret, code: str, *, moment: datetime | None = None) -> tuple[Secret, ...]:
    """Ask the actor for codes from now on; returns recovery codes for when the phone is lost, seen this once.

    Raises ConfigError ``wrong_code``, UsageError ``unknown_user``, ``totp_on`` where there is a second factor already.
    """
    with workspace.catalog.session() as session:
        user = find_user(session, workspace.actor.name)
        if user.totp is not None:
            # Whoever finds a browser that is logged in could otherwise put their own phone in place of the user's.
            raise UsageError(
                "You have a second factor already.", code="totp_on", steps=("Turn it off first, with a code of it.",)
            )
        step = _step_of(secret, code, moment or now())
        if step is None:
            raise _wrong()
        user.totp, user.totp_step = workspace.box.seal(secret), step
        record(session, workspace.actor, "user.totp", user.name, after={"totp": True})
        return new_recovery_codes(session, user)


def end_totp(workspace: Workspace, code: str, *, moment: datetime | None = None) -> None:
    """Ask the actor for no codes any more. code: of the phone, or a recovery code.

    Raises ConfigError ``wrong_code``, LockedError after too many of them, UsageError ``unknown_user``.
    """
    with _shown(workspace, code, moment or now()) as session:
        user = find_user(session, workspace.actor.name)
        user.totp, user.totp_step = None, None
        drop_recovery_codes(session, user)
        record(session, workspace.actor, "user.totp", user.name, after={"totp": False})


def renew_recovery_codes(workspace: Workspace, code: str, *, moment: datetime | None = None) -> tuple[Secret, ...]:
    """New recovery codes for the actor in place of the old ones. Raises as ``end_totp`` does."""
    with _shown(workspace, code, moment or now()) as session:
        user = find_user(session, workspace.actor.name)
        record(session, workspace.actor, "user.recovery_codes", user.name)
        return new_recovery_codes(session, user)


def drop_totp(workspace: Workspace, name: str) -> None:
    """Ask a user for no codes any more: who lost the phone. Raises NotPermittedError, UsageError ``unknown_user``."""
    actor = workspace.actor
    actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = find_user(session, name)
        known = user_record(user)
        require_no_more(actor, known.policy, known.options)
        user.totp, user.totp_step = None, None
        drop_recovery_codes(session, user)
        record(session, actor, "user.totp", user.name, after={"totp": False})


def codes_left(workspace: Workspace) -> int:
    """How many recovery codes of the actor were not used yet. Raises UsageError ``unknown_user``."""
    with workspace.catalog.session(read_only=True) as session:
        return recovery_codes_left(session, find_user(session, workspace.actor.name))


@contextmanager
def _shown(workspace: Workspace, code: str, moment: datetime) -> Iterator[Session]:
    """A transaction for whoever has shown a code; it is counted as failed before it is looked at."""
    actor = workspace.actor
    with workspace.catalog.session() as session:
        count_attempt(session, user=actor.name, address=actor.address, moment=moment)
    with workspace.catalog.session() as session:
        user = find_user(session, actor.name)
        if not (take_code(user, workspace.box, code, moment=moment) or take_recovery_code(session, user, code)):
            raise _wrong()
        forget_attempt(session, user=actor.name, address=actor.address, moment=moment)
        yield session


def take_code(user: User, box: SecretBox, code: str, *, moment: datetime) -> bool:
    """Whether it is a code of the user's that was not taken before; from now on it was."""
    if user.totp is None:
        return False
    step = _step_of(box.open(user.totp, owner=f'user "{user.name}"'), code, moment)
    if step is None or (user.totp_step is not None and step <= user.totp_step):
        return False
    user.totp_step = step
    return True


def _step_of(secret: Secret, code: str, moment: datetime) -> int | None:
    typed = "".join(code.split())
    step = int(moment.timestamp()) // _STEP
    totp = pyotp.TOTP(secret.reveal())
    return next((step + n for n in _AROUND if pyotp.utils.strings_equal(totp.generate_otp(step + n), typed)), None)


def _wrong() -> ConfigError:
    return ConfigError(
        "That is not the code of this moment.",
        code="wrong_code",
        steps=("Compare the clocks of the phone and of the server.", "Take the next code."),
    )
