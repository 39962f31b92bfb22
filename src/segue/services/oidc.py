"""Logging in at an OpenID provider: authorisation code with PKCE, state and nonce; claims become a policy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select
from sqlalchemy.orm import Session

from segue.catalog.base import now
from segue.catalog.users import User
from segue.errors import ConfigError, DestinationError, SegueError, StateError
from segue.security import Secret, SecretBox
from segue.services.login import LoggedIn, LoginError, open_session
from segue.services.permissions import SYSTEM, Option, Policy
from segue.services.users import add_user, user_name
from segue.services.workspace import Workspace
from segue.settings import OidcSettings

_SCOPE = "openid email profile"
_PATIENCE = 10.0
"""Seconds that the provider gets for an answer."""
LIFE = timedelta(minutes=10)
"""How long somebody may take at the provider."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures with the provider's public keys alone: never with none, nor with a secret that both know."""
_LEEWAY = 60
"""Seconds that the clocks of two machines may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send the browser, and what it keeps until it comes back: sealed, so that nobody else can make one."""

    url: str
    sealed: str


def depart(settings: OidcSettings, box: SecretBox, *, redirect_uri: str, target: str) -> Departure:
    """Begin a log-in. target: where to go afterwards. Raises DestinationError when the provider does not answer."""
    verifier, nonce, state = (secrets.token_urlsafe(48) for _ in range(3))
    try:
        with httpx.Client(timeout=_PATIENCE) as client:
            end = str(_metadata(client, settings)["authorization_endpoint"])
    except (httpx.HTTPError, KeyError, ValueError):
        raise _unreachable(settings) from None
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "scope": _SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    url = f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}"
    kept = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "target": target,
        "until": (now() + LIFE).timestamp(),
    }
    return Departure(url=url, sealed=box.seal(Secret(json.dumps(kept))))


def arrive(
    workspace: Workspace,
    settings: OidcSettings,
    *,
    sealed: str | None,
    answer: Mapping[str, str],
    redirect_uri: str,
) -> tuple[LoggedIn, str]:
    """End a log-in: the new session, and where to go. answer: the parameters with which the browser came back.

    Raises LoginError ``login_failed`` for an answer that is none of ours, ``no_policy`` when no claim gives a policy;
    DestinationError when the provider does not answer.
    """
    kept = _kept(workspace.box, sealed)
    if not hmac.compare_digest(str(kept["state"]), answer.get("state", "")) or "code" not in answer:
        raise _failed()
    claims = _claims(settings, redirect_uri, code=answer["code"], kept=kept)
    policy = policy_of(settings, claims)
    if policy is None:
        raise LoginError(
            "Your account at the identity provider gives you no policy here.",
            code="no_policy",
            steps=("Ask an administrator which group you have to be in.",),
        )
    with workspace.catalog.session() as session:
        user = _user(session, claims, *policy)
        return open_session(session, user, address=workspace.actor.address), str(kept["target"])


def policy_of(settings: OidcSettings, claims: Mapping[str, Any]) -> tuple[Policy, frozenset[Option]] | None:
    """What the claims of somebody make of them, by the first rule that fits; None without one."""
    for rule in settings.rules:
        held = claims.get(rule.claim)
        values = held if isinstance(held, list) else [held]
        if any(isinstance(value, str | bool | int) and str(value) == rule.value for value in values):
            return Policy(rule.policy), frozenset(map(Option, rule.options))
    return None


def _claims(settings: OidcSettings, redirect_uri: str, *, code: str, kept: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        with httpx.Client(timeout=_PATIENCE) as client:
            metadata = _metadata(client, settings)
            sent = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": kept["verifier"],
            }
            # RFC 6749, 2.3.1: both parts are encoded as in a form first.
            auth = quote(settings.client_id, safe=""), quote(settings.client_secret.reveal(), safe="")
            token = client.post(metadata["token_endpoint"], data=sent, auth=auth)
            keys = client.get(metadata["jwks_uri"])
            keys.raise_for_status()
            found = KeySet.import_key_set(keys.json())
            decoded = jwt.decode(token.json()["id_token"], found, algorithms=_ALGORITHMS)
    except httpx.HTTPError:
        raise _unreachable(settings) from None
    except (JoseError, KeyError, ValueError, TypeError):
        raise _failed() from None
    rules = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": settings.client_id},
        exp={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": kept["nonce"]},
    )
    try:
        rules.validate(decoded.claims)
    except JoseError:
        raise _failed() from None
    audience = decoded.claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and decoded.claims.get("azp") != settings.client_id:
        raise _failed()
    return decoded.claims


def _user(session: Session, claims: Mapping[str, Any], policy: Policy, options: frozenset[Option]) -> User:
    """The user of a subject, made at the first log-in. The provider says what they may, each time anew."""
    subject = f"{claims['iss']}|{claims['sub']}"
    user = session.scalars(select(User).where(User.subject == subject)).one_or_none()
    if user is None:
        # A local user of the same name is somebody else: a provider does not take over who it did not make.
        user = add_user(session, SYSTEM, _name(claims, subject), policy, options, subject=subject)
    if user.disabled_at is not None:
        raise _failed()
    user.policy, user.options = policy, sorted(options)
    return user


def _name(claims: Mapping[str, Any], subject: str) -> str:
    for claim in ("email", "preferred_username"):
        try:
            return user_name(str(claims[claim]))
        except (KeyError, ConfigError):
            continue
    return f"oidc-{hashlib.sha256(subject.encode()).hexdigest()[:16]}"


def _kept(box: SecretBox, sealed: str | None) -> Mapping[str, Any]:
    try:
        kept: Mapping[str, Any] = json.loads(box.open(sealed or "", owner="a log-in").reveal())
    except (StateError, ValueError):
        raise _failed() from None
    if kept["until"] < now().timestamp():
        raise _failed()
    return kept


def _metadata(client: httpx.Client, settings: OidcSettings) -> Mapping[str, Any]:
    answer = client.get(f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration")
    answer.raise_for_status()
    metadata: Mapping[str, Any] = answer.json()
    if metadata["issuer"].rstrip("/") != settings.issuer.rstrip("/"):
        raise ValueError("another issuer")
    return metadata


def _failed() -> SegueError:
    return LoginError("The log-in at the identity provider did not end well.", steps=("Log in again.",))


def _unreachable(settings: OidcSettings) -> SegueError:
    return DestinationError(
        f"The identity provider {settings.issuer} does not answer as one.",
        code="provider_unreachable",
        steps=("Check SEGUE_OIDC_ISSUER and the network.", "Try again."),
    )
