"""How much of an account of the destination may be used: a share of its rate windows, and lists a day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from segue.catalog import Catalog
from segue.catalog.base import now
from segue.catalog.budgets import AccountBudget
from segue.catalog.runs import Run, Task
from segue.delivery.words import counted
from segue.destinations.klaviyo import windows
from segue.destinations.klaviyo.limits import CREATES_A_DAY
from segue.errors import ConfigError, DestinationError, UsageError
from segue.services.audit import record
from segue.services.editing import ChangedError
from segue.services.workspace import Workspace

_DAY = timedelta(days=1)
_ALL = 100


class BudgetEntry(BaseModel):
    """What Segue may use of an account that other tools use too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: int = Field(default=_ALL, ge=1, le=_ALL)
    """Percent of the destination's windows of a second and of a minute, for every endpoint."""
    lists_a_day: int | None = Field(default=None, ge=1, le=CREATES_A_DAY)
    """Lists that runs may make in 24 hours; not set: as many as the destination lets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget of an account. tag: another one after every change."""

    account: str
    entry: BudgetEntry
    tag: str

    @property
    def share(self) -> float:
        """How much of the windows may be used, over 0 and up to 1."""
        return self.entry.share / _ALL


def budget_entry(values: Mapping[str, Any]) -> BudgetEntry:
    """An entry of values that somebody typed. Raises ConfigError ``bad_budget`` with every mistake."""
    try:
        return BudgetEntry.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = tuple(": ".join((*map(str, e["loc"]), e["msg"])) for e in found)
        raise ConfigError("This is no budget.", code="bad_budget", steps=told) from None


def get_budget(workspace: Workspace, account: str) -> Budget:
    """The budget of an account. Raises NotPermittedError, UsageError ``unknown_account``."""
    workspace.actor.require("configuration.read")
    with workspace.catalog.session(read_only=True) as session:
        _require_known(session, account)
        return read_budget(session, account)


def read_budget(session: Session, account: str) -> Budget:
    """The budget of an account; everything where none was set."""
    row = session.get(AccountBudget, account)
    if row is None:
        return Budget(account=account, entry=BudgetEntry(), tag=_tag(account, None))
    entry = BudgetEntry(share=row.share, lists_a_day=row.lists_a_day)
    return Budget(account=account, entry=entry, tag=_tag(account, row))


def set_budget(workspace: Workspace, account: str, entry: BudgetEntry, *, tag: str | None) -> Budget:
    """Set the budget of an account; it counts whenever a process opens the account from now on.

    tag: of the budget as the caller saw it, None for any. Raises NotPermittedError, UsageError ``unknown_account``,
    ChangedError.
    """
    workspace.actor.require("settings.edit")
    with workspace.catalog.session() as session:
        _require_known(session, account)
        before = read_budget(session, account)
        if tag is not None and tag != before.tag:
            raise ChangedError(
                f"The budget of the account {account} was changed meanwhile.",
                steps=("Read it again, and change what you meant to change.",),
            )
        if entry != before.entry:
            row = AccountBudget(account_id=account, updated_at=now(), **entry.model_dump())
            session.merge(row)
            session.flush()
            old, new = before.entry.model_dump(), entry.model_dump()
            moved = [name for name in new if old[name] != new[name]]
            record(
                session,
                workspace.actor,
                "account_budget.update",
                account,
                before={name: old[name] for name in moved},
                after={name: new[name] for name in moved},
            )
        return read_budget(session, account)


def shares(catalog: Catalog) -> Callable[[str], float]:
    """Says of an account how much of its windows may be used now, over 0 and up to 1."""

    def share_of(account: str) -> float:
        with catalog.session(read_only=True) as session:
            return read_budget(session, account).share

    return share_of


def known_account(catalog: Catalog, credential_id: str) -> str | None:
    """``account_of`` in a transaction of its own."""
    with catalog.session(read_only=True) as session:
        return account_of(session, credential_id)


def account_of(session: Session, credential_id: str | None) -> str | None:
    """The account that a credential opened in its latest run; None before the first."""
    query = (
        select(Run.account_id)
        .where(Run.credential_id == credential_id, Run.account_id.is_not(None))
        .order_by(Run.started_at.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def lists_made(session: Session) -> dict[str, int]:
    """How many lists the runs of each account made in the last 24 hours."""
    made_at = _made_at()
    query = (
        select(Run.account_id, func.count())
        .outerjoin(Task, and_(Task.run_id == Run.id, Task.name == "list"))
        .where(Run.list_created, Run.account_id.is_not(None), made_at > now() - _DAY)
        .group_by(Run.account_id)
    )
    return {str(account): count for account, count in session.execute(query)}


def require_list(workspace: Workspace, account: str) -> None:
    """Raise DestinationError ``list_daily_cap`` when the budget of an account admits no further list now."""
    with workspace.catalog.session(read_only=True) as session:
        most = read_budget(session, account).entry.lists_a_day
        if most is None:
            return
        made_at = _made_at()
        query = (
            select(made_at)
            .select_from(Run)
            .outerjoin(Task, and_(Task.run_id == Run.id, Task.name == "list"))
            .where(Run.list_created, Run.account_id == account, made_at > now() - _DAY)
            .order_by(made_at.desc())
        )
        made = session.scalars(query).all()
    if len(made) < most:
        return
    opens_in = max(1, round((made[most - 1] + _DAY - now()).total_seconds()))
    raise DestinationError(
        f"Segue may make {counted(most, 'new list')} a day in the account {account}, and made as many in the last 24 hours.",
        code="list_daily_cap",
        steps=(
            "Wait: the run goes on from here, and nothing was sent yet.",
            "Or let an administrator allow more lists a day at Settings > Limits.",
        ),
        facts={"opens_in": opens_in},
    )


def limits_lists(workspace: Workspace, account: str) -> bool:
    """Whether the budget of an account says how many lists may be made."""
    with workspace.catalog.session(read_only=True) as session:
        return read_budget(session, account).entry.lists_a_day is not None


def _made_at() -> Any:
    """When a run made its list."""
    return func.coalesce(Task.ended_at, Task.started_at, Run.started_at)


def _require_known(session: Session, account: str) -> None:
    """An account that nobody opened is most likely misspelt, and would be limited in vain."""
    runs = select(Run.id).where(Run.account_id == account).limit(1)
    known = session.get(AccountBudget, account) is not None or account in windows.standings()
    if not known and session.scalars(runs).first() is None:
        raise UsageError(
            f"No run sent to an account {account}.",
            code="unknown_account",
            steps=(
                "See the accounts at Settings > Limits. One is there after its first run, or a test of its connection.",
            ),
        )


def _tag(account: str, row: AccountBudget | None) -> str:
    moment = row.updated_at.isoformat() if row is not None else ""
    return hashlib.sha256(f"{account} {moment}".encode()).hexdigest()[:16]
