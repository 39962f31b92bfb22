"""What the emulator serves, as data: method, path, scopes and rate limits of revision 2026-07-15."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """Requests per second (burst) and per minute (steady); both hold."""

    burst: int
    steady: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SubQuota:
    """A second quota, shared by all endpoints, for calls whose query parameter names this value."""

    parameter: str
    value: str
    quota: Quota

    @property
    def name(self) -> str:
        """How traffic reports call it."""
        return f"{self.parameter}={self.value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One endpoint. The template is the path with its parameters in braces."""

    method: str
    template: str
    scopes: frozenset[str]
    quota: Quota
    extras: tuple[SubQuota, ...] = ()

    @property
    def name(self) -> str:
        """``METHOD /api/template``: the key of windows, counters and faults."""
        return f"{self.method} {self.template}"


XS = Quota(burst=1, steady=15)
S = Quota(burst=3, steady=60)
M = Quota(burst=10, steady=150)
L = Quota(burst=75, steady=750)
XL = Quota(burst=350, steady=3500)

_LIST_COUNT = SubQuota(parameter="additional-fields[list]", value="profile_count", quota=XS)
_SEGMENT_COUNT = SubQuota(parameter="additional-fields[segment]", value="profile_count", quota=XS)
_ANALYTICS = SubQuota(parameter="additional-fields[profile]", value="predictive_analytics", quota=M)
_WITH_LISTS = SubQuota(parameter="include", value="lists", quota=XS)
_WITH_SEGMENTS = SubQuota(parameter="include", value="segments", quota=XS)


def _op(line: str, scopes: str, quota: Quota, *extras: SubQuota) -> Operation:
    method, template = line.split()
    return Operation(method=method, template=template, scopes=frozenset(scopes.split()), quota=quota, extras=extras)


_BULK = "/api/profile-bulk-import-jobs"
_SUPPRESS = "/api/profile-suppression-bulk-create-jobs"
_UNSUPPRESS = "/api/profile-suppression-bulk-delete-jobs"
_CONSENT = "lists:write profiles:write subscriptions:write"

OPERATIONS: tuple[Operation, ...] = (
    _op("GET /api/accounts", "accounts:read", XS),
    _op("GET /api/accounts/{id}", "accounts:read", XS),
    _op("GET /api/lists", "lists:read", L),
    _op("POST /api/lists", "lists:write", M),
    _op("GET /api/lists/{id}", "lists:read", L, _LIST_COUNT),
    _op("PATCH /api/lists/{id}", "lists:write", M),
    _op("DELETE /api/lists/{id}", "lists:write", M),
    _op("GET /api/lists/{id}/profiles", "lists:read profiles:read", L, _ANALYTICS),
    _op("GET /api/lists/{id}/relationships/profiles", "lists:read profiles:read", L),
    _op("POST /api/lists/{id}/relationships/profiles", "lists:write profiles:write", M),
    _op("DELETE /api/lists/{id}/relationships/profiles", "lists:write profiles:write", M),
    _op("GET /api/profiles", "profiles:read", L, _ANALYTICS),
    _op("POST /api/profiles", "profiles:write", L),
    _op("GET /api/profiles/{id}", "profiles:read", L, _WITH_LISTS, _WITH_SEGMENTS),
    _op("PATCH /api/profiles/{id}", "profiles:write", L),
    _op("GET /api/profiles/{id}/lists", "lists:read profiles:read", S),
    _op("GET /api/profiles/{id}/relationships/lists", "lists:read profiles:read", S),
    _op("POST /api/profile-import", "profiles:write", L),
    _op("POST /api/profile-merge", "profiles:write", M),
    _op(f"GET {_BULK}", "lists:read profiles:read", M),
    _op(f"POST {_BULK}", "lists:write profiles:write", M),
    _op(f"GET {_BULK}/{{job_id}}", "lists:read profiles:read", M),
    _op(f"GET {_BULK}/{{id}}/lists", "lists:read", M),
    _op(f"GET {_BULK}/{{id}}/relationships/lists", "lists:read", M),
    _op(f"GET {_BULK}/{{id}}/profiles", "profiles:read", M),
    _op(f"GET {_BULK}/{{id}}/relationships/profiles", "profiles:read", M),
    _op(f"GET {_BULK}/{{id}}/import-errors", "profiles:read", M),
    _op("GET /api/segments", "segments:read", L),
    _op("POST /api/segments", "segments:write", XS),
    _op("GET /api/segments/{id}", "segments:read", L, _SEGMENT_COUNT),
    _op("DELETE /api/segments/{id}", "segments:write", S),
    _op("GET /api/segments/{id}/profiles", "profiles:read segments:read", L),
    _op("GET /api/segments/{id}/relationships/profiles", "profiles:read segments:read", L),
    _op("POST /api/events", "events:write", XL),
    _op("POST /api/profile-subscription-bulk-create-jobs", _CONSENT, L),
    _op("POST /api/profile-subscription-bulk-delete-jobs", _CONSENT, L),
    _op(f"GET {_SUPPRESS}", "subscriptions:read", L),
    _op(f"POST {_SUPPRESS}", "profiles:write subscriptions:write", L),
    _op(f"GET {_SUPPRESS}/{{job_id}}", "subscriptions:read", L),
    _op(f"GET {_UNSUPPRESS}", "subscriptions:read", L),
    _op(f"POST {_UNSUPPRESS}", "subscriptions:write", L),
    _op(f"GET {_UNSUPPRESS}/{{job_id}}", "subscriptions:read", L),
)

ALL_SCOPES: frozenset[str] = frozenset().union(*(operation.scopes for operation in OPERATIONS))


class Routes:
    """Finds the operation of a request by walking its path, one dictionary a segment."""

    def __init__(self, operations: tuple[Operation, ...] = OPERATIONS) -> None:
        self._root: dict[str, dict] = {}  # type: ignore[type-arg]
        for operation in operations:
            node = self._root
            for part in operation.template.strip("/").split("/"):
                node = node.setdefault("*" if part.startswith("{") else part, {})
            node.setdefault("", {})[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation | None, tuple[str, ...], bool]:
        """The operation, the values of its path parameters, and whether the path exists under any method."""
        node, values = self._root, []
        for part in path.strip("/").split("/"):
            if part in node and part:
                node = node[part]
            elif "*" in node and part:
                node = node["*"]
                values.append(part)
            else:
                return None, (), False
        methods: dict[str, Operation] = node.get("", {})
        return methods.get(method), tuple(values), bool(methods)
