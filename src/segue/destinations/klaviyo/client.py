"""The one way to call Klaviyo: budget, request, decision, repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson

from segue.delivery.answers import answered
from segue.delivery.budget import RateBudget
from segue.delivery.decider import LONG_PAUSE, MAX_ATTEMPTS, RULES, Decision, Rule, backoff, decide
from segue.destinations.klaviyo.limits import CREATE_LIST, GET_ACCOUNTS, MEDIA_TYPE, REVISION, Endpoint
from segue.destinations.klaviyo.tracing import note_answer, request_span
from segue.errors import CredentialError, DestinationError

_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_NO_CONTENT = 204
_MAX_WAIT_429 = 100
"""Throttled answers to one request before it is given up: hours, in practice another program eats the budget."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One entry of Klaviyo's error envelope. pointer: into the request body; meta: such as duplicate_profile_id."""

    code: str
    detail: str
    pointer: str | None
    meta: Mapping[str, Any]


class Refusal(DestinationError):  # noqa: N818 -- an answer that its caller knows how to handle
    """Klaviyo refused a request for reasons that lie in the request: its rows, its size, an id that is gone.

    Most callers know what to do then. Details of refused rows may hold personal data and stay out of the message.
    """

    def __init__(self, endpoint: Endpoint, status: int, rule: Rule, problems: tuple[Problem, ...]) -> None:
        codes = ", ".join(sorted({p.code for p in problems})) or "no code"
        super().__init__(
            f"Klaviyo refused {endpoint.name} with {status} ({codes}).",
            code=rule.code,
            cause="; ".join(f"{p.code} at {p.pointer}" for p in problems[:3]),
        )
        self.status = status
        self.decision = rule.decision
        self.problems = problems

    def as_error(self, *, code: str | None = None, steps: tuple[str, ...] = ()) -> DestinationError:
        """For a caller that cannot go on and knows what the user can do."""
        return DestinationError(self.message, code=code or "refused", cause=self.cause, steps=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good answer. body is {} where there is none."""

    status: int
    body: Json


def fingerprint(base_url: str, secret: str) -> str:
    """Tells keys apart without showing them: 16 hex characters."""
    return hashlib.sha256(f"{base_url}|{secret}".encode()).hexdigest()[:16]


class Client:
    """Thread-safe. secret is sent in the Authorization header of every request and shown nowhere; credential: its name.

    transport: for tests. The budget counts every attempt, as Klaviyo does.
    """

    def __init__(
        self,
        *,
        base_url: str,
        secret: str,
        budget: RateBudget,
        credential: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.budget = budget
        self.fingerprint = fingerprint(base_url, secret)
        self._credential = f'the credential "{credential}"' if credential else "the credential"
        self._http = httpx.Client(
            base_url=base_url,
            timeout=_TIMEOUT,
            transport=transport,
            follow_redirects=False,
            headers={
                "authorization": f"Klaviyo-API-Key {secret}",
                "revision": REVISION,
                "accept": MEDIA_TYPE,
                "user-agent": "segue",
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        endpoint: Endpoint,
        *,
        id: str = "",  # noqa: A002 -- the API's word
        params: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        rows: int | None = None,
        before_repeat: Callable[[], Answer | None] | None = None,
    ) -> Answer:
        """Make a call until it has an answer that means something.

        rows: how many the body holds, for traces; before_repeat: for calls that must not happen twice: looks whether the lost
        one arrived, and gives its answer.
        Raises Refusal (400, 404, 409, 413), CredentialError, DestinationError, Interrupted.
        """
        content = orjson.dumps(body) if isinstance(body, dict) else body
        path = endpoint.path.partition("?")[0].replace("{id}", id)
        failures = throttled = 0
        while True:
            self.budget.acquire(endpoint.name)
            with request_span(endpoint, failures + throttled + 1, rows) as span:
                response, cause = self._send(endpoint, path, params, content)
                note_answer(span, response, cause)
            rule = decide(response.status_code if response is not None else None)
            if response is not None:
                self.budget.observe(endpoint.name, response.headers)
            if rule.decision is Decision.DONE and response is not None:
                return _answer(endpoint, response)
            if rule.decision is Decision.SLOW_DOWN and response is not None:
                throttled += 1
                self._slow_down(endpoint, response, throttled)
            elif rule.decision is Decision.RETRY:
                failures += 1
                if failures >= MAX_ATTEMPTS:
                    raise _unavailable(endpoint, cause)
                self.budget.pause(backoff(failures + 1), endpoint=endpoint.name)
                if before_repeat and (answer := before_repeat()):
                    return answer
            else:
                assert response is not None  # noqa: S101 -- no answer is always RETRY
                raise _refusal(endpoint, response, rule, self._credential)

    def pages(self, endpoint: Endpoint, *, id: str = "", params: Mapping[str, str]) -> Iterator[Json]:  # noqa: A002
        """Every item of every page. The cursor is taken from ``links.next``; its host is not trusted with the key."""
        query = dict(params)
        while True:
            answer = self.call(endpoint, id=id, params=query)
            yield from answer.body.get("data", [])
            after = (answer.body.get("links") or {}).get("next")
            if not after:
                return
            cursor = parse_qs(urlsplit(after).query).get("page[cursor]", [""])[0]
            if not cursor or cursor == query.get("page[cursor]"):
                raise _unexpected(endpoint, "a next page without a cursor of its own")
            query["page[cursor]"] = cursor

    def _send(
        self, endpoint: Endpoint, path: str, params: Mapping[str, str] | None, content: bytes | None
    ) -> tuple[httpx.Response | None, str]:
        headers = {"content-type": MEDIA_TYPE} if content is not None else {}
        try:
            response = self._http.request(endpoint.method, path, params=params, content=content, headers=headers)
        except httpx.RequestError as error:
            answered(endpoint.name, None)
            return None, type(error).__name__
        answered(endpoint.name, response.status_code)
        return response, f"status {response.status_code}"

    def _slow_down(self, endpoint: Endpoint, response: httpx.Response, times: int) -> None:
        seconds = _retry_after(response)
        if seconds > LONG_PAUSE or times > _MAX_WAIT_429:
            raise DestinationError(
                f"Klaviyo's limit for {endpoint.name} is used up; it opens again in {_duration(seconds)}.",
                code="limit_used_up",
                steps=(f"Run again in {_duration(seconds)}: nothing that was acknowledged is sent twice.",),
                facts={"opens_in": round(seconds)},
            )
        self.budget.close(endpoint.name, seconds)


def _retry_after(response: httpx.Response) -> float:
    """Seconds to wait, at least one. Klaviyo sends seconds; servers before it may send a date."""
    text = response.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 1.0
    return seconds if seconds > 1 else 1.0


def _answer(endpoint: Endpoint, response: httpx.Response) -> Answer:
    body = _json(response)
    if response.status_code != _NO_CONTENT and "data" not in body:
        raise _unexpected(endpoint, f"{response.status_code} without data")
    return Answer(status=response.status_code, body=body)


def _unexpected(endpoint: Endpoint, what: str) -> DestinationError:
    return DestinationError(
        f"Klaviyo answered {endpoint.name} with {what}.",
        code="unexpected_answer",
        steps=("Check the base URL of the credential, and whether a proxy answers in Klaviyo's place.",),
    )


def _json(response: httpx.Response) -> Json:
    if not response.content:
        return {}
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _problems(response: httpx.Response) -> tuple[Problem, ...]:
    found = []
    for entry in _json(response).get("errors") or []:
        if isinstance(entry, dict):
            source = entry.get("source") or {}
            found.append(
                Problem(
                    code=str(entry.get("code", "")),
                    detail=str(entry.get("detail", "")),
                    pointer=source.get("pointer"),
                    meta=entry.get("meta") or {},
                )
            )
    return tuple(found)


def _refusal(endpoint: Endpoint, response: httpx.Response, rule: Rule, credential: str) -> Exception:
    problems = _problems(response)
    if endpoint is CREATE_LIST and any(says_maximum(p) for p in problems):
        return Refusal(endpoint, response.status_code, RULES[400], problems)
    if rule.decision is Decision.CREDENTIAL:
        return _credential_error(endpoint, rule, credential)
    if rule.decision is Decision.STOP:
        step = {
            "revision_retired": f"Klaviyo retired revision {REVISION}: upgrade Segue.",
        }.get(rule.code, "Check the base URL of the credential, and Klaviyo's status page.")
        return DestinationError(
            f"Klaviyo answered {endpoint.name} with {response.status_code}.", code=rule.code, steps=(step,)
        )
    return Refusal(endpoint, response.status_code, rule, problems)


def says_maximum(problem: Problem) -> bool:
    """Whether a refused create speaks of the account's cap on lists; its status and code are not documented."""
    text = f"{problem.code} {problem.detail}".lower()
    return "list" in text and ("maximum" in text or "limit" in text)


def _credential_error(endpoint: Endpoint, rule: Rule, credential: str) -> CredentialError:
    if rule.code == "scope_missing":
        needed = " and ".join(endpoint.scopes)
        return CredentialError(
            f"The Klaviyo key of {credential} may not call {endpoint.name}: it needs {needed}.",
            code=rule.code,
            steps=(
                f"In Klaviyo, make a private key with {needed} (scopes of a key cannot be changed later).",
                f"Put it into {credential} with: segue apply, then run again.",
            ),
        )
    return CredentialError(
        f"Klaviyo does not accept the key of {credential}.",
        code=rule.code,
        steps=("Look in Klaviyo whether the key was revoked.", f"Put a valid key into {credential}, then run again."),
    )


def _unavailable(endpoint: Endpoint, cause: str) -> DestinationError:
    return DestinationError(
        f"Klaviyo did not answer {endpoint.name} after {MAX_ATTEMPTS} attempts.",
        code="unavailable" if endpoint is not GET_ACCOUNTS else "unreachable",
        cause=cause,
        steps=("Check the network and status.klaviyo.com.", "Run again: the run goes on where it stopped."),
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{max(minutes, 1)} min"  # noqa: PLR2004
