"""Who may do what: one table, and the actor whose permissions it decides.

Edges say who acts (``Workspace.acting_as``); use cases ask ``workspace.actor.require("queries.edit")``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from segue.errors import SegueError


class Policy(StrEnum):
    """What a user is, from the one who may everything to the one who looks."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    ACTIVATOR = "activator"
    VIEWER = "viewer"


class Option(StrEnum):
    """What a user may more, or less, than the policy says."""

    RESTRICT_PII = "restrict_pii"
    """Sees no value of a personal column, anywhere."""
    USER_ADMIN = "user_admin"
    """Also makes and changes users, of no more than the own permissions."""
    RUN_ONLY = "run_only"
    """Runs what others configured, and configures nothing."""


class Scope(StrEnum):
    """What an API token may do of what its user may. Every scope may read; ``admin`` takes nothing away."""

    READ = "read"
    """Look at the configuration, at runs and at numbers; nobody's data."""
    RUN = "run"
    """Plan, start and stop runs; read rejects and histories, which hold people's data."""
    CONFIGURE = "configure"
    """Change queries, destinations, data templates, orchestrations and groups; see the rows of queries."""
    ADMIN = "admin"
    """Change databases and credentials too: what files are read, and where keys are sent."""


class NotPermittedError(SegueError):
    """Who asks may not do this."""

    code = "not_permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One line of the table. allows: for people; policies: who holds it; scope: the least that a token needs for it;
    run_only: whether users with that option keep it."""

    name: str
    allows: str
    policies: frozenset[Policy]
    scope: Scope
    run_only: bool = False


_LEVELS = {policy: frozenset(list(Policy)[: place + 1]) for place, policy in enumerate(Policy)}
"""Policy -> itself and those above it."""


def _line(name: str, least: Policy, scope: Scope, allows: str, *, run_only: bool = False) -> Permission:
    return Permission(name=name, allows=allows, policies=_LEVELS[least], scope=scope, run_only=run_only)


_A, _O, _C, _V = Policy
PERMISSIONS: Mapping[str, Permission] = {
    line.name: line
    for line in (
        _line("configuration.read", _V, Scope.READ, "see what is configured; secrets are never shown", run_only=True),
        _line("runs.read", _V, Scope.READ, "see runs, their numbers and the recent activity", run_only=True),
        _line("people.read", _V, Scope.RUN, "see people's data in rejects, samples and histories", run_only=True),
        _line("queries.run", _C, Scope.CONFIGURE, "run SQL and see and download its rows; explore tables"),
        _line("queries.edit", _C, Scope.CONFIGURE, "make, change, activate and delete queries"),
        _line("orchestrations.edit", _C, Scope.CONFIGURE, "make, change and delete orchestrations and groups"),
        _line("runs.start", _C, Scope.RUN, "plan, run, resume, resolve and undo; run groups", run_only=True),
        _line("runs.stop", _C, Scope.RUN, "stop runs", run_only=True),
        _line("signals.send", _C, Scope.RUN, "say that upstream data are ready", run_only=True),
        _line("connections.check", _C, Scope.RUN, "try whether a credential opens its account", run_only=True),
        _line("runs.allow_fuses", _O, Scope.RUN, "let a run go on although a fuse blows"),
        _line("destinations.edit", _O, Scope.CONFIGURE, "make, change and delete destinations and data templates"),
        _line("destinations.admin_only", _O, Scope.READ, "use destinations that are marked admin only", run_only=True),
        _line("alerts.edit", _O, Scope.CONFIGURE, "make, change and delete alerts"),
        _line("databases.edit", _O, Scope.ADMIN, "make, change and delete databases: which files are read"),
        _line("credentials.edit", _O, Scope.ADMIN, "make, change and delete credentials: where keys are sent"),
        _line("tokens.own", _V, Scope.ADMIN, "make, list and revoke API tokens of one's own", run_only=True),
        _line("tokens.manage", _A, Scope.ADMIN, "list and revoke everybody's API tokens"),
        _line("users.manage", _A, Scope.ADMIN, "make, change, disable users; end their sessions"),
        _line(
            "settings.edit", _A, Scope.ADMIN, "forget people; change limits, budgets, retention and how people log in"
        ),
        _line("audit.read", _A, Scope.ADMIN, "read and export the activity log"),
    )
}
"""Permission -> what it allows and who holds it. docs/reference/permissions.md is made from it."""

EDITS: Mapping[str, str] = {
    "databases": "databases.edit",
    "credentials": "credentials.edit",
    "queries": "queries.edit",
    "destinations": "destinations.edit",
    "data_templates": "destinations.edit",
    "orchestrations": "orchestrations.edit",
    "orchestration_groups": "orchestrations.edit",
    "alerts": "alerts.edit",
}
"""Kind of configured things -> the permission that changes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. id: of the user, None for those who are none; policy: None for who may nothing; scopes: of the token that
    speaks for the user, None without one; address: where the request came from, for the activity log."""

    name: str
    policy: Policy | None
    id: str | None = None
    options: frozenset[Option] = frozenset()
    token: str | None = None
    token_id: str | None = None
    scopes: frozenset[Scope] | None = None
    address: str | None = None

    def may(self, permission: str) -> bool:
        """Whether the table, the options and the token allow it."""
        line = PERMISSIONS[permission]
        return self._holds(line) and self._in_scope(line)

    def require(self, permission: str) -> None:
        """Raise NotPermittedError unless this actor may."""
        line = PERMISSIONS[permission]
        if not self._holds(line):
            raise NotPermittedError(
                f"{self.name} may not {_short(line)}.",
                steps=(f'Ask an administrator: it takes the permission "{permission}".',),
                facts={"permission": permission},
            )
        if not self._in_scope(line):
            raise NotPermittedError(
                f'The token "{self.token}" lacks the scope "{line.scope}", so it may not {_short(line)}.',
                steps=(f"Make one that has it: segue token create NAME --scope {line.scope}",),
                facts={"permission": permission},
            )

    @property
    def sees_personal_data(self) -> bool:
        """Whether values of personal columns are shown; else they are masked."""
        return Option.RESTRICT_PII not in self.options

    @property
    def key(self) -> str:
        """An id of at most 32 characters of who asks: the token, else the user."""
        return self.token_id or self.id or self.name

    @property
    def person(self) -> str:
        """An id of who it is, whatever browser or token speaks for them."""
        return self.id or self.name

    @property
    def permissions(self) -> frozenset[str]:
        """Everything that this actor may."""
        return frozenset(name for name in PERMISSIONS if self.may(name))

    def _holds(self, line: Permission) -> bool:
        if line.name == "users.manage" and Option.USER_ADMIN in self.options and self.policy is not None:
            return True
        return self.policy in line.policies and (line.run_only or Option.RUN_ONLY not in self.options)

    def _in_scope(self, line: Permission) -> bool:
        return self.scopes is None or allows(self.scopes, line.scope)


def allows(scopes: Collection[Scope], needed: Scope) -> bool:
    """Whether a token of these scopes may do what needs this one."""
    return needed in scopes or Scope.ADMIN in scopes or needed is Scope.READ


def require_destination(actor: Actor, name: str, *, admin_only: bool, allow_restricted_pii: bool) -> None:
    """Raise NotPermittedError when the access settings of a destination keep this actor from using it."""
    if admin_only and not actor.may("destinations.admin_only"):
        raise NotPermittedError(
            f'The destination "{name}" is for administrators and operators only.',
            steps=("Ask one of them to run it, or to take `admin_only` off the destination.",),
            facts={"permission": "destinations.admin_only"},
        )
    if not actor.sees_personal_data and not allow_restricted_pii:
        raise NotPermittedError(
            f'The destination "{name}" sends personal data, and {actor.name} has no access to them.',
            steps=("Ask an operator to set `allow_restricted_pii` for the destination.",),
        )


LOCAL = Actor(name="local operator", policy=Policy.ADMINISTRATOR)
"""The command line: who can read the workspace folder holds its key, so nothing is kept from them."""
SYSTEM = Actor(name="segue", policy=Policy.ADMINISTRATOR)
"""Segue itself, which does what was asked for or scheduled before."""
NOBODY = Actor(name="nobody", policy=None)
"""Who has not said who they are."""


def _short(line: Permission) -> str:
    return line.allows.partition(";")[0].partition(":")[0]
