"""Klaviyo's endpoints and their limits, as data. Source: the official OpenAPI document of revision 2026-07-15."""

from __future__ import annotations

from dataclasses import dataclass

from segue.audience.packing import ChunkLimits
from segue.delivery.budget import Limit

REVISION = "2026-07-15"
BASE_URL = "https://a.klaviyo.com"
MEDIA_TYPE = "application/vnd.api+json"

XS = Limit(burst=1, steady=15)
M = Limit(burst=10, steady=150)
L = Limit(burst=75, steady=750)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation; ``path`` has ``{id}`` where an id goes. scopes: what the key must be allowed."""

    method: str
    path: str
    limit: Limit
    scopes: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is shown and counted."""
        return f"{self.method} {self.path}"


def _endpoint(method: str, path: str, limit: Limit, *scopes: str) -> Endpoint:
    return Endpoint(method=method, path=path, limit=limit, scopes=scopes)


GET_ACCOUNTS = _endpoint("GET", "/api/accounts", XS, "accounts:read")
GET_LISTS = _endpoint("GET", "/api/lists", L, "lists:read")
GET_LIST = _endpoint("GET", "/api/lists/{id}", L, "lists:read")
GET_LIST_COUNT = _endpoint("GET", "/api/lists/{id}?additional-fields[list]=profile_count", XS, "lists:read")
CREATE_LIST = _endpoint("POST", "/api/lists", M, "lists:write")
GET_MEMBERS = _endpoint("GET", "/api/lists/{id}/profiles", L, "lists:read", "profiles:read")
REMOVE_MEMBERS = _endpoint("DELETE", "/api/lists/{id}/relationships/profiles", M, "lists:write", "profiles:write")
GET_PROFILES = _endpoint("GET", "/api/profiles", L, "profiles:read")
IMPORT_PROFILE = _endpoint("POST", "/api/profile-import", L, "profiles:write")
CREATE_JOB = _endpoint("POST", "/api/profile-bulk-import-jobs", M, "profiles:write", "lists:write")
GET_JOBS = _endpoint("GET", "/api/profile-bulk-import-jobs", M, "profiles:read", "lists:read")
GET_JOB = _endpoint("GET", "/api/profile-bulk-import-jobs/{id}", M, "profiles:read", "lists:read")
GET_JOB_ERRORS = _endpoint("GET", "/api/profile-bulk-import-jobs/{id}/import-errors", M, "profiles:read")

ENDPOINTS = (
    GET_ACCOUNTS,
    GET_LISTS,
    GET_LIST,
    GET_LIST_COUNT,
    CREATE_LIST,
    GET_MEMBERS,
    REMOVE_MEMBERS,
    GET_PROFILES,
    IMPORT_PROFILE,
    CREATE_JOB,
    GET_JOBS,
    GET_JOB,
    GET_JOB_ERRORS,
)
LIMITS = {endpoint.name: endpoint.limit for endpoint in ENDPOINTS}

BULK_ROWS = 10_000
BULK_BYTES = 5_000_000
ENVELOPE_BYTES = 1_000
"""Room for what stands around the rows of a bulk body."""
CHUNK_LIMITS = ChunkLimits(rows=BULK_ROWS, bytes=BULK_BYTES - ENVELOPE_BYTES)
PAGE = 100
"""Profiles on a page, values in an any() filter, jobs on a page."""
FILTER_BYTES = 6_000
"""Encoded values of a filter: servers and proxies commonly refuse addresses over 8,000 bytes."""
LIST_PAGE = 10
IDS_A_CALL = 1_000
MAX_LISTS = 1_000
CREATES_A_DAY = 150
