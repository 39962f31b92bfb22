"""Routes of the accounts that Segue sends to, and of how much of each it may use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from segue.api.access import V1
from segue.api.configuration import IfMatch, tag_of
from segue.api.problems import documented
from segue.api.tools import Document, ToolsHere
from segue.services.budgets import Budget, BudgetEntry, budget_entry, get_budget, set_budget
from segue.services.limits import account_limits

AccountRef = Annotated[str, Path(description="Id of the account at the destination.")]


class AccountBudget(BaseModel):
    """The budget of an account. etag: for `If-Match` of a change, quotes included."""

    account: str
    etag: str
    budget: BudgetEntry


class AccountInfo(AccountBudget):
    """An account that runs sent to in the last 30 days, or that has a budget. lists_made: by runs of the last 24 hours;
    lists_a_day: how many they may make, by the budget or else by the destination."""

    orchestrations: tuple[str, ...]
    lists_made: int
    lists_a_day: int


class AccountList(BaseModel):
    """Every account, by its id."""

    items: tuple[AccountInfo, ...]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["accounts"])
    at = f"{V1}/accounts/{{ref}}/budget"
    routes.get(f"{V1}/accounts", summary="List every account", operation_id="list_accounts", responses=documented())(
        _list
    )
    routes.get(at, summary="Read the budget of an account", operation_id="get_budget", responses=documented(404))(_get)
    routes.put(
        at,
        summary="Set the budget of an account",
        operation_id="set_budget",
        responses=documented(404, 412, 422, 428),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BudgetEntry"}}},
            }
        },
    )(_put)
    return routes


def _list(tools: ToolsHere) -> AccountList:
    """The accounts, with what Segue may use of them and how many lists it made."""
    return AccountList(
        items=tuple(
            AccountInfo(
                **_wire(limits.budget).model_dump(),
                orchestrations=limits.orchestrations,
                lists_made=limits.lists_made,
                lists_a_day=limits.lists_a_day,
            )
            for limits in account_limits(tools.workspace)
        )
    )


def _get(tools: ToolsHere, ref: AccountRef, response: Response) -> AccountBudget:
    """How much of the account Segue may use."""
    return _tagged(response, get_budget(tools.workspace, ref))


def _put(
    tools: ToolsHere, ref: AccountRef, document: Document, response: Response, if_match: IfMatch = None
) -> AccountBudget:
    """Set it for the next runs; what is left out is as much as the destination lets."""
    tag = tag_of(if_match)
    return _tagged(response, set_budget(tools.workspace, ref, budget_entry(document), tag=tag))


def _tagged(response: Response, budget: Budget) -> AccountBudget:
    wire = _wire(budget)
    response.headers["ETag"] = wire.etag
    return wire


def _wire(budget: Budget) -> AccountBudget:
    return AccountBudget(account=budget.account, etag=f'"{budget.tag}"', budget=budget.entry)
