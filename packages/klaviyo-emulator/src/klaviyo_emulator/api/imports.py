"""Bulk import jobs: submit, watch, read their errors."""

from __future__ import annotations

from typing import Any

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.api.lists import get_list_of
from klaviyo_emulator.api.paging import position_cursor, position_page, sorted_page
from klaviyo_emulator.bulk import ROWS_POINTER, refuse_malformed
from klaviyo_emulator.documents import (
    document,
    identifier,
    import_error_resource,
    job_resource,
    list_resource,
    page,
    profile_resource,
)
from klaviyo_emulator.errors import invalid, not_found
from klaviyo_emulator.jobs import Job

MAX_ROWS = 10_000
DEFAULT_PAGE, MAX_PAGE = 20, 100
FILTERS = {"status": frozenset(("any", "equals"))}
SORTS = {"created_at": "created_at"}


def create_job(call: Call) -> Reply:
    """Accept a job: 202 says that it is queued, not that it will succeed."""
    data = call.data("profile-bulk-import-job")
    rows = _rows(data)
    list_ids = _list_ids(call, data)
    refuse_malformed(rows, call.world.settings)
    job = Job(
        id=call.account.new_job_id(),
        created=call.now,
        due=round(call.now + call.world.settings.job_delay, 6),
        total=len(rows),
        list_ids=list_ids,
        body=call.raw,
    )
    if call.fault is not None and call.fault.kind == "cancel_job":
        job.cancel_after = call.fault.rows
    call.world.submit(call.account, job)
    fields = call.query.names("fields[profile-bulk-import-job]")
    made = job_resource(job, call.base, call.now, fields=fields)
    return Reply(status=202, document=document(made, made["links"]["self"]))


def _rows(data: dict[str, Any]) -> list[Any]:
    profiles = data.get("attributes", {}).get("profiles")
    rows = profiles.get("data") if isinstance(profiles, dict) else None
    if not isinstance(rows, list) or not rows:
        raise invalid("A job needs at least one profile.", pointer=ROWS_POINTER)
    if len(rows) > MAX_ROWS:
        raise invalid(f"A job takes at most {MAX_ROWS} profiles.", pointer=ROWS_POINTER)
    return rows


def _list_ids(call: Call, data: dict[str, Any]) -> tuple[str, ...]:
    relationships = data.get("relationships") or {}
    lists = relationships.get("lists") if isinstance(relationships, dict) else None
    entries = (lists.get("data") if isinstance(lists, dict) else None) or []
    pointer = "/data/relationships/lists/data"
    if not isinstance(entries, list):
        raise invalid("lists must be an array.", pointer=pointer)
    keys = []
    for at, entry in enumerate(entries):
        key = entry.get("id") if isinstance(entry, dict) and entry.get("type") == "list" else None
        if not isinstance(key, str) or key not in call.account.lists:
            raise invalid("This list does not exist.", pointer=f"{pointer}/{at}/id")
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def _job(call: Call) -> Job:
    job = next((job for job in call.account.live_jobs(call.now) if job.id == call.key), None)
    if job is None:
        raise not_found("profile-bulk-import-job", call.key)
    return job


def get_jobs(call: Call) -> Reply:
    """A page of jobs, by status."""
    query, now = call.query, call.now
    conditions = query.conditions(FILTERS, max_values=call.world.settings.max_any_values)
    size = query.page_size(default=DEFAULT_PAGE, maximum=MAX_PAGE)
    _, descending = query.sort(SORTS) or ("", False)
    found = call.account.live_jobs(now)
    for condition in conditions:
        wanted = condition.value if isinstance(condition.value, list) else [condition.value]
        found = [job for job in found if job.status_at(now) in wanted]
    shown, more = sorted_page(call, found, lambda job: (job.created, job.id), size=size, descending=descending)
    fields = query.names("fields[profile-bulk-import-job]")
    return Reply(document=page([job_resource(job, call.base, now, fields=fields) for job in shown], call.url, more))


def get_job(call: Call) -> Reply:
    """One job, with its lists when ``include`` asks for them."""
    job = _job(call)
    included = None
    if "lists" in (call.query.names("include") or ()):
        included = [list_resource(call.account.lists[key], call.base) for key in _live_lists(call, job)]
    fields = call.query.names("fields[profile-bulk-import-job]")
    return Reply(document=document(job_resource(job, call.base, call.now, fields=fields), call.url, included=included))


def _live_lists(call: Call, job: Job) -> list[str]:
    return [key for key in job.list_ids if key in call.account.lists]


def get_job_lists(call: Call) -> Reply:
    """The lists that the job fills."""
    keys = _live_lists(call, _job(call))
    return Reply(document=page([list_resource(get_list_of(call, key), call.base) for key in keys], call.url, None))


def get_job_list_ids(call: Call) -> Reply:
    """Their ids."""
    found = [identifier("list", key) for key in _live_lists(call, _job(call))]
    return Reply(document=page(found, call.url, None))


def _job_people(call: Call) -> tuple[list[str], str | None]:
    job, known = _job(call), call.account.profiles.by_id
    size = call.query.page_size(default=DEFAULT_PAGE, maximum=MAX_PAGE)
    after = position_cursor(call)
    span = range(0 if after is None else after + 1, len(job.profile_ids))
    shown, more = position_page(call, (at for at in span if job.profile_ids[at] in known), size=size)
    return [job.profile_ids[at] for at in shown], more


def get_job_profiles(call: Call) -> Reply:
    """A page of the profiles that the job wrote."""
    keys, more = _job_people(call)
    fields, known = call.query.names("fields[profile]"), call.account.profiles.by_id
    found = [profile_resource(known[key], call.base, fields=fields) for key in keys]
    return Reply(document=page(found, call.url, more))


def get_job_profile_ids(call: Call) -> Reply:
    """A page of their ids."""
    keys, more = _job_people(call)
    return Reply(document=page([identifier("profile", key) for key in keys], call.url, more))


def get_import_errors(call: Call) -> Reply:
    """A page of the rows that failed alone."""
    job = _job(call)
    size = call.query.page_size(default=DEFAULT_PAGE, maximum=MAX_PAGE)
    after = position_cursor(call)
    shown, more = position_page(call, range(0 if after is None else after + 1, len(job.errors)), size=size)
    payload, fields = call.world.settings.original_payload, call.query.names("fields[import-error]")
    found = [import_error_resource(job, at, call.base, with_payload=payload, fields=fields) for at in shown]
    return Reply(document=page(found, call.url, more))


_PATH = "/api/profile-bulk-import-jobs"
HANDLERS: dict[str, Handler] = {
    f"GET {_PATH}": get_jobs,
    f"POST {_PATH}": create_job,
    f"GET {_PATH}/{{job_id}}": get_job,
    f"GET {_PATH}/{{id}}/lists": get_job_lists,
    f"GET {_PATH}/{{id}}/relationships/lists": get_job_list_ids,
    f"GET {_PATH}/{{id}}/profiles": get_job_profiles,
    f"GET {_PATH}/{{id}}/relationships/profiles": get_job_profile_ids,
    f"GET {_PATH}/{{id}}/import-errors": get_import_errors,
}
