"""Events: accepted, stored, and written through to the profile they are about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.clock import iso
from klaviyo_emulator.errors import duplicate_profile, invalid
from klaviyo_emulator.validation import profile_fault, too_deep
from klaviyo_emulator.writing import DuplicateProfileError, NoIdentifierError, WriteMode, identifiers_of, match, write

PROFILE_POINTER = "/data/attributes/profile/data"
EARLIEST = datetime.fromisoformat("1990-01-01T00:00:00+00:00").timestamp()
YEAR_SECONDS = 366 * 86_400.0
MAX_PROPERTIES = 400


def create_event(call: Call) -> Reply:
    """202: the event is kept unless its ``unique_id`` was seen for this profile and metric."""
    attributes = call.data("event").get("attributes", {})
    properties = attributes.get("properties")
    if not isinstance(properties, dict) or len(properties) > MAX_PROPERTIES:
        detail = f"properties must be an object of at most {MAX_PROPERTIES} entries."
        raise invalid(detail, pointer="/data/attributes/properties")
    if too_deep(properties):
        raise invalid("properties are nested too deeply.", pointer="/data/attributes/properties")
    metric = _metric(attributes)
    happened = _time(call, attributes.get("time"))
    profile_id = _profile(call, attributes)
    unique = str(attributes.get("unique_id") or happened)
    marker = (profile_id, metric, unique)
    if marker not in call.account.event_ids:
        call.account.event_ids.add(marker)
        call.account.events.append(
            {"profile_id": profile_id, "metric": metric, "time": iso(happened), "properties": properties}
        )
        call.account.profiles.by_id[profile_id].last_event = happened
    return Reply(status=202)


def _metric(attributes: dict[str, Any]) -> str:
    block = attributes.get("metric")
    data = block.get("data") if isinstance(block, dict) else None
    named = data.get("attributes") if isinstance(data, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if not isinstance(name, str) or not name:
        raise invalid("A metric needs a name.", pointer="/data/attributes/metric/data/attributes/name")
    return name


def _time(call: Call, text: Any) -> float:
    if text is None:
        return call.now
    try:
        moment = datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        raise invalid("time must be ISO 8601.", pointer="/data/attributes/time") from None
    if not EARLIEST <= moment <= call.now + YEAR_SECONDS:
        raise invalid("time must lie between 1990 and one year from now.", pointer="/data/attributes/time")
    return moment


def _profile(call: Call, attributes: dict[str, Any]) -> str:
    block = attributes.get("profile")
    data = block.get("data") if isinstance(block, dict) else None
    inner = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(inner, dict):
        raise invalid("An event needs a profile.", pointer=PROFILE_POINTER)
    # Inside an event the patch block lies among the attributes, and anonymous_id still exists.
    meta = inner.get("meta")
    plain = {key: value for key, value in inner.items() if key not in ("meta", "anonymous_id")}
    if fault := profile_fault({"type": data.get("type"), "attributes": plain, "meta": meta}):
        raise invalid(fault[1], pointer=f"{PROFILE_POINTER}{fault[0]}")
    identifiers = identifiers_of(plain)
    book = call.account.profiles
    known = book.by_id.get(str(data.get("id")))
    try:
        found = match(book, identifiers, known)
        mode = WriteMode(nulls="clear", unset=call.world.settings.unset)
        return write(book, found, plain, meta, identifiers=identifiers, mode=mode, now=call.now).id
    except DuplicateProfileError as conflict:
        raise duplicate_profile(conflict.profile_id) from None
    except NoIdentifierError:
        raise invalid("An event needs a profile identifier.", pointer=f"{PROFILE_POINTER}/attributes") from None


HANDLERS: dict[str, Handler] = {"POST /api/events": create_event}
