"""Logging in at an OpenID provider."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from segue.errors import ConfigError, DestinationError, UsageError
from segue.services.login import LoginError
from segue.services.oidc import arrive, depart
from segue.services.permissions import NOBODY, Option, Policy
from segue.services.users import change_user, create_user, get_user
from segue.settings import Settings

from .provider import CLIENT, SECRET, Provider, provider

BACK = "http://localhost/login/oidc/callback"
RULES = "groups:admins=administrator, groups:data=operator+restrict_pii,email_verified:True=viewer"


@pytest.fixture
def idp() -> Iterator[Provider]:
    with provider() as made:
        yield made


def oidc(idp):
    settings = Settings.from_env(
        {
            "SEGUE_OIDC_ISSUER": idp.url,
            "SEGUE_OIDC_CLIENT_ID": CLIENT,
            "SEGUE_OIDC_CLIENT_SECRET": SECRET,
            "SEGUE_OIDC_POLICIES": RULES,
        }
    ).oidc
    assert settings is not None
    return settings


def travel(workspace, idp, target="/"):
    """To the provider and back: what the browser keeps, and what it comes back with."""
    begun = depart(oidc(idp), workspace.box, redirect_uri=BACK, target=target)
    back = httpx.get(begun.url).headers["location"]
    assert back.startswith(BACK)
    return begun.sealed, {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def enter(workspace, idp, **parts):
    sealed, answer = travel(workspace, idp)
    kept = {"sealed": sealed, "answer": answer, **parts}
    return arrive(workspace.acting_as(NOBODY), oidc(idp), redirect_uri=BACK, **kept)


def test_claims_become_a_user_with_a_policy(workspace, idp):
    made, target = enter(workspace, idp)
    assert (made.actor.name, made.actor.policy, target) == ("ana@brand.shop", Policy.OPERATOR, "/")
    assert made.actor.options == {Option.RESTRICT_PII}
    user = get_user(workspace, "ana@brand.shop")
    assert (user.external, user.password) == (True, False)


def test_the_provider_says_anew_at_each_log_in_what_somebody_may(workspace, idp):
    first, _ = enter(workspace, idp)
    idp.claims |= {"groups": ["admins"], "email": "other@brand.shop"}  # the subject counts, not the address
    second, _ = enter(workspace, idp)
    assert (second.actor.id, second.actor.policy) == (first.actor.id, Policy.ADMINISTRATOR)
    idp.claims["groups"] = ["strangers"]
    with pytest.raises(LoginError) as refused:
        enter(workspace, idp)
    assert refused.value.code == "no_policy"


def test_a_local_user_of_the_same_name_is_not_taken_over(workspace, idp):
    create_user(workspace, "ana@brand.shop", Policy.ADMINISTRATOR)
    with pytest.raises(UsageError) as refused:
        enter(workspace, idp)
    assert refused.value.code == "user_exists"


def test_a_disabled_user_stays_out(workspace, idp):
    create_user(workspace, "root@brand.shop", Policy.ADMINISTRATOR)
    enter(workspace, idp)
    change_user(workspace, "ana@brand.shop", disabled=True)
    with pytest.raises(LoginError):
        enter(workspace, idp)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another log-in"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"]},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"sub": None},
    ],
)
def test_an_id_token_that_is_not_for_this_log_in_is_refused(workspace, idp, wrong):
    idp.wrong = wrong
    with pytest.raises(LoginError) as refused:
        enter(workspace, idp)
    assert refused.value.code == "login_failed"


def test_a_token_that_another_key_signed_is_refused(workspace, idp):
    idp.key = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(LoginError):
        enter(workspace, idp)


def test_an_answer_to_another_browser_is_refused(workspace, idp):
    """Else somebody could be logged in as somebody else, who follows what they do."""
    sealed, answer = travel(workspace, idp)
    other, _ = travel(workspace, idp)
    for kept in (other, None, "", "forged"):
        with pytest.raises(LoginError):
            enter(workspace, idp, sealed=kept, answer=answer)
    with pytest.raises(LoginError):
        enter(workspace, idp, sealed=sealed, answer={"state": answer["state"], "error": "access_denied"})
    with pytest.raises(LoginError):
        enter(workspace, idp, sealed=sealed, answer={**answer, "state": "guessed"})


def test_a_code_is_worth_nothing_without_the_verifier(workspace, idp):
    _, stolen = travel(workspace, idp)
    sealed, answer = travel(workspace, idp)
    with pytest.raises(LoginError):
        enter(workspace, idp, sealed=sealed, answer={**answer, "code": stolen["code"]})


def test_a_provider_that_is_away_is_told(workspace, idp):
    away = oidc(idp)
    idp.url = "http://127.0.0.1:9"
    with pytest.raises(DestinationError) as refused:
        depart(oidc(idp), workspace.box, redirect_uri=BACK, target="/")
    assert refused.value.code == "provider_unreachable"
    with pytest.raises(DestinationError):  # it says that it is another one
        depart(away, workspace.box, redirect_uri=BACK, target="/")


@pytest.mark.parametrize("rules", ["", "groups:data=king", "groups=viewer", "groups:data=viewer+all"])
def test_rules_that_make_no_sense_are_told_at_the_start(rules):
    environ = {"SEGUE_OIDC_ISSUER": "https://x", "SEGUE_OIDC_POLICIES": rules}
    with pytest.raises(ConfigError, match="SEGUE_OIDC"):
        _ = Settings.from_env(environ).oidc
