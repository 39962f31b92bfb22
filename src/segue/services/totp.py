"""The second factor: codes of an application on a phone, by RFC 6238."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp

from segue.catalog.base import now
from segue.catalog.users import User
from segue.errors import ConfigError
from segue.security import Secret, SecretBox
from segue.services.audit import record
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


def keep_totp(workspace: Workspace, secret: Secret, code: str, *, moment: datetime | None = None) -> None:
    """Ask the actor for codes from now on. Raises ConfigError ``wrong_code``, UsageError ``unknown_user``."""
    with workspace.catalog.session() as session:
        user = find_user(session, workspace.actor.name)
        step = _step_of(secret, code, moment or now())
        if step is None:
            raise ConfigError(
                "That is not the code of this moment.",
                code="wrong_code",
                steps=("Compare the clocks of the phone and of the server.", "Take the next code."),
            )
        user.totp, user.totp_step = workspace.box.seal(secret), step
        record(session, workspace.actor, "user.totp", user.name, after={"totp": True})


def drop_totp(workspace: Workspace, name: str) -> None:
    """Ask a user for no codes any more: who lost the phone. Raises NotPermittedError, UsageError ``unknown_user``."""
    actor = workspace.actor
    actor.require("users.manage")
    with workspace.catalog.session() as session:
        user = find_user(session, name)
        known = user_record(user)
        require_no_more(actor, known.policy, known.options)
        user.totp, user.totp_step = None, None
        record(session, actor, "user.totp", user.name, after={"totp": False})


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
