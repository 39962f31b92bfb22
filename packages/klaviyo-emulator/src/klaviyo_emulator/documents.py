"""JSON:API resources and documents, shaped as revision 2026-07-15 prints them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from klaviyo_emulator.clock import iso
from klaviyo_emulator.consent import subscriptions
from klaviyo_emulator.groups import Group
from klaviyo_emulator.jobs import Job, SuppressionJob
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.validation import IDENTIFIERS, LOCATION, STANDARD

Resource = dict[str, Any]

_JOBS = "/api/profile-bulk-import-jobs"


def document(data: Any, self_url: str, *, included: Sequence[Resource] | None = None) -> Resource:
    """A document about one resource."""
    body: Resource = {"data": data, "links": {"self": self_url}}
    if included is not None:
        body["included"] = list(included)
    return body


def page(data: Sequence[Resource], self_url: str, next_url: str | None) -> Resource:
    """A document with a page of resources; pages lead forward only."""
    return {"data": list(data), "links": {"self": self_url, "next": next_url, "prev": None}}


def identifier(kind: str, key: str) -> Resource:
    """A resource by type and id alone."""
    return {"type": kind, "id": key}


def resource(
    kind: str,
    key: str,
    attributes: Mapping[str, Any],
    url: str,
    *,
    fields: Collection[str] | None = None,
    relationships: Mapping[str, Resource] | None = None,
) -> Resource:
    """A resource with the attributes that a sparse fieldset asks for (None: all)."""
    chosen = dict(attributes) if fields is None else {key: attributes[key] for key in attributes if key in fields}
    made: Resource = {"type": kind, "id": key, "attributes": chosen}
    if relationships:
        made["relationships"] = dict(relationships)
    made["links"] = {"self": url}
    return made


def _related(url: str, names: Collection[str]) -> dict[str, Resource]:
    return {name: {"links": {"self": f"{url}/relationships/{name}", "related": f"{url}/{name}"}} for name in names}


def profile_resource(
    profile: Profile,
    base: str,
    *,
    fields: Collection[str] | None = None,
    extra: Mapping[str, Any] | None = None,
    with_subscriptions: bool = False,
) -> Resource:
    """A profile. extra: attributes beyond the stored ones, such as ``joined_group_at``."""
    url = f"{base}/api/profiles/{profile.id}"
    attributes = profile_attributes(profile, fields)
    if extra:
        attributes.update(extra)
    if with_subscriptions:
        attributes["subscriptions"] = subscriptions(profile)
        fields = None if fields is None else {*fields, "subscriptions"}
    related = _related(url, ("lists", "segments", "push-tokens"))
    return resource("profile", profile.id, attributes, url, fields=_top_level(fields), relationships=related)


def _top_level(fields: Collection[str] | None) -> Collection[str] | None:
    """``location.city`` and ``subscriptions.email`` ask for the object that holds them."""
    return None if fields is None else {field.split(".")[0] for field in fields}


def profile_attributes(profile: Profile, fields: Collection[str] | None = None) -> dict[str, Any]:
    """All attributes of a profile; the stored text is not even read when ``fields`` names identifiers alone."""
    attributes: dict[str, Any] = {name: getattr(profile, name) for name in IDENTIFIERS}
    if fields is not None and all(field in IDENTIFIERS for field in fields):
        return attributes
    stored = profile.fields()
    attributes.update((name, stored.get(name)) for name in STANDARD)
    location = stored.get("location", {})
    attributes["location"] = {name: location.get(name) for name in LOCATION}
    attributes["properties"] = stored.get("properties", {})
    attributes["created"] = iso(profile.created)
    attributes["updated"] = iso(profile.updated)
    attributes["last_event_date"] = None if profile.last_event is None else iso(profile.last_event)
    return attributes


def list_resource(
    group: Group, base: str, *, fields: Collection[str] | None = None, count: int | None = None
) -> Resource:
    """A list; count is the ``profile_count`` that was asked for."""
    url = f"{base}/api/lists/{group.id}"
    attributes: dict[str, Any] = {
        "name": group.name,
        "created": iso(group.created),
        "updated": iso(group.updated),
        "opt_in_process": group.opt_in_process,
    }
    made = resource(
        "list",
        group.id,
        attributes,
        url,
        fields=fields,
        relationships=_related(url, ("profiles", "tags", "flow-triggers")),
    )
    if count is not None:
        made["attributes"]["profile_count"] = count
    return made


def segment_resource(
    group: Group, base: str, *, fields: Collection[str] | None = None, count: int | None = None
) -> Resource:
    """A segment. Its definition matches nobody: members come through the administration alone."""
    url = f"{base}/api/segments/{group.id}"
    attributes: dict[str, Any] = {
        "name": group.name,
        "definition": {"condition_groups": []},
        "created": iso(group.created),
        "updated": iso(group.updated),
        "is_active": True,
        "is_processing": False,
        "is_starred": False,
    }
    related = _related(url, ("profiles", "tags", "flow-triggers"))
    made = resource("segment", group.id, attributes, url, fields=fields, relationships=related)
    if count is not None:
        made["attributes"]["profile_count"] = count
    return made


def job_resource(job: Job, base: str, now: float, *, fields: Collection[str] | None = None) -> Resource:
    """A bulk import job as it stands now."""
    url = f"{base}{_JOBS}/{job.id}"
    status = job.status_at(now)
    started = job.started_at if job.started_at is not None else job.start if status == "processing" else None
    attributes = {
        "status": status,
        "created_at": iso(job.created),
        "total_count": job.total,
        "completed_count": job.completed,
        "failed_count": job.failed,
        "completed_at": None if job.completed_at is None else iso(job.completed_at),
        "expires_at": iso(job.expires),
        "started_at": None if started is None else iso(started),
    }
    related = _related(url, ("lists", "profiles"))
    related["lists"]["data"] = [identifier("list", key) for key in job.list_ids]
    related["import-errors"] = {"links": {"related": f"{url}/import-errors"}}
    return resource("profile-bulk-import-job", job.id, attributes, url, fields=fields, relationships=related)


def import_error_resource(
    job: Job, number: int, base: str, *, with_payload: bool, fields: Collection[str] | None
) -> Resource:
    """An import error of a job."""
    error = job.errors[number]
    key = f"{job.id}-{number}"
    attributes = {**error, "original_payload": error["original_payload"] if with_payload else None}
    return resource("import-error", key, attributes, f"{base}{_JOBS}/{job.id}/import-errors/{key}", fields=fields)


def suppression_resource(job: SuppressionJob, base: str, *, fields: Collection[str] | None = None) -> Resource:
    """A suppress or unsuppress job; both complete at once."""
    kind = f"profile-suppression-bulk-{job.kind}-job"
    url = f"{base}/api/{kind}s/{job.id}"
    attributes = {
        "status": "complete",
        "created_at": iso(job.created),
        "total_count": job.total,
        "completed_count": job.completed,
        "completed_at": iso(job.created),
        "skipped_count": job.skipped,
    }
    related = {
        "lists": {"data": [identifier("list", job.list_id)] if job.list_id else []},
        "segments": {"data": [identifier("segment", job.segment_id)] if job.segment_id else []},
    }
    return resource(kind, job.id, attributes, url, fields=fields, relationships=related)


def account_resource(account_id: str, name: str, timezone: str, base: str) -> Resource:
    """The account that a key belongs to."""
    attributes = {
        "test_account": True,
        "contact_information": {
            "default_sender_name": name,
            "default_sender_email": "hello@emulator.invalid",
            "website_url": None,
            "organization_name": name,
            "street_address": dict.fromkeys(("address1", "address2", "city", "region", "country", "zip")),
        },
        "industry": None,
        "timezone": timezone,
        "preferred_currency": "USD",
        "public_api_key": account_id,
        "locale": "en-US",
    }
    return resource("account", account_id, attributes, f"{base}/api/accounts/{account_id}")
