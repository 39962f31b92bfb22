"""What is remembered of calls: how often and when, and of a few of them how they went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from segue import logs
from segue.delivery.exchanges import Exchange, Recorder, head_of, without
from segue.destinations.klaviyo.limits import Endpoint

_ASKED = ("accept", "content-length", "content-type", "revision", "user-agent")
_TOLD = (
    "cf-ray",
    "content-type",
    "date",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "server",
    "x-request-id",
)
"""Headers that are kept. The one with the key is none of them."""
_LONGEST = 1000
"""Characters of a header or a parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A request on its way. number: from 1; at: when it was sent, seconds since 1970; waited: seconds before that."""

    endpoint: Endpoint
    path: str
    params: Mapping[str, str] | None
    content: bytes | None
    number: int
    rows: int | None
    at: float
    waited: float


class Recording:
    """Tells a recorder of attempts. secret: of the connection, which is masked wherever it turns up."""

    def __init__(self, recorder: Recorder, *, secret: str) -> None:
        self._recorder = recorder
        self._secret = secret

    def note(self, attempt: Attempt, response: httpx.Response | None, problem: str, *, seconds: float) -> None:
        """How an attempt was answered; None: not at all, and problem says why. Nothing that goes wrong here fails the call."""
        status = response.status_code if response is not None else None
        try:
            if self._recorder.count(attempt.endpoint.name, status, at=attempt.at, waited=attempt.waited):
                self._recorder.keep(self._exchange(attempt, response, problem, seconds))
        except Exception as error:  # noqa: BLE001 -- what is remembered must not decide what becomes of a run
            logs.event("exchange not recorded", error=type(error).__name__)

    def _exchange(self, attempt: Attempt, response: httpx.Response | None, problem: str, seconds: float) -> Exchange:
        endpoint, answered = attempt.endpoint, response is not None
        return Exchange(
            at=datetime.fromtimestamp(attempt.at, UTC),
            seconds=round(seconds, 4),
            endpoint=endpoint.name,
            method=endpoint.method,
            path=attempt.path,
            attempt=attempt.number,
            status=response.status_code if response is not None else None,
            problem="" if answered else problem,
            rows=attempt.rows,
            parameters={name: self._cut(value) for name, value in (attempt.params or {}).items()},
            request_headers=self._chosen(response.request.headers, _ASKED) if response is not None else {},
            request_body=head_of(attempt.content, secret=self._secret) if attempt.content else None,
            answer_headers=self._chosen(response.headers, _TOLD) if response is not None else {},
            answer_body=head_of(response.content, secret=self._secret)
            if response is not None and response.content
            else None,
        )

    def _chosen(self, headers: httpx.Headers, names: Iterable[str]) -> dict[str, str]:
        return {name: self._cut(headers[name]) for name in names if name in headers}

    def _cut(self, text: str) -> str:
        """A long filter lists people: it ends before the one that does not fit."""
        text = without(text, self._secret)
        return text if len(text) <= _LONGEST else text[:_LONGEST].rpartition(",")[0] + ", \N{HORIZONTAL ELLIPSIS}"
