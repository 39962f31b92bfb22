"""What a token must be allowed to do, route by route. A route that is not in this table does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segue.services.configuration import KINDS
from segue.services.tokens import Scope

V1 = "/api/v1"
PUBLIC = frozenset({("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/api/openapi.json")})
"""Answers that tell nothing of the workspace and need no token."""
_GUARDED_KINDS = frozenset({"databases", "credentials"})
"""A database says which files of this machine are read, a credential where a key is sent."""


def path_of(kind: str) -> str:
    """The path of a kind of configured things: ``data_templates`` is at ``/api/v1/data-templates``."""
    return f"{V1}/{kind.replace('_', '-')}"


def _of_kinds() -> Iterator[tuple[tuple[str, str], Scope]]:
    for kind in KINDS:
        change = Scope.ADMIN if kind in _GUARDED_KINDS else Scope.CONFIGURE
        yield ("GET", path_of(kind)), Scope.READ
        yield ("POST", path_of(kind)), change
        yield ("GET", f"{path_of(kind)}/{{ref}}"), Scope.READ
        yield ("PUT", f"{path_of(kind)}/{{ref}}"), change
        yield ("DELETE", f"{path_of(kind)}/{{ref}}"), change


SCOPES: Mapping[tuple[str, str], Scope] = {
    **dict(_of_kinds()),
    ("POST", f"{V1}/credentials/{{ref}}/test"): Scope.RUN,
    ("POST", f"{V1}/queries/{{ref}}/preview"): Scope.CONFIGURE,
    ("GET", f"{V1}/queries/{{ref}}/rows.csv"): Scope.CONFIGURE,
    ("POST", f"{V1}/previews"): Scope.CONFIGURE,
    ("POST", f"{V1}/orchestrations/{{ref}}/plan"): Scope.RUN,
    ("POST", f"{V1}/orchestrations/{{ref}}/runs"): Scope.RUN,
    ("GET", f"{V1}/runs"): Scope.READ,
    ("GET", f"{V1}/runs/{{run_id}}"): Scope.READ,
    ("POST", f"{V1}/runs/{{run_id}}/stop"): Scope.RUN,
    ("GET", f"{V1}/runs/{{run_id}}/events"): Scope.READ,
    ("GET", f"{V1}/runs/{{run_id}}/rejects.csv"): Scope.RUN,
    ("POST", f"{V1}/history"): Scope.RUN,
    ("GET", f"{V1}/requests"): Scope.READ,
    ("GET", "/metrics"): Scope.READ,
}
"""(method, path as the route has it) -> what the token must allow."""
FIRST_PARTS = frozenset(path.split("/")[1] for _, path in (*SCOPES, *PUBLIC))
"""What the addresses of the API begin with: ``api`` and the like."""
