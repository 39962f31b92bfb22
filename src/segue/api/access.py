"""Which permission each route takes. A route that is not in this table does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segue.services.configuration import KINDS
from segue.services.permissions import EDITS

V1 = "/api/v1"
PUBLIC = frozenset({("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/api/openapi.json")})
"""Answers that tell nothing of the workspace and need no token."""


def path_of(kind: str) -> str:
    """The path of a kind of configured things: ``data_templates`` is at ``/api/v1/data-templates``."""
    return f"{V1}/{kind.replace('_', '-')}"


def _of_kinds() -> Iterator[tuple[tuple[str, str], str]]:
    for kind in KINDS:
        yield ("GET", path_of(kind)), "configuration.read"
        yield ("POST", path_of(kind)), EDITS[kind]
        yield ("GET", f"{path_of(kind)}/{{ref}}"), "configuration.read"
        yield ("PUT", f"{path_of(kind)}/{{ref}}"), EDITS[kind]
        yield ("DELETE", f"{path_of(kind)}/{{ref}}"), EDITS[kind]


ROUTES: Mapping[tuple[str, str], str] = {
    **dict(_of_kinds()),
    ("POST", f"{V1}/credentials/{{ref}}/test"): "connections.check",
    ("POST", f"{V1}/queries/{{ref}}/preview"): "queries.run",
    ("GET", f"{V1}/queries/{{ref}}/rows.csv"): "queries.run",
    ("POST", f"{V1}/previews"): "queries.run",
    ("POST", f"{V1}/previews.csv"): "queries.run",
    ("POST", f"{V1}/orchestrations/{{ref}}/plan"): "runs.start",
    ("POST", f"{V1}/orchestrations/{{ref}}/runs"): "runs.start",
    ("GET", f"{V1}/runs"): "runs.read",
    ("GET", f"{V1}/runs/{{run_id}}"): "runs.read",
    ("POST", f"{V1}/runs/{{run_id}}/stop"): "runs.stop",
    ("GET", f"{V1}/runs/{{run_id}}/events"): "runs.read",
    ("GET", f"{V1}/runs/{{run_id}}/rejects.csv"): "people.read",
    ("GET", f"{V1}/runs/{{run_id}}/tasks"): "runs.read",
    ("GET", f"{V1}/runs/{{run_id}}/rejects"): "people.read",
    ("GET", f"{V1}/runs/{{run_id}}/requests"): "runs.read",
    ("GET", f"{V1}/runs/{{run_id}}/exchanges"): "people.read",
    ("POST", f"{V1}/runs/{{run_id}}/undo"): "runs.start",
    ("GET", f"{V1}/runs/{{run_id}}/resolutions"): "runs.read",
    ("POST", f"{V1}/runs/{{run_id}}/resolutions"): "runs.start",
    ("POST", f"{V1}/orchestration-groups/{{ref}}/runs"): "runs.start",
    ("GET", f"{V1}/orchestration-groups/{{ref}}/runs"): "runs.read",
    ("GET", f"{V1}/orchestration-groups/{{ref}}/times"): "configuration.read",
    ("GET", f"{V1}/group-states"): "runs.read",
    ("GET", f"{V1}/group-runs/{{run_id}}"): "runs.read",
    ("GET", f"{V1}/signals"): "runs.read",
    ("POST", f"{V1}/signals/{{name}}"): "signals.send",
    ("GET", f"{V1}/notifications"): "runs.read",
    ("POST", f"{V1}/notifications/seen"): "runs.read",
    ("POST", f"{V1}/alerts/{{ref}}/test"): "alerts.edit",
    ("GET", f"{V1}/queries/{{ref}}/status"): "runs.read",
    ("GET", f"{V1}/query-statuses"): "runs.read",
    ("POST", f"{V1}/history"): "people.read",
    ("GET", f"{V1}/requests"): "runs.read",
    ("GET", "/metrics"): "runs.read",
    ("GET", f"{V1}/users"): "users.manage",
    ("POST", f"{V1}/users"): "users.manage",
    ("GET", f"{V1}/users/{{name}}"): "users.manage",
    ("PATCH", f"{V1}/users/{{name}}"): "users.manage",
    ("POST", f"{V1}/users/{{name}}/logout"): "users.manage",
    ("POST", f"{V1}/users/{{name}}/unlock"): "users.manage",
    ("GET", f"{V1}/tokens"): "tokens.own",
    ("POST", f"{V1}/tokens/{{name}}/revoke"): "tokens.own",
    ("GET", f"{V1}/retention"): "configuration.read",
    ("PUT", f"{V1}/retention"): "settings.edit",
    ("POST", f"{V1}/retention/preview"): "settings.edit",
    ("GET", f"{V1}/accounts"): "configuration.read",
    ("GET", f"{V1}/accounts/{{ref}}/budget"): "configuration.read",
    ("PUT", f"{V1}/accounts/{{ref}}/budget"): "settings.edit",
    ("GET", f"{V1}/audit"): "audit.read",
}
"""(method, path as the route has it) -> the permission that it takes; use cases ask for it once more."""
FIRST_PARTS = frozenset(path.split("/")[1] for _, path in (*ROUTES, *PUBLIC))
"""What the addresses of the API begin with: ``api`` and the like."""
