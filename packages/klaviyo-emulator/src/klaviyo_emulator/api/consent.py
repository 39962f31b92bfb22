"""Consent jobs: subscribe, unsubscribe, suppress, unsuppress. All are applied when they are accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from klaviyo_emulator import consent
from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.paging import sorted_page
from klaviyo_emulator.documents import document, page, suppression_resource
from klaviyo_emulator.errors import duplicate_profile, invalid, not_found
from klaviyo_emulator.groups import Group
from klaviyo_emulator.jobs import SuppressionJob
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.validation import valid_email, valid_phone
from klaviyo_emulator.writing import DuplicateProfileError, WriteMode, identifiers_of, match, write

ROWS_POINTER = "/data/attributes/profiles/data"
MAX_SUBSCRIBE, MAX_UNSUBSCRIBE, MAX_SUPPRESS = 1000, 100, 100
PAGE_SIZE = 20
SORTS = {"created": "created"}
FILTERS = {name: frozenset(("equals",)) for name in ("status", "list_id", "segment_id")}

Row = tuple[dict[str, Any], dict[str, Any]]
"""Attributes of a profile and, by channel, its ``marketing`` object."""


def _people(data: dict[str, Any]) -> list[Any]:
    profiles = data.get("attributes", {}).get("profiles")
    rows = profiles.get("data") if isinstance(profiles, dict) else None
    return rows if isinstance(rows, list) else []


def _rows(data: dict[str, Any], *, most: int, wanted: str) -> list[Row]:
    people = _people(data)
    if not 1 <= len(people) <= most:
        raise invalid(f"A call takes 1 to {most} profiles.", pointer=ROWS_POINTER)
    return [_row(item, f"{ROWS_POINTER}/{at}/attributes", wanted) for at, item in enumerate(people)]


def _row(item: Any, pointer: str, wanted: str) -> Row:
    attributes = item.get("attributes") if isinstance(item, dict) else None
    if not isinstance(attributes, dict) or not isinstance(attributes.get("subscriptions"), dict):
        raise invalid("'subscriptions' is a required field.", pointer=f"{pointer}/subscriptions")
    for name, valid in (("email", valid_email), ("phone_number", valid_phone)):
        value = attributes.get(name)
        if value is not None and not (isinstance(value, str) and valid(value)):
            raise invalid(f"Invalid {name}.", pointer=f"{pointer}/{name}")
    if not attributes.get("email") and not attributes.get("phone_number"):
        raise invalid("One of these identifiers is required: email, phone_number.", pointer=pointer)
    channels = {}
    for channel, identifier in (("email", "email"), ("sms", "phone_number")):
        block = attributes["subscriptions"].get(channel)
        marketing = block.get("marketing") if isinstance(block, dict) else None
        if marketing is None:
            continue
        if not isinstance(marketing, dict) or marketing.get("consent") != wanted:
            raise invalid(f"consent must be {wanted}.", pointer=f"{pointer}/subscriptions/{channel}/marketing/consent")
        if not attributes.get(identifier):
            raise invalid(f"'{identifier}' is required for this channel.", pointer=f"{pointer}/{identifier}")
        channels[channel] = marketing
    return attributes, channels


def _target_list(call: Call, data: dict[str, Any]) -> Group | None:
    key = _related(data, "list")
    if key is None:
        return None
    if key not in call.account.lists:
        raise not_found("list", key)
    return call.account.lists[key]


def _related(data: dict[str, Any], name: str) -> str | None:
    relationships = data.get("relationships")
    block = relationships.get(name) if isinstance(relationships, dict) else None
    entry = block.get("data") if isinstance(block, dict) else None
    return str(entry.get("id")) if isinstance(entry, dict) else None


def subscribe_profiles(call: Call) -> Reply:
    """Give consent. On a double-opt-in list nothing happens before the person confirms, which nobody does here."""
    data = call.data("profile-subscription-bulk-create-job")
    rows = _rows(data, most=MAX_SUBSCRIBE, wanted="SUBSCRIBED")
    group = _target_list(call, data)
    historical = data.get("attributes", {}).get("historical_import") is True
    stamped = [
        (attributes, _stamps(call, channels, f"{ROWS_POINTER}/{at}/attributes", historical=historical))
        for at, (attributes, channels) in enumerate(rows)
    ]
    if group is not None and group.opt_in_process == "double_opt_in" and not historical:
        return Reply(status=202)
    for attributes, stamps in stamped:
        profile = _upsert(call, attributes)
        for channel, consented_at in stamps.items():
            consent.subscribe(profile, channel, call.now, consented_at=consented_at)
        if group is not None:
            group.members.add(profile.id, call.now)
    return Reply(status=202)


def _stamps(call: Call, channels: dict[str, Any], row: str, *, historical: bool) -> dict[str, float | None]:
    """When consent was given, by channel: required and past for a historical import, forbidden otherwise."""
    stamps: dict[str, float | None] = {}
    for channel, marketing in channels.items():
        text = marketing.get("consented_at")
        pointer = f"{row}/subscriptions/{channel}/marketing/consented_at"
        if (text is None) == historical:
            raise invalid("consented_at goes with historical_import, and only with it.", pointer=pointer)
        stamps[channel] = None
        if text is not None:
            try:
                given = datetime.fromisoformat(text).timestamp()
            except (TypeError, ValueError):
                raise invalid("consented_at must be ISO 8601.", pointer=pointer) from None
            if given >= call.now:
                raise invalid("consented_at must be in the past.", pointer=pointer)
            stamps[channel] = given
    return stamps


def _upsert(call: Call, attributes: dict[str, Any]) -> Profile:
    named = {name: attributes[name] for name in ("email", "phone_number") if attributes.get(name)}
    identifiers = identifiers_of(named)
    mode = WriteMode(nulls="ignore", unset="ignore")
    book = call.account.profiles
    try:
        found = match(book, identifiers)
    except DuplicateProfileError as conflict:
        raise duplicate_profile(conflict.profile_id) from None
    return write(book, found, named, None, identifiers=identifiers, mode=mode, now=call.now)


def unsubscribe_profiles(call: Call) -> Reply:
    """Withdraw consent: members of the named list from that list, everybody else globally."""
    data = call.data("profile-subscription-bulk-delete-job")
    rows = _rows(data, most=MAX_UNSUBSCRIBE, wanted="UNSUBSCRIBED")
    group = _target_list(call, data)
    for attributes, channels in rows:
        profile = _upsert(call, attributes)
        if group is not None and profile.id in group.members:
            group.members.discard(profile.id, call.now)
            consent.unsubscribe_from_list(profile, group.id, call.now)
            continue
        for channel in channels:
            consent.unsubscribe(profile, channel, call.now)
    return Reply(status=202)


def suppress_profiles(call: Call) -> Reply:
    """Suppress people by address, or the members of a list or segment."""
    return _suppression(call, "create")


def unsuppress_profiles(call: Call) -> Reply:
    """Lift suppressions that were made by hand."""
    return _suppression(call, "delete")


def _suppression(call: Call, kind: str) -> Reply:
    data = call.data(f"profile-suppression-bulk-{kind}-job")
    list_id, segment_id = _related(data, "list"), _related(data, "segment")
    people = _suppression_targets(call, data, list_id, segment_id)
    done = 0
    for profile in people:
        if profile is not None:
            done += consent.suppress(profile, call.now) if kind == "create" else consent.unsuppress(profile)
    job = SuppressionJob(
        id=call.account.new_job_id(),
        kind=kind,
        created=call.now,
        total=len(people),
        completed=done,
        skipped=len(people) - done,
        list_id=list_id,
        segment_id=segment_id,
    )
    call.account.suppression_jobs[job.id] = job
    made = suppression_resource(job, call.base)
    return Reply(status=202, document=document(made, made["links"]["self"]))


def _suppression_targets(
    call: Call, data: dict[str, Any], list_id: str | None, segment_id: str | None
) -> list[Profile | None]:
    people = _people(data)
    if bool(people) + bool(list_id) + bool(segment_id) != 1 or len(people) > MAX_SUPPRESS:
        raise invalid(f"Name 1 to {MAX_SUPPRESS} e-mails, or one list, or one segment.", pointer="/data")
    book = call.account.profiles
    for groups, kind, key in ((call.account.lists, "list", list_id), (call.account.segments, "segment", segment_id)):
        if key is not None:
            if key not in groups:
                raise not_found(kind, key)
            return [book.by_id[member] for member in groups[key].members]
    found: list[Profile | None] = []
    for at, item in enumerate(people):
        attributes = item.get("attributes") if isinstance(item, dict) else None
        email = attributes.get("email") if isinstance(attributes, dict) else None
        if not isinstance(email, str) or not valid_email(email):
            raise invalid("Invalid email address", pointer=f"{ROWS_POINTER}/{at}/attributes/email")
        # Suppressing an unknown address makes a profile; unsuppressing one does not.
        creating = data["type"] == "profile-suppression-bulk-create-job"
        found.append(_upsert(call, {"email": email}) if creating else book.owner("email", email.strip().lower()))
    return found


def _get_jobs(call: Call, kind: str) -> Reply:
    conditions = call.query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    _, descending = call.query.sort(SORTS) or ("", False)
    found = [job for job in call.account.suppression_jobs.values() if job.kind == kind]
    for condition in conditions:
        found = [job for job in found if getattr(job, condition.field, "complete") == condition.value]
    shown, more = sorted_page(call, found, lambda job: (job.created, job.id), size=PAGE_SIZE, descending=descending)
    return Reply(document=page([suppression_resource(job, call.base) for job in shown], call.url, more))


def _get_job(call: Call, kind: str) -> Reply:
    job = call.account.suppression_jobs.get(call.key)
    if job is None or job.kind != kind:
        raise not_found(f"profile-suppression-bulk-{kind}-job", call.key)
    return Reply(document=document(suppression_resource(job, call.base), call.url))


_CREATE = "/api/profile-suppression-bulk-create-jobs"
_DELETE = "/api/profile-suppression-bulk-delete-jobs"
HANDLERS: dict[str, Handler] = {
    "POST /api/profile-subscription-bulk-create-jobs": subscribe_profiles,
    "POST /api/profile-subscription-bulk-delete-jobs": unsubscribe_profiles,
    f"POST {_CREATE}": suppress_profiles,
    f"POST {_DELETE}": unsuppress_profiles,
    f"GET {_CREATE}": lambda call: _get_jobs(call, "create"),
    f"GET {_DELETE}": lambda call: _get_jobs(call, "delete"),
    f"GET {_CREATE}/{{job_id}}": lambda call: _get_job(call, "create"),
    f"GET {_DELETE}/{{job_id}}": lambda call: _get_job(call, "delete"),
}
