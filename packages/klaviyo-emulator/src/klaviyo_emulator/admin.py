"""The administration: what a test or a demo looks at and changes behind Klaviyo's back. No key, no rate windows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from klaviyo_emulator import seeding
from klaviyo_emulator.consent import subscriptions
from klaviyo_emulator.documents import job_resource, profile_attributes
from klaviyo_emulator.faults import BadFaultError
from klaviyo_emulator.groups import Group
from klaviyo_emulator.operations import ALL_SCOPES
from klaviyo_emulator.profiles import Profile
from klaviyo_emulator.seeding import BadRequestError
from klaviyo_emulator.settings import BadSettingError
from klaviyo_emulator.worker import Worker
from klaviyo_emulator.world import Account, Key, World

View = Callable[["Ask"], Any]
MAX_SEARCH = 1000


class Ask:
    """A request to the administration with its parsed body."""

    def __init__(self, request: Request, body: Any, world: World) -> None:
        self.request = request
        self.body: dict[str, Any] = body
        self.now = world.clock.now()
        account = world.account(request.query_params.get("account"))
        if account is None:
            raise BadRequestError("there is no such account", 404)
        self.account: Account = account

    def param(self, name: str) -> str:
        """A part of the path, or a required query parameter."""
        value = self.request.path_params.get(name) or self.request.query_params.get(name)
        if not value:
            raise BadRequestError(f"{name} is required")
        return str(value)

    def text(self, name: str) -> str:
        """A required string of the body."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise BadRequestError(f"{name} is required")
        return value

    def number(self, name: str, default: int) -> int:
        """An optional whole number of the query."""
        value = self.request.query_params.get(name, str(default))
        if not value.isdecimal():
            raise BadRequestError(f"{name} is a whole number")
        return int(value)

    def group(self) -> Group:
        """The list of the path, by id or name."""
        group = self.account.find_list(self.param("ref"))
        if group is None:
            raise BadRequestError("there is no such list", 404)
        return group

    def profile(self) -> Profile:
        """The profile that ``email`` or ``id`` of the query names."""
        query = self.request.query_params
        return seeding.person(self.account, query.get("id") or query.get("email") or "")


class Admin:
    """The endpoints below ``/admin``."""

    def __init__(self, world: World, worker: Worker) -> None:
        self._world = world
        self._worker = worker

    def routes(self) -> list[Route]:
        """Paths, methods and what they do."""
        table: list[tuple[str, str, View]] = [
            ("GET", "/state", self._state),
            ("GET", "/lists", self._lists),
            ("GET", "/lists/{ref:path}/emails", self._emails),
            ("POST", "/lists/{ref:path}/members", self._join),
            ("DELETE", "/lists/{ref:path}/members", self._leave),
            ("GET", "/profiles", self._profiles),
            ("PATCH", "/profiles", self._change_profile),
            ("DELETE", "/profiles", self._delete_profile),
            ("POST", "/profiles/merge", self._merge),
            ("POST", "/seed", lambda ask: seeding.seed(ask.account, ask.body, ask.now)),
            ("GET", "/requests", lambda ask: self._world.traffic.report(limit=ask.number("limit", 100))),
            ("GET", "/jobs", self._jobs),
            ("POST", "/jobs/{id}/cancel", self._cancel_job),
            ("GET", "/events", lambda ask: {"events": ask.account.events}),
            ("GET", "/settings", lambda _ask: self._world.settings.as_dict()),
            ("PATCH", "/settings", self._change_settings),
            ("GET", "/faults", lambda _ask: {"faults": [fault.as_dict() for fault in self._world.faults.all]}),
            ("POST", "/faults", lambda ask: self._world.faults.add(ask.body).as_dict()),
            ("DELETE", "/faults", lambda _ask: {"removed": self._world.faults.clear()}),
            ("DELETE", "/faults/{id:int}", lambda ask: {"removed": self._world.faults.clear(int(ask.param("id")))}),
            ("POST", "/accounts", self._add_account),
            ("POST", "/keys", self._add_key),
            ("DELETE", "/keys", self._revoke_key),
            ("POST", "/reset", self._reset),
        ]
        routes = [Route(path, self._endpoint(view), methods=[method]) for method, path, view in table]
        routes.append(Route("/clock", self._clock, methods=["GET", "POST"]))
        routes.append(Route("/settle", self._settle, methods=["POST"]))
        return routes

    def _endpoint(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                result = view(Ask(request, await _body(request), self._world))
            except BadRequestError as error:
                return _json({"error": error.detail}, error.status)
            except (BadSettingError, BadFaultError) as error:
                return _json({"error": str(error)}, 400)
            self._worker.wake()
            return _json(result)

        return endpoint

    def _state(self, ask: Ask) -> dict[str, Any]:
        return {
            "now": ask.now,
            "accounts": [
                {
                    "id": account.id,
                    "name": account.name,
                    "profiles": len(account.profiles),
                    "lists": [_list(group) for group in account.lists.values()],
                    "segments": [_list(group) for group in account.segments.values()],
                    "jobs": len(account.jobs),
                    "open_jobs": sum(job.open for job in account.jobs.values()),
                    "events": len(account.events),
                }
                for account in self._world.accounts.values()
            ],
            "requests": self._world.traffic.report(limit=0),
        }

    def _lists(self, ask: Ask) -> dict[str, Any]:
        return {"lists": [_list(group) for group in ask.account.lists.values()]}

    def _emails(self, ask: Ask) -> dict[str, Any]:
        group, people = ask.group(), ask.account.profiles.by_id
        return {**_list(group), "emails": [people[key].email for key in group.members]}

    def _join(self, ask: Ask) -> dict[str, Any]:
        group = seeding.put_list(ask.account, ask.param("ref"), ask.now)
        return {"id": group.id, "changed": seeding.join(ask.account, group, ask.body.get("emails"), ask.now)}

    def _leave(self, ask: Ask) -> dict[str, Any]:
        group = ask.group()
        return {"id": group.id, "changed": seeding.leave(ask.account, group, ask.body.get("emails"), ask.now)}

    def _profiles(self, ask: Ask) -> dict[str, Any]:
        query = ask.request.query_params
        if query.get("email") or query.get("id"):
            return {"profiles": [_profile(ask.account, ask.profile())]}
        found = search(ask.account, query.get("search", ""), min(ask.number("limit", 100), MAX_SEARCH))
        return {"profiles": [_profile(ask.account, profile) for profile in found]}

    def _change_profile(self, ask: Ask) -> dict[str, Any]:
        profile = seeding.put_profile(ask.account, ask.body, ask.now, ask.profile())
        return _profile(ask.account, profile)

    def _delete_profile(self, ask: Ask) -> dict[str, Any]:
        seeding.delete(ask.account, ask.profile(), ask.now)
        return {"removed": 1}

    def _merge(self, ask: Ask) -> dict[str, Any]:
        stays = seeding.merge_by(ask.account, ask.text("source"), ask.text("into"), ask.now)
        return _profile(ask.account, stays)

    def _jobs(self, ask: Ask) -> dict[str, Any]:
        jobs = ask.account.live_jobs(ask.now)
        return {"jobs": [{"id": job.id, **job_resource(job, "", ask.now)["attributes"]} for job in jobs]}

    def _cancel_job(self, ask: Ask) -> dict[str, Any]:
        job = ask.account.jobs.get(ask.param("id"))
        if job is None:
            raise BadRequestError("there is no such job", 404)
        job.cancel(ask.now)
        return {"id": job.id, "status": job.status}

    def _change_settings(self, ask: Ask) -> dict[str, Any]:
        self._world.settings.change(ask.body)
        return self._world.settings.as_dict()

    def _add_account(self, ask: Ask) -> dict[str, Any]:
        account_id = ask.text("id")
        if account_id in self._world.accounts:
            raise BadRequestError("this account exists", 409)
        name = ask.body.get("name") or account_id
        account = self._world.add_account(account_id, str(name), str(ask.body.get("timezone") or "UTC"))
        return {"id": account.id, "name": account.name}

    def _add_key(self, ask: Ask) -> dict[str, Any]:
        scopes = ask.body.get("scopes")
        if scopes is not None and (not isinstance(scopes, list) or not set(scopes) <= ALL_SCOPES):
            raise BadRequestError(f"scopes is an array of {', '.join(sorted(ALL_SCOPES))}")
        kind = ask.body.get("kind", "private")
        if kind not in ("private", "oauth"):
            raise BadRequestError("kind is private or oauth")
        key = Key(
            account_id=ask.account.id,
            scopes=ALL_SCOPES if scopes is None else frozenset(scopes),
            kind=kind,
            app=str(ask.body.get("app") or "app"),
        )
        self._world.keys[ask.text("key")] = key
        return {"account": key.account_id, "scopes": sorted(key.scopes), "kind": key.kind}

    def _revoke_key(self, ask: Ask) -> dict[str, Any]:
        return {"removed": int(self._world.keys.pop(ask.text("key"), None) is not None)}

    def _reset(self, _ask: Ask) -> dict[str, Any]:
        self._world.reset()
        return {"reset": True}

    async def _clock(self, request: Request) -> Response:
        """The time; a POST with ``advance`` moves it and processes every job that became due."""
        if request.method == "POST":
            try:
                seconds = (await _body(request)).get("advance")
            except BadRequestError as error:
                return _json({"error": error.detail}, error.status)
            if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds < 0:
                return _json({"error": "advance is a number of seconds that is not negative"}, 400)
            self._world.clock.advance(seconds)
            await self._worker.settle()
            self._worker.wake()
        return _json({"now": self._world.clock.now()})

    async def _settle(self, _request: Request) -> Response:
        await self._worker.settle()
        return _json({"now": self._world.clock.now()})


def search(account: Account, text: str, limit: int) -> list[Profile]:
    """The first profiles whose identifiers contain the text."""
    needle = text.strip().lower()
    found: list[Profile] = []
    for profile in account.profiles:
        if len(found) == limit:
            break
        have = (profile.email, profile.phone_number, profile.external_id, profile.id)
        if not needle or any(needle in value.lower() for value in have if value):
            found.append(profile)
    return found


def _profile(account: Account, profile: Profile) -> dict[str, Any]:
    lists = [_list(group) for group in account.lists.values() if profile.id in group.members]
    return {
        "id": profile.id,
        **profile_attributes(profile),
        "aliases": list(profile.aliases),
        "lists": [{"id": one["id"], "name": one["name"]} for one in lists],
        "subscriptions": subscriptions(profile),
    }


def _list(group: Group) -> dict[str, Any]:
    return {"id": group.id, "name": group.name, "count": len(group.members)}


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        raise BadRequestError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequestError("the body is an object")
    return body


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
