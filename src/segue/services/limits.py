"""What limits runs: the destination's windows of each account, and what the environment says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from segue.catalog.base import now
from segue.catalog.budgets import AccountBudget
from segue.catalog.runs import Run
from segue.destinations.klaviyo import windows
from segue.destinations.klaviyo.limits import CREATES_A_DAY, LIMITS
from segue.services.budgets import Budget, lists_made, read_budget
from segue.services.workspace import Workspace
from segue.settings import Settings

_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLimit:
    """An endpoint of the destination. second, minute: calls that Segue's share of the published limits admits; left: calls
    that this minute still admits; waited: seconds for which calls were held back here; both None where this process has not
    called it."""

    name: str
    second: float
    minute: float
    left: int | None
    waited: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """An account that runs sent to in the last 30 days, or that has a budget. lists_made: by runs of the last 24 hours, of
    ``lists_a_day``."""

    account: str
    budget: Budget
    orchestrations: tuple[str, ...]
    endpoints: tuple[EndpointLimit, ...]
    lists_made: int
    lists_a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimit:
    """A limit that the environment of the server sets. source: ``environment`` or ``default``."""

    variable: str
    value: str
    meaning: str
    source: str


def account_limits(workspace: Workspace) -> tuple[AccountLimits, ...]:
    """The limits of every account, by its id. Raises NotPermittedError."""
    workspace.actor.require("configuration.read")
    query = select(Run.account_id, Run.orchestration).where(
        Run.started_at > now() - _LOOK_BACK, Run.account_id.is_not(None)
    )
    with workspace.catalog.session(read_only=True) as session:
        names: dict[str, set[str]] = {account: set() for account in windows.standings()}
        names |= {account: set() for account in session.scalars(select(AccountBudget.account_id))}
        for account, name in session.execute(query.distinct()):
            names.setdefault(str(account), set()).add(name)
        made = lists_made(session)
        budgets = {account: read_budget(session, account) for account in names}
    return tuple(
        AccountLimits(
            account=account,
            budget=budgets[account],
            orchestrations=tuple(sorted(names[account])),
            endpoints=_endpoints(account, budgets[account].share),
            lists_made=made.get(account, 0),
            lists_a_day=budgets[account].entry.lists_a_day or CREATES_A_DAY,
        )
        for account in sorted(names)
    )


def calls_a_minute(endpoint: str) -> float | None:
    """How many calls of an endpoint a minute of the destination admits, by its name; None for one that is not known."""
    limit = LIMITS.get(endpoint)
    return limit.steady if limit is not None else None


def process_limits(settings: Settings) -> tuple[ProcessLimit, ...]:
    """What the environment sets, with what each is for."""
    default = Settings()

    def line(variable: str, name: str, meaning: str) -> ProcessLimit:
        value = getattr(settings, name)
        return ProcessLimit(
            variable=variable,
            value=_shown(name, value),
            meaning=meaning,
            source="default" if value == getattr(default, name) else "environment",
        )

    return (
        line("SEGUE_RATE_SCALE", "rate_scale", "multiplies the published rate limits"),
        line("SEGUE_CHUNK_ROWS", "chunk_rows", "rows of one import job at most"),
        line("SEGUE_RUNS_AT_ONCE", "runs_at_once", "runs at a time; of one account always one"),
        line("SEGUE_QUERY_SECONDS", "query_seconds", "how long one query may run"),
        line("SEGUE_QUERY_MEMORY", "query_memory", "memory of one query"),
        line("SEGUE_ENGINE_MEMORY", "engine_memory", "memory of comparing and encoding"),
    )


def _endpoints(account: str, share: float) -> tuple[EndpointLimit, ...]:
    standing = windows.standings().get(account, {})
    return tuple(
        EndpointLimit(
            name=name,
            second=limit.burst * share,
            minute=limit.steady * share,
            left=standing[name].left if name in standing else None,
            waited=standing[name].waited if name in standing else None,
        )
        for name, limit in LIMITS.items()
    )


def _shown(name: str, value: float) -> str:
    if name.endswith("memory"):
        return f"{value / 10**6:,.0f} MB"
    return f"{value / 60:g} minutes" if name == "query_seconds" else f"{value:,g}"
