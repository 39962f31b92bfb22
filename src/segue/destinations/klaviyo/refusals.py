"""What Klaviyo says when it does not do what it was asked, as errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from segue.delivery.decider import MAX_ATTEMPTS, RULES, Decision, Rule
from segue.destinations.klaviyo.limits import CREATE_LIST, GET_ACCOUNTS, REVISION, Endpoint
from segue.errors import CredentialError, DestinationError

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


def unexpected(endpoint: Endpoint, what: str) -> DestinationError:
    """The error for an answer that Klaviyo does not give."""
    return DestinationError(
        f"Klaviyo answered {endpoint.name} with {what}.",
        code="unexpected_answer",
        steps=("Check the base URL of the credential, and whether a proxy answers in Klaviyo's place.",),
    )


def json_of(response: httpx.Response) -> Json:
    """The JSON object of an answer; {} where there is none."""
    if not response.content:
        return {}
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _problems(response: httpx.Response) -> tuple[Problem, ...]:
    found = []
    for entry in json_of(response).get("errors") or []:
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


def refusal(endpoint: Endpoint, response: httpx.Response, rule: Rule, credential: str) -> Exception:
    """The error for an answer that is not to be repeated. credential: how errors call it."""
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


def unavailable(endpoint: Endpoint, cause: str) -> DestinationError:
    """The error for a call that got no good answer however often it was made."""
    return DestinationError(
        f"Klaviyo did not answer {endpoint.name} after {MAX_ATTEMPTS} attempts.",
        code="unavailable" if endpoint is not GET_ACCOUNTS else "unreachable",
        cause=cause,
        steps=("Check the network and status.klaviyo.com.", "Run again: the run goes on where it stopped."),
    )
