"""What a row becomes, written down a second time in plain Python from the documented rules, not from the SQL."""

from __future__ import annotations

import datetime as dt
import json
import math
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
import phonenumbers
import pyarrow as pa

PROFILE = ("external_id", "phone_number", "first_name", "last_name", "organization", "title", "image", "locale")
LOCATION = ("address1", "address2", "city", "country", "region", "zip", "latitude", "longitude", "timezone", "ip")
BLANKS = " \t\n\v\f\r\u00a0\u200b\ufeff"
NO_ATOM = frozenset('@"(),:;<>[]\\')
DROP = object()
"""A value that cannot be sent."""


class Scaled(Decimal):
    """A decimal whose scale counts: 12.50 is not 12.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """attributes: the parsed payload; unset: NULL custom properties; problems: field and reason."""

    key: str | None
    attributes: dict[str, Any]
    unset: list[str]
    refused: bool
    problems: set[tuple[str, str]]


def encode(
    row: Mapping[str, Any], kinds: Mapping[str, pa.DataType], *, full: bool = True, region: str | None = None
) -> Profile:
    """One row of a query as Klaviyo should get it."""
    problems: set[tuple[str, str]] = set()
    key, reason = email(row["email"])
    if reason:
        problems.add(("email", reason))
    own: dict[str, Any] = {}
    location: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    unset = []
    for name, value in row.items():
        if name == "email" or name.startswith("$") or not full:
            continue
        if name in PROFILE:
            place = own
        elif name in LOCATION:
            place = location
        else:
            place = properties
            if value is None:
                unset.append(name)
        sent, why = field(name, value, kinds[name], custom=place is properties, region=region)
        problems |= {(name, reason) for reason in why}
        if sent is not None:
            place[name] = sent
    attributes: dict[str, Any] = {"email": key or normal(row["email"] or ""), **own}
    attributes |= {"location": location} if location else {}
    attributes |= {"properties": properties} if properties else {}
    return Profile(key=key, attributes=attributes, unset=sorted(unset), refused=key is None, problems=problems)


def normal(address: str) -> str:
    """Trimmed and in lower case, one character for one."""
    return "".join(c.lower() if len(c.lower()) == 1 else c.lower()[0] for c in address.strip(BLANKS))


def email(value: str | None) -> tuple[str | None, str | None]:
    """The normalised address, or why there is none."""
    address = normal(value or "")
    if not address:
        return None, "email_missing"
    local, at, domain = address.rpartition("@")
    atoms, labels = local.split("."), domain.split(".")
    sound = bool(at) and len(address.encode()) <= 254 and len(labels) > 1
    sound = sound and all(atom and not any(_forbidden(c) for c in atom) for atom in atoms)
    sound = sound and all(_is_label(label) for label in labels)
    return (address, None) if sound else (None, "email_malformed")


def _forbidden(character: str) -> bool:
    return character in NO_ATOM or unicodedata.category(character)[0] in "ZC"


def _is_label(label: str) -> bool:
    letters = all(c == "-" or unicodedata.category(c)[0] in "LN" for c in label)
    return bool(label) and letters and not label.startswith("-") and not label.endswith("-")


def phone(value: str, region: str | None) -> str | None:
    """An E.164 number, or None."""
    bare = value.strip(BLANKS)
    if region and not value.lstrip().startswith(("+", "00")):
        try:
            parsed = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            pass
        else:
            if phonenumbers.is_valid_number(parsed):
                return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    digits = "".join(c for c in bare if c not in " \t\n\f\r().-/")
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    rest = digits[1:]
    sound = digits.startswith("+") and rest.isascii() and rest.isdigit() and rest[0] != "0" and 7 <= len(rest) <= 15
    return digits if sound else None


def field(name: str, value: Any, kind: pa.DataType, *, custom: bool, region: str | None) -> tuple[Any, set[str]]:
    """The parsed JSON of a field, None for an absent one, and what is wrong with its value."""
    if value is None:
        return None, set()
    if name in ("phone_number", "external_id") and not custom:
        text = str(value)
        if not text.strip(BLANKS):
            return None, set()
        if name == "phone_number":
            number = phone(text, region)
            return number, set() if number else {"phone_not_e164"}
        bare = text.strip(BLANKS)
        return (bare, set()) if len(bare) <= 64 else (None, {"external_id_too_long"})
    sent, dropped = value_of(value, kind), set(_dropped(value, kind))
    if sent is DROP:
        return None, dropped
    if custom or (name in ("latitude", "longitude") and not isinstance(sent, str | bool)):
        return sent, dropped
    return plain(sent), dropped


def _dropped(value: Any, kind: pa.DataType) -> Iterator[str]:
    """Why values in a value, or it itself, cannot be sent."""
    if pa.types.is_map(kind):
        inside = [(v, kind.item_type) for _, v in value or []]
    elif isinstance(value, dict):
        inside = [(value[f.name], f.type) for f in kind]
    elif isinstance(value, list):
        inside = [(v, kind.value_type) for v in value]
    else:
        inside = []
        if value_of(value, kind) is DROP:
            yield _reason(value)
    for member, its_kind in inside:
        yield from _dropped(member, its_kind)


def _reason(value: Any) -> str:
    if isinstance(value, float):
        return "not_finite"
    return "number_too_large" if isinstance(value, int | Decimal) else "date_out_of_range"


def plain(sent: Any) -> str:
    """A value as text, for fields that are strings at Klaviyo."""
    if isinstance(sent, str):
        return sent
    if isinstance(sent, bool):
        return "true" if sent else "false"
    return format(sent, "f") if isinstance(sent, Decimal) else str(sent)


def value_of(value: Any, kind: pa.DataType) -> Any:
    """The parsed JSON of a value, or DROP."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, float):
        return shortest(value, single=kind == pa.float32()) if math.isfinite(value) else DROP
    if isinstance(value, int) or (isinstance(value, Decimal) and kind.scale == 0):
        return int(value) if -(2**63) <= value < 2**63 else DROP
    if isinstance(value, Decimal):
        return Scaled(value)
    if isinstance(value, dt.datetime):
        return stamp(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat().rstrip("0").rstrip(".") if value.microsecond else value.isoformat()
    if pa.types.is_map(kind):
        return _without_dropped({str(k): value_of(v, kind.item_type) for k, v in value})
    if isinstance(value, dict):
        return _without_dropped({f.name: value_of(value[f.name], f.type) for f in kind})
    sent = [value_of(v, kind.value_type) for v in value]
    return [None if v is DROP else v for v in sent]


def _without_dropped(members: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in members.items() if v is not DROP}


def stamp(value: dt.datetime) -> str:
    """In UTC; a value without a zone is UTC already; milliseconds only where there are any."""
    moment = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    milliseconds = moment.microsecond // 1000
    text = moment.replace(microsecond=0).isoformat()
    return text + (f".{milliseconds:03d}" if milliseconds else "") + "Z"


def shortest(value: float, *, single: bool) -> Decimal:
    """The number with the fewest digits that reads back as this one."""
    if not single:
        return Decimal(repr(value))
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return Decimal(text)
    raise AssertionError(value)


def parse(text: str) -> Any:
    """JSON as strictly as orjson reads it, with numbers as exact as they are written."""
    orjson.loads(text)
    return json.loads(text, parse_float=Decimal)


def same(expected: Any, found: Any) -> bool:
    """Equal in type and value, all the way down; the order of an object's members does not count."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and expected.keys() == found.keys()
            and all(same(v, found[k]) for k, v in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(same(e, f) for e, f in zip(expected, found, strict=True))
        )
    if isinstance(expected, Scaled):
        return format(expected, "f") == (format(found, "f") if isinstance(found, Decimal) else str(found))
    return type(expected) is type(found) and bool(expected == found)
