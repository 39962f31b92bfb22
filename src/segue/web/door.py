"""The door in front of the pages: who is not logged in gets no further than the forms to do so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from segue.browser import client_address, cookie, forget, is_secure, remember, require_csrf, safe_next, visitor
from segue.errors import SegueError, UsageError
from segue.security import Secret
from segue.services.links import PATH as WELCOME
from segue.services.links import link_user, redeem_link
from segue.services.login import LoggedIn, log_in, log_out
from segue.services.oidc import LIFE, arrive, depart
from segue.services.permissions import NOBODY
from segue.services.workspace import Workspace
from segue.settings import OidcSettings
from segue.web.forms import Field, form_page

LOGIN = "/login"
LOGOUT = "/logout"
OIDC = "/login/oidc"
OIDC_BACK = "/login/oidc/callback"
"""What the provider has to know as the redirect URI, below the address of the web application."""
_AWAY = "segue-away"
"""The cookie of a browser that is at the provider."""
_OPEN = ("/_segue/", "/_nicegui/")
"""Scripts, styles and fonts: the same for everybody, and the forms need them too."""
_MOST_BYTES = 20_000
_NAME = Field(name="name", label="Name", autocomplete="username")
_PASSWORD = Field(name="password", label="Password", kind="password", autocomplete="current-password")
_NEW = Field(name="password", label="Password, at least 12 characters", kind="password", autocomplete="new-password")
_CODE = Field(name="code", label="Code, if you use a second factor", autocomplete="one-time-code", required=False)

Answer = Callable[[Request], Awaitable[Response]]


class Door:
    """An ASGI application around the pages. assets: where the scripts and styles of the pages are."""

    def __init__(self, app: ASGIApp, *, workspace: Workspace, assets: str, oidc: OidcSettings | None = None) -> None:
        self._app = app
        self._oidc = oidc
        self._workspace = workspace
        self._assets = assets
        self._forms: Mapping[tuple[str, str], Answer] = {
            ("GET", LOGIN): self._ask,
            ("POST", LOGIN): self._log_in,
            ("GET", WELCOME): self._welcome,
            ("POST", WELCOME): self._choose,
            ("POST", LOGOUT): self._log_out,
        }
        if oidc is not None:
            self._forms = {
                **self._forms,
                ("GET", OIDC): partial(self._depart, oidc),
                ("GET", OIDC_BACK): partial(self._arrive, oidc),
            }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] not in {"http", "websocket"} or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        form = self._forms.get((scope.get("method", ""), scope["path"]))
        if form is not None:
            answer = await self._answered(form, Request(scope, receive))
            await answer(scope, receive, send)
        elif await run_in_threadpool(visitor, self._workspace, HTTPConnection(scope)) is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "You are not logged in."})
        elif scope["method"] in {"GET", "HEAD"}:
            await RedirectResponse(_login(scope), status_code=303)(scope, receive, send)
        else:
            await Response("You are not logged in.", status_code=401)(scope, receive, send)

    async def _answered(self, form: Answer, request: Request) -> Response:
        try:
            return await form(request)
        except SegueError as error:
            status = 404 if error.code == "link_over" else 403
            return form_page("That did not work", self._assets, error=error, status=status)

    async def _ask(self, request: Request) -> Response:
        return self._login_page(safe_next(request.query_params.get("next")))

    async def _log_in(self, request: Request) -> Response:
        sent = await _fields(request)
        target = safe_next(sent.get("next"))
        try:
            made = await run_in_threadpool(self._session, request, sent)
        except SegueError as error:
            return self._login_page(target, error=error, name=sent.get("name", ""))
        answer = RedirectResponse(target, status_code=303)
        remember(request, answer, made)
        return answer

    def _session(self, request: Request, sent: Mapping[str, str]) -> LoggedIn:
        made = log_in(
            self._workspace,
            sent.get("name", ""),
            Secret(sent.get("password", "")),
            code=sent.get("code") or None,
            address=client_address(request),
        )
        if held := cookie(request):
            log_out(self._of(request), held)
        return made

    async def _welcome(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        user = await run_in_threadpool(link_user, self._workspace, Secret(link))
        return self._welcome_page(link, user)

    async def _choose(self, request: Request) -> Response:
        sent = await _fields(request)
        link, password = sent.get("link", ""), Secret(sent.get("password", ""))
        user = await run_in_threadpool(link_user, self._workspace, Secret(link))
        try:
            await run_in_threadpool(redeem_link, self._of(request), Secret(link), password, name=sent.get("name"))
        except SegueError as error:
            if error.code == "link_over":
                raise
            return self._welcome_page(link, user, error=error, name=sent.get("name", ""))
        return RedirectResponse(LOGIN, status_code=303)

    async def _depart(self, oidc: OidcSettings, request: Request) -> Response:
        target = safe_next(request.query_params.get("next"))
        begun = await run_in_threadpool(depart, oidc, self._workspace.box, redirect_uri=_back(request), target=target)
        answer = RedirectResponse(begun.url, status_code=303)
        life = int(LIFE.total_seconds())
        answer.set_cookie(
            _AWAY, begun.sealed, max_age=life, path=OIDC, secure=is_secure(request), httponly=True, samesite="lax"
        )
        return answer

    async def _arrive(self, oidc: OidcSettings, request: Request) -> Response:
        made, target = await run_in_threadpool(
            arrive,
            self._of(request),
            oidc,
            sealed=request.cookies.get(_AWAY),
            answer=dict(request.query_params),
            redirect_uri=_back(request),
        )
        answer = RedirectResponse(safe_next(target), status_code=303)
        answer.delete_cookie(_AWAY, path=OIDC)
        remember(request, answer, made)
        return answer

    async def _log_out(self, request: Request) -> Response:
        sent = await _fields(request)
        found = await run_in_threadpool(visitor, self._workspace, request)
        if found is not None:
            require_csrf(request, found, sent.get("csrf", ""))
            await run_in_threadpool(log_out, self._of(request), found.token)
        answer = RedirectResponse(LOGIN, status_code=303)
        forget(request, answer)
        return answer

    def _login_page(self, target: str, *, error: SegueError | None = None, name: str = "") -> Response:
        fields = (_NAME.filled(name), _PASSWORD, _CODE)
        status = 401 if error is not None else 200
        return form_page(
            "Log in",
            self._assets,
            action=LOGIN,
            fields=fields,
            hidden={"next": target},
            error=error,
            status=status,
            link=("Log in at the identity provider", f"{OIDC}?next={quote(target, safe='')}") if self._oidc else None,
        )

    def _welcome_page(
        self, link: str, user: str | None, *, error: SegueError | None = None, name: str = ""
    ) -> Response:
        title = f"Choose a password for {user}" if user is not None else "Make the first administrator"
        fields = (_NEW,) if user is not None else (_NAME.filled(name), _NEW)
        status = 422 if error is not None else 200
        return form_page(
            title, self._assets, action=WELCOME, fields=fields, hidden={"link": link}, error=error, status=status
        )

    def _of(self, request: Request) -> Workspace:
        return self._workspace.acting_as(replace(NOBODY, address=client_address(request)))


def _back(request: Request) -> str:
    return str(request.url.replace(path=OIDC_BACK, query="", fragment=""))


def _login(scope: Scope) -> str:
    url = URL(scope=scope)
    here = url.path + (f"?{url.query}" if url.query else "")
    return LOGIN if here == "/" else f"{LOGIN}?next={quote(here, safe='')}"


async def _fields(request: Request) -> Mapping[str, str]:
    """What a form sent. Raises UsageError ``too_large``."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise UsageError("The form is too large.", code="too_large")
    sent = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[-1] for name, values in sent.items()}
