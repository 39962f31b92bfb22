"""How a write changes a profile: whom it means, and what absent, null and unset do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from klaviyo_emulator.profiles import Profile, ProfileBook, normal_email
from klaviyo_emulator.validation import EXTERNAL_ID_LENGTH, IDENTIFIERS, LOCATION, STANDARD

Identifiers = dict[str, str | None]


class DuplicateProfileError(Exception):
    """The identifiers of a write belong to different people."""

    def __init__(self, profile_id: str) -> None:
        super().__init__("identifier of another profile")
        self.profile_id = profile_id


class NoIdentifierError(Exception):
    """A write names nobody, or would leave a profile without any identifier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteMode:
    """nulls: clear the field or leave it alone; unset: what the names in ``unset`` may clear."""

    nulls: Literal["ignore", "clear"]
    unset: Literal["custom", "all", "ignore"]


def identifiers_of(attributes: dict[str, Any]) -> Identifiers:
    """The identifiers that the attributes hold, normalised; an explicit null stays null, an absent one absent."""
    found: Identifiers = {}
    for field in IDENTIFIERS:
        if field in attributes:
            value = attributes[field]
            found[field] = normal_identifier(field, value) if value else None
    return found


def normal_identifier(field: str, value: str) -> str:
    """The identity of a value: e-mail trimmed and lower case; a long external_id is cut, silently, as Klaviyo does."""
    if field == "email":
        return normal_email(value)
    return value[:EXTERNAL_ID_LENGTH] if field == "external_id" else value.strip()


def match(book: ProfileBook, identifiers: Identifiers, known: Profile | None = None) -> Profile | None:
    """Whom the identifiers mean: ``known``, else the owner by e-mail, phone, external_id; None for a new person.

    Raises DuplicateProfileError when one of them belongs to somebody else.
    """
    found = known
    for field, value in identifiers.items():
        owner = book.owner(field, value) if value is not None else None
        if owner is None or owner is found:
            continue
        if found is not None:
            raise DuplicateProfileError(owner.id)
        found = owner
    return found


def write(
    book: ProfileBook,
    profile: Profile | None,
    attributes: dict[str, Any],
    meta: dict[str, Any] | None,
    *,
    identifiers: Identifiers,
    mode: WriteMode,
    now: float,
) -> Profile:
    """Apply checked attributes to a matched profile, or make a new one. Raises NoIdentifierError and DuplicateProfileError."""
    _must_keep_one(profile, identifiers, mode)
    aliases = _alias_changes(book, profile, meta)
    if profile is None:
        profile = book.create(now)
        fields: dict[str, Any] = {}
    else:
        fields = profile.fields()
    for field, value in identifiers.items():
        if value is None:
            if mode.nulls == "clear":
                book.set_identifier(profile, field, None)
        elif field != "email" or value not in profile.aliases:
            book.set_identifier(profile, field, value)
    _write_fields(fields, attributes, clear=mode.nulls == "clear")
    if meta and (patch := meta.get("patch_properties")):
        _patch_properties(fields, patch, mode.unset)
    for email, add in aliases:
        (book.add_alias if add else book.drop_alias)(profile, email)
    profile.store(fields)
    profile.updated = now
    return profile


def _must_keep_one(profile: Profile | None, identifiers: Identifiers, mode: WriteMode) -> None:
    if profile is None:
        if not any(identifiers.values()):
            raise NoIdentifierError
    elif mode.nulls == "clear" and not any(identifiers.get(field, getattr(profile, field)) for field in IDENTIFIERS):
        raise NoIdentifierError


def _write_fields(fields: dict[str, Any], attributes: dict[str, Any], *, clear: bool) -> None:
    for key, value in attributes.items():
        if key in IDENTIFIERS or key == "_kx":
            continue
        if key in ("location", "properties"):
            if value is not None:
                merged = _merged(fields.get(key), value, clear=clear)
                if merged:
                    fields[key] = merged
                else:
                    fields.pop(key, None)
            elif clear and key == "location":
                fields.pop(key, None)
        elif value is not None:
            fields[key] = value
        elif clear:
            fields.pop(key, None)


def _merged(old: dict[str, Any] | None, new: dict[str, Any], *, clear: bool) -> dict[str, Any]:
    if not old and None not in new.values():
        return new
    merged = dict(old) if old else {}
    for key, value in new.items():
        if value is not None:
            merged[key] = value
        elif clear:
            merged.pop(key, None)
    return merged


def _patch_properties(fields: dict[str, Any], patch: dict[str, Any], unset_mode: str) -> None:
    properties = dict(fields.get("properties") or {})
    for key, values in (patch.get("append") or {}).items():
        have = _as_list(properties.get(key))
        properties[key] = have + [value for value in _as_list(values) if value not in have]
    for key, values in (patch.get("unappend") or {}).items():
        if isinstance(properties.get(key), list):
            gone = _as_list(values)
            properties[key] = [value for value in properties[key] if value not in gone]
    unset = patch.get("unset") or []
    if unset_mode != "ignore":
        for name in [unset] if isinstance(unset, str) else unset:
            properties.pop(name, None)
            if unset_mode == "all":
                _unset_standard(fields, name)
    if properties:
        fields["properties"] = properties
    else:
        fields.pop("properties", None)


def _unset_standard(fields: dict[str, Any], name: str) -> None:
    if name in STANDARD:
        fields.pop(name, None)
    elif name in LOCATION and "location" in fields:
        fields["location"] = {key: value for key, value in fields["location"].items() if key != name}


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _alias_changes(book: ProfileBook, profile: Profile | None, meta: dict[str, Any] | None) -> list[tuple[str, bool]]:
    """Secondary addresses to add (True) and to drop (False)."""
    patch = meta.get("patch_identifiers") if meta else None
    if not patch:
        return []
    changes = []
    for verb, add in (("append", True), ("unappend", False)):
        for value in _as_list((patch.get(verb) or {}).get("email")):
            email = normal_email(str(value))
            owner = book.owner("email", email)
            if add and owner is not None and owner is not profile:
                raise DuplicateProfileError(owner.id)
            changes.append((email, add))
    return changes


def merge(book: ProfileBook, source: Profile, into: Profile) -> None:
    """Make two people one: what ``into`` lacks comes from ``source``, whose id is unknown from then on."""
    emails = [email for email in (source.email, *source.aliases) if email]
    taken = {field: getattr(source, field) for field in ("phone_number", "external_id")}
    fields, mine = source.fields(), into.fields()
    book.remove(source)
    for field, value in taken.items():
        if value is not None and getattr(into, field) is None:
            book.set_identifier(into, field, value)
    for email in emails:
        if into.email is None:
            book.set_identifier(into, "email", email)
        else:
            book.add_alias(into, email)
    for block in ("location", "properties"):
        if block in fields:
            mine[block] = {**fields[block], **mine.get(block, {})}
    into.store({**fields, **mine})
