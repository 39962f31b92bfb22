"""Routes of users, their tokens, and what they did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from segue.api.access import V1
from segue.api.problems import documented
from segue.api.tools import ToolsHere
from segue.services.audit import export_audit
from segue.services.audit_export import csv_lines, json_lines
from segue.services.login import log_out_everywhere
from segue.services.permissions import Option, Policy, Scope
from segue.services.tokens import Token, list_tokens, revoke_token
from segue.services.user_lines import unlock_user
from segue.services.users import UserRecord, change_user, create_user, get_user, list_users


class Format(StrEnum):
    """How the activity log is written."""

    CSV = "csv"
    NDJSON = "ndjson"


class UserOrder(BaseModel):
    """A new user. The link to choose a password is made where the user is told of it: in the web app or on the shell."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, description="Letters a to z, digits and . _ @ + -.")
    policy: Policy = Policy.VIEWER
    options: list[Option] = Field(default=[], max_length=10)


class UserChange(BaseModel):
    """What changes of a user; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    policy: Policy | None = None
    options: list[Option] | None = Field(default=None, max_length=10)
    disabled: bool | None = Field(default=None, description="True ends the sessions and stops the tokens of the user.")


class User(BaseModel):
    """A user, without secrets."""

    id: str
    name: str
    policy: Policy
    options: tuple[Option, ...]
    second_factor: bool
    disabled_at: datetime | None
    last_login_at: datetime | None


class UserList(BaseModel):
    """Users, by name."""

    items: tuple[User, ...]


class TokenInfo(BaseModel):
    """A token, without its secret. user: whose it is; None: the workspace's own."""

    name: str
    user: str | None
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class TokenList(BaseModel):
    """Tokens, by name."""

    items: tuple[TokenInfo, ...]


class Ended(BaseModel):
    """How many sessions there were."""

    sessions: int


Name = Annotated[str, Path(description="Name of the user.", min_length=1, max_length=255)]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()
    users: dict[str, Any] = {"tags": ["users"]}
    one = f"{V1}/users/{{name}}"
    routes.get(f"{V1}/users", summary="List every user", operation_id="list_users", responses=documented(), **users)(
        _list
    )
    routes.post(
        f"{V1}/users",
        summary="Make a user",
        operation_id="create_user",
        status_code=201,
        responses=documented(409),
        **users,
    )(_create)
    routes.get(one, summary="Read a user", operation_id="get_user", responses=documented(404), **users)(_get)
    routes.patch(one, summary="Change a user", operation_id="change_user", responses=documented(404, 409), **users)(
        _change
    )
    routes.post(
        f"{one}/logout",
        summary="End the sessions of a user",
        operation_id="log_user_out",
        responses=documented(404),
        **users,
    )(_log_out)
    routes.post(
        f"{one}/unlock",
        summary="Let a user try to log in again at once",
        operation_id="unlock_user",
        responses=documented(404),
        **users,
    )(_unlock)
    routes.get(
        f"{V1}/tokens", summary="List tokens", operation_id="list_tokens", tags=["tokens"], responses=documented()
    )(_tokens)
    routes.post(
        f"{V1}/tokens/{{name}}/revoke",
        summary="Revoke a token",
        operation_id="revoke_token",
        tags=["tokens"],
        responses=documented(404),
    )(_revoke)
    routes.get(
        f"{V1}/audit",
        summary="Export the activity log",
        operation_id="export_audit",
        tags=["audit"],
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Every line, oldest first: CSV, or one JSON object a line.",
                "content": {media: {"schema": {"type": "string"}} for media in _MEDIA.values()},
            },
            **documented(),
        },
    )(_audit)
    return routes


_MEDIA = {Format.CSV: "text/csv", Format.NDJSON: "application/x-ndjson"}


def _list(tools: ToolsHere) -> UserList:
    return UserList(items=tuple(map(_user, list_users(tools.workspace))))


def _create(tools: ToolsHere, order: UserOrder) -> User:
    """Make a user, who cannot log in until a password is chosen with a link."""
    return _user(create_user(tools.workspace, order.name, order.policy, order.options))


def _get(tools: ToolsHere, name: Name) -> User:
    return _user(get_user(tools.workspace, name))


def _change(tools: ToolsHere, name: Name, change: UserChange) -> User:
    """Change what a user may. Sessions and tokens that are under way obey at once."""
    return _user(
        change_user(tools.workspace, name, policy=change.policy, options=change.options, disabled=change.disabled)
    )


def _log_out(tools: ToolsHere, name: Name) -> Ended:
    """Log a user out everywhere."""
    return Ended(sessions=log_out_everywhere(tools.workspace, name))


def _unlock(tools: ToolsHere, name: Name) -> User:
    """End the wait of a user of whom too many log-ins failed."""
    unlock_user(tools.workspace, name)
    return _user(get_user(tools.workspace, name))


def _tokens(tools: ToolsHere) -> TokenList:
    """One's own tokens; everybody's for those who manage them."""
    return TokenList(items=tuple(map(_token, list_tokens(tools.workspace))))


def _revoke(tools: ToolsHere, name: Annotated[str, Path(description="Name of the token.")]) -> TokenInfo:
    """Make a token open nothing from now on. Somebody else's is unknown to those who do not manage tokens."""
    return _token(revoke_token(tools.workspace, name))


def _audit(tools: ToolsHere, form: Annotated[Format, Query(alias="format")] = Format.CSV) -> StreamingResponse:
    """Who did what, when, from where; before and after, without secrets."""
    write = csv_lines if form is Format.CSV else json_lines
    parts: Iterator[str] = write(export_audit(tools.workspace))
    headers = {"Content-Disposition": f'attachment; filename="activity-log.{form}"'}
    return StreamingResponse(parts, media_type=_MEDIA[form], headers=headers)


def _user(user: UserRecord) -> User:
    return User(
        id=user.id,
        name=user.name,
        policy=user.policy,
        options=tuple(sorted(user.options)),
        second_factor=user.totp,
        disabled_at=user.disabled_at,
        last_login_at=user.last_login_at,
    )


def _token(token: Token) -> TokenInfo:
    return TokenInfo(
        name=token.name,
        user=token.user,
        scopes=tuple(sorted(token.scopes)),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )
