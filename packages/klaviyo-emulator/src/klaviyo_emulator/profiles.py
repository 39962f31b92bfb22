"""Profiles of one account: storage made for millions of them, found by any identifier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE32_PAIRS = [high + low for high in _BASE32 for low in _BASE32]
_NO_DATA = b"{}"


def object_id(number: int) -> str:
    """A 26-character id that looks like Klaviyo's ULIDs and sorts by ``number``."""
    digits = ""
    while number:
        digits = _BASE32_PAIRS[number & 1023] + digits
        number >>= 10
    return "01K" + digits.rjust(23, "0")


def normal_email(text: str) -> str:
    """The identity of an address: trimmed and in lower case."""
    return text.strip().lower()


class Profile:
    """One person. Identifiers are attributes of the object, all other fields are one compact JSON text.

    The JSON text is what keeps a million profiles of 400 bytes near one gigabyte: no dictionary per profile lives on.
    """

    __slots__ = (
        "aliases",
        "consent",
        "created",
        "data",
        "email",
        "external_id",
        "id",
        "last_event",
        "phone_number",
        "updated",
    )

    def __init__(self, profile_id: str, created: float) -> None:
        self.id = profile_id
        self.email: str | None = None
        self.phone_number: str | None = None
        self.external_id: str | None = None
        self.aliases: tuple[str, ...] = ()
        self.data = _NO_DATA
        self.created = created
        self.updated = created
        self.last_event: float | None = None
        self.consent: dict[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """Every field that has a value and is no identifier; ``location`` and ``properties`` are objects."""
        fields: dict[str, Any] = orjson.loads(self.data)
        return fields

    def store(self, fields: dict[str, Any]) -> None:
        """Replace what ``fields`` returns."""
        # orjson keeps the 4 KiB buffer that it wrote into; the copy is as long as the text.
        self.data = memoryview(orjson.dumps(fields)).tobytes() if fields else _NO_DATA


class ProfileBook:
    """All profiles of an account, with an index per identifier."""

    def __init__(self) -> None:
        self.by_id: dict[str, Profile] = {}
        self.by_email: dict[str, Profile] = {}
        self.by_phone: dict[str, Profile] = {}
        self.by_external: dict[str, Profile] = {}
        self.ids: list[str] = []
        """Ids in order of creation, those of removed profiles included: positions never move, so pages are stable."""

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self.by_id.values())

    def create(self, now: float) -> Profile:
        """A new profile without any identifier."""
        profile = Profile(object_id(len(self.ids) + 1), now)
        self.by_id[profile.id] = profile
        self.ids.append(profile.id)
        return profile

    def owner(self, field: str, value: str) -> Profile | None:
        """Whose ``email``, ``phone_number`` or ``external_id`` this is; values as ``set_identifier`` takes them."""
        return self._index(field).get(value)

    def set_identifier(self, profile: Profile, field: str, value: str | None) -> None:
        """Give the profile an identifier, or take it away. The value is normalised and belongs to nobody else."""
        index = self._index(field)
        old = getattr(profile, field)
        if old == value:
            return
        if old is not None:
            index.pop(old, None)
        if value is not None:
            index[value] = profile
        setattr(profile, field, value)
        if profile.aliases and field == "email":
            profile.aliases = tuple(alias for alias in profile.aliases if alias != value)

    def add_alias(self, profile: Profile, email: str) -> None:
        """A secondary address that finds the same person."""
        if email != profile.email and email not in profile.aliases:
            profile.aliases = (*profile.aliases, email)
            self.by_email[email] = profile

    def drop_alias(self, profile: Profile, email: str) -> None:
        """Take a secondary address away."""
        if email in profile.aliases:
            profile.aliases = tuple(alias for alias in profile.aliases if alias != email)
            self.by_email.pop(email, None)

    def remove(self, profile: Profile) -> None:
        """Forget a person; the id is unknown from now on."""
        for field in ("email", "phone_number", "external_id"):
            self.set_identifier(profile, field, None)
        for alias in profile.aliases:
            self.by_email.pop(alias, None)
        del self.by_id[profile.id]

    def _index(self, field: str) -> dict[str, Profile]:
        if field == "email":
            return self.by_email
        return self.by_phone if field == "phone_number" else self.by_external
