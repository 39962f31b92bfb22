"""What a profile in a request may look like. A fault is a pair: where (relative to the profile) and what."""

from __future__ import annotations

import re
from typing import Any

from klaviyo_emulator.profiles import normal_email

MAX_PROFILE_BYTES = 100_000
MAX_EMAIL_LENGTH = 254
MAX_DEPTH = 50
"""Deeper values are refused: what is stored must be printable again inside an answer (orjson ends at 254 levels)."""
EXTERNAL_ID_LENGTH = 64

IDENTIFIERS = ("email", "phone_number", "external_id")
STANDARD = ("first_name", "last_name", "organization", "locale", "title", "image")
LOCATION = (
    "address1",
    "address2",
    "city",
    "country",
    "latitude",
    "longitude",
    "region",
    "zip",
    "timezone",
    "ip",
)
_TEXT = frozenset((*IDENTIFIERS, *STANDARD, "_kx"))
_LOCATION = frozenset(LOCATION)
_COORDINATES = frozenset(("latitude", "longitude"))
_PATCH_OBJECTS = ("append", "unappend")

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*@(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])"
)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164 by its form. Klaviyo also wants a number that is assigned, which no pattern can tell."""

ProfileFault = tuple[str, str]


def valid_email(text: str) -> bool:
    """Whether the address is well-formed, spaces around it aside."""
    address = normal_email(text)
    return len(address) <= MAX_EMAIL_LENGTH and _EMAIL.fullmatch(address) is not None


def valid_phone(text: str) -> bool:
    """Whether the number is ``+``, a country code and digits, 7 to 15 in all."""
    return _PHONE.fullmatch(text.strip()) is not None


def profile_fault(item: Any) -> ProfileFault | None:
    """The first fault of a profile resource ``{type, id?, attributes, meta?}``, or None."""
    if not isinstance(item, dict):
        return "", "A profile must be an object."
    if item.get("type") != "profile":
        return "/type", "The type must be 'profile'."
    attributes = item.get("attributes")
    if not isinstance(attributes, dict):
        return "/attributes", "attributes must be an object."
    if (profile_id := item.get("id")) is not None and not isinstance(profile_id, str):
        return "/id", "id must be a string."
    for key, value in item.items():
        if key != "attributes" and too_deep(value):
            return f"/{key}", "This value is nested too deeply."
    fault = attributes_fault(attributes)
    if fault is None and (meta := item.get("meta")) is not None:
        fault = meta_fault(meta)
    return fault


def attributes_fault(attributes: dict[str, Any]) -> ProfileFault | None:
    """The first fault of profile attributes, or None."""
    for key, value in attributes.items():
        if key in _TEXT:
            if value is not None and not isinstance(value, str):
                return f"/attributes/{key}", f"{key} must be a string."
        elif key == "location":
            if fault := _location_fault(value):
                return fault
        elif key == "properties":
            if fault := _properties_fault(value):
                return fault
        else:
            return f"/attributes/{key}", f"'{key}' is not a valid field for the resource 'profile'."
    email = attributes.get("email")
    if email is not None and not valid_email(email):
        return "/attributes/email", "Invalid email address"
    phone = attributes.get("phone_number")
    if phone is not None and not valid_phone(phone):
        return "/attributes/phone_number", "Invalid phone number format (Example of a valid format: +12345678901)"
    return None


def too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays nest in more levels than allowed."""
    if isinstance(value, dict):
        inner: Any = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return False
    return levels == 0 or any(isinstance(one, (dict, list)) and too_deep(one, levels - 1) for one in inner)


def _properties_fault(properties: Any) -> ProfileFault | None:
    if properties is not None and not isinstance(properties, dict):
        return "/attributes/properties", "properties must be an object."
    if properties and too_deep(properties):
        return "/attributes/properties", "properties are nested too deeply."
    return None


def _location_fault(location: Any) -> ProfileFault | None:
    if location is None:
        return None
    if not isinstance(location, dict):
        return "/attributes/location", "location must be an object."
    for key, value in location.items():
        where = f"/attributes/location/{key}"
        if key not in _LOCATION:
            return where, f"'{key}' is not a valid field for the resource 'location'."
        number = key in _COORDINATES and isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not isinstance(value, str) and not number:
            return where, f"{key} must be a string."
    return None


def meta_fault(meta: Any) -> ProfileFault | None:
    """The first fault of ``meta`` with its ``patch_properties`` and ``patch_identifiers``, or None."""
    if not isinstance(meta, dict):
        return "/meta", "meta must be an object."
    for block in ("patch_properties", "patch_identifiers"):
        patch = meta.get(block)
        if patch is None:
            continue
        if not isinstance(patch, dict):
            return f"/meta/{block}", f"{block} must be an object."
        for verb in _PATCH_OBJECTS:
            if patch.get(verb) is not None and not isinstance(patch[verb], dict):
                return f"/meta/{block}/{verb}", f"{verb} must be an object."
        if block == "patch_properties" and not _names(patch.get("unset")):
            return "/meta/patch_properties/unset", "unset must be a string or an array of strings."
    return None


def _names(unset: Any) -> bool:
    if unset is None or isinstance(unset, str):
        return True
    return isinstance(unset, list) and all(isinstance(name, str) for name in unset)


def holds_null(attributes: dict[str, Any]) -> str | None:
    """Where a null is among the attributes, relative to the profile; None when there is none."""
    for block, values in (("", attributes), ("/location", attributes.get("location"))):
        for key, value in (values or {}).items():
            if value is None:
                return f"/attributes{block}/{key}"
    for key, value in (attributes.get("properties") or {}).items():
        if value is None:
            return f"/attributes/properties/{key}"
    return None
