"""Requests and their answers, as they are kept to be looked at: heads of them, and few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from segue.delivery.decider import Decision, decide

HEAD_BYTES = 4096
"""Of a body, so much is kept at most: some ten people of a bulk request."""
FIRST = 3
"""So many exchanges are kept of each endpoint and answer."""
MOST = 100
"""So many are kept of a run: a server that answers with ever other codes does not fill the disk."""


class Answered(StrEnum):
    """How an attempt was answered, for people."""

    DONE = "done"
    SLOWED_DOWN = "slowed down"
    """429: the destination asks to wait; never a failure."""
    FAILED = "failed"
    """Refused, out of order, or no answer at all."""


def answered_how(status: int | None) -> Answered:
    """What a status means; None is no answer."""
    decision = decide(status).decision
    return {Decision.DONE: Answered.DONE, Decision.SLOW_DOWN: Answered.SLOWED_DOWN}.get(decision, Answered.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The beginning of a body. text: of a JSON list that does not fit only its first whole items; size: bytes of all of it;
    whole: whether nothing is left out."""

    text: str
    size: int
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer. Bodies and parameters hold people's data; no part of it holds a secret.

    seconds: from the request to the end of the answer; attempt: 1 for the first; status: None where there was no answer, and
    problem says why; rows: how many people the request carries, None where nobody counted; headers: chosen ones.
    """

    at: datetime
    seconds: float
    endpoint: str
    method: str
    path: str
    attempt: int
    status: int | None
    problem: str = ""
    rows: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: Body | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer_body: Body | None = None


class Recorder(Protocol):
    """Remembers what a destination was asked. Called for every attempt, from any thread: it is quick and never raises."""

    def count(self, endpoint: str, status: int | None, *, at: float, waited: float) -> bool:
        """Count an attempt; whether its exchange is wanted. at: seconds since 1970; waited: seconds for which it was held
        back."""

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange that is wanted."""


class Unrecorded:
    """Remembers nothing."""

    def count(self, endpoint: str, status: int | None, *, at: float, waited: float) -> bool:  # noqa: ARG002 -- the protocol's
        """Nothing is wanted."""
        return False

    def keep(self, exchange: Exchange) -> None:
        """Nothing."""


def head_of(content: bytes, *, secret: str) -> Body:
    """The beginning of a body, without the secret should it be in it."""
    # So much more that a secret which begins within the head is whole.
    raw = content[: HEAD_BYTES + len(secret)].decode("utf-8", "replace")
    if len(content) <= HEAD_BYTES:
        return Body(text=without(raw, secret), size=len(content))
    text = without(raw, secret).encode()[:HEAD_BYTES].decode("utf-8", "ignore")
    return Body(text=_first_items(text), size=len(content), whole=False)


def without(text: str, secret: str) -> str:
    """A text with a secret masked."""
    return text.replace(secret, "****") if secret else text


def _first_items(text: str) -> str:
    """The beginning of a JSON text up to the last whole item of its outermost open list.

    A person is in it whole or not at all: half a one would not be found by whoever looks for their address.
    """
    lists: list[int] = []
    depths: list[str] = []
    quoted = escaped = False
    for place, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            depths.append(character)
            lists += [place + 1] if character == "[" else []
        elif character in "]}" and depths:
            lists = lists[:-1] if depths.pop() == "[" else lists
        elif character == "," and depths[-1:] == ["["]:
            lists[-1] = place
    return text[: lists[0]] if lists else text
