"""Passwords: what makes a good one, and how they are kept."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from segue.security.secret import Secret

SHORTEST = 12
"""Characters. NIST SP 800-63B asks for length, and for no mixture of kinds of characters."""
LONGEST = 512
"""Characters: hashing a longer one would be work for nothing."""

# The second recommended option of RFC 9106: 64 MiB, 3 passes, 4 lanes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def hash_password(password: Secret) -> str:
    """The text that is kept: argon2id with its parameters and a fresh salt."""
    return _HASHER.hash(password.reveal().encode("utf-8", "surrogatepass"))


def verify_password(kept: str | None, password: Secret) -> bool:
    """Whether it is the password. None, for a user that is not there, takes the same time."""
    try:
        return (
            _HASHER.verify(kept or _nobody(), password.reveal().encode("utf-8", "surrogatepass")) and kept is not None
        )
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def weakness(password: Secret, *, name: str) -> str | None:
    """Why a password is no good; None when it is. name: of its user, which it must not be."""
    text = password.reveal()
    if not SHORTEST <= len(text) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    plain = text.casefold()
    if len(set(plain)) < 5 or plain in (name.casefold(), name.casefold() * 2):  # noqa: PLR2004 -- "aaaaaaaaaaaa"
        return "that password is guessed too easily"
    return None


@cache
def _nobody() -> str:
    return _HASHER.hash(b"no such user")
