"""The one way to call Klaviyo: budget, request, decision, repeat."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson

from segue.delivery.answers import answered
from segue.delivery.budget import RateBudget
from segue.delivery.decider import LONG_PAUSE, MAX_ATTEMPTS, Decision, backoff, decide
from segue.delivery.exchanges import Recorder, Unrecorded
from segue.destinations.klaviyo.limits import MEDIA_TYPE, REVISION, Endpoint
from segue.destinations.klaviyo.recording import Attempt, Recording
from segue.destinations.klaviyo.refusals import Json, json_of, refusal, unavailable, unexpected
from segue.destinations.klaviyo.tracing import note_answer, request_span
from segue.errors import DestinationError

_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_NO_CONTENT = 204
_MAX_WAIT_429 = 100
"""Throttled answers to one request before it is given up: hours, in practice another program eats the budget."""


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

    recorder: remembers attempts; transport: for tests. The budget counts every attempt, as Klaviyo does.
    """

    def __init__(
        self,
        *,
        base_url: str,
        secret: str,
        budget: RateBudget,
        credential: str = "",
        recorder: Recorder | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.budget = budget
        self._recording = Recording(recorder or Unrecorded(), secret=secret)
        self.fingerprint = fingerprint(base_url, secret)
        self._credential = f'the credential "{credential}"' if credential else "the credential"
        self._http = httpx.Client(
            base_url=base_url,
            timeout=_TIMEOUT,
            verify=_trusted(),
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

        rows: how many the body holds, for whoever looks; before_repeat: for calls that must not happen twice: looks whether
        the lost one arrived, and gives its answer.
        Raises Refusal (400, 404, 409, 413), CredentialError, DestinationError, Interrupted.
        """
        content = orjson.dumps(body) if isinstance(body, dict) else body
        path = endpoint.path.partition("?")[0].replace("{id}", id)
        failures = throttled = 0
        while True:
            asked_at = time.monotonic()
            self.budget.acquire(endpoint.name)
            sent_at = time.monotonic()
            attempt = Attempt(
                endpoint=endpoint,
                path=path,
                params=params,
                content=content,
                number=failures + throttled + 1,
                rows=rows,
                at=time.time(),
                waited=sent_at - asked_at,
            )
            with request_span(endpoint, attempt.number, rows) as span:
                response, cause = self._send(endpoint, path, params, content)
                note_answer(span, response, cause)
            self._recording.note(attempt, response, cause, seconds=time.monotonic() - sent_at)
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
                    raise unavailable(endpoint, cause)
                self.budget.pause(backoff(failures + 1), endpoint=endpoint.name)
                if before_repeat and (answer := before_repeat()):
                    return answer
            else:
                assert response is not None  # noqa: S101 -- no answer is always RETRY
                raise refusal(endpoint, response, rule, self._credential)

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
                raise unexpected(endpoint, "a next page without a cursor of its own")
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


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted. Reading them takes 40 ms, more than all else that opening a client does."""
    return httpx.create_ssl_context()


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
    body = json_of(response)
    if response.status_code != _NO_CONTENT and "data" not in body:
        raise unexpected(endpoint, f"{response.status_code} without data")
    return Answer(status=response.status_code, body=body)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{max(minutes, 1)} min"  # noqa: PLR2004
