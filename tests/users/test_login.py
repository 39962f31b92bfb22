from __future__ import annotations

import hashlib

import pyotp
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from segue.catalog.users import LoginSession, OneTimeLink, RecoveryCode, User
from segue.errors import ConfigError, UsageError
from segue.security import Secret
from segue.services.attempts import LockedError
from segue.services.audit import audit_lines, audit_page
from segue.services.audit_export import csv_lines, json_lines
from segue.services.links import Link, first_administrator_link, link_user, password_link, redeem_link
from segue.services.login import (
    LoginError,
    SessionError,
    change_password,
    log_in,
    log_out,
    log_out_everywhere,
    open_sessions,
    session_of,
)
from segue.services.permissions import Actor, NotPermittedError, Option, Policy, Scope
from segue.services.tokens import TokenError, create_token, list_tokens, recognise, revoke_token
from segue.services.totp import codes_left, drop_totp, end_totp, keep_totp, new_totp, renew_recovery_codes
from segue.services.user_lines import policies_to_give, unlock_user, user_lines
from segue.services.users import actor_of, change_user, create_user, get_user, list_users

from .conftest import PASSWORD

HERE = "10.0.0.7"


def actor(workspace, name):
    with workspace.catalog.session(read_only=True) as session:
        return actor_of(session.scalars(select(User).where(User.name == name)).one(), address=HERE)


def add(workspace, name, policy=Policy.VIEWER, *options):
    create_user(workspace, name, policy, options)
    return redeem_link(workspace, password_link(workspace, name).token, PASSWORD)


def first_link(workspace) -> Link:
    link = first_administrator_link(workspace)
    assert link is not None
    return link


def test_the_first_start_makes_one_administrator_and_there_is_no_default_password(workspace):
    old = first_link(workspace)
    link = first_link(workspace)
    with pytest.raises(UsageError, match="used already"):
        redeem_link(workspace, old.token, PASSWORD, name="eve")
    made = redeem_link(workspace, link.token, PASSWORD, name="Ana@Brand.shop")
    assert (made.name, made.policy) == ("ana@brand.shop", Policy.ADMINISTRATOR)
    assert first_administrator_link(workspace) is None
    with pytest.raises(UsageError, match="used already"):
        redeem_link(workspace, link.token, PASSWORD, name="eve")
    assert [user.name for user in list_users(workspace)] == ["ana@brand.shop"]


def test_a_link_is_over_after_its_time_and_kept_as_a_digest_alone(workspace):
    link = first_link(workspace)
    with workspace.catalog.session() as session:
        row = session.scalars(select(OneTimeLink)).one()
        assert row.digest == hashlib.sha256(link.token.reveal().encode()).hexdigest()
        assert (link.expires_at - row.created_at).total_seconds() == pytest.approx(3600, abs=5)
        row.expires_at = row.created_at
    with pytest.raises(UsageError, match="its time is over"):
        redeem_link(workspace, link.token, PASSWORD, name="ana")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "x" * 600])
def test_a_password_that_is_guessed_is_refused_and_the_link_stays(workspace, password):
    link = first_link(workspace)
    with pytest.raises(ConfigError) as refused:
        redeem_link(workspace, link.token, Secret(password), name="ana")
    assert refused.value.code == "weak_password"
    assert password not in str(refused.value)
    assert link_user(workspace, link.token) is None


@pytest.mark.parametrize("name", ["", "ana bo", "<b>", "ana\n", "älter", "a" * 300, "-x"])
def test_a_user_name_is_plain(workspace, name):
    with pytest.raises(ConfigError) as refused:
        create_user(workspace, name if name != "ana\n" else "ana\nbo", Policy.VIEWER)
    assert refused.value.code == "bad_user_name"


def test_logging_in_opens_a_session_and_logging_out_ends_it(workspace, ana):
    made = log_in(workspace, " ANA ", PASSWORD, address=HERE)
    found = session_of(workspace, made.token, address=HERE)
    assert (found.actor.id, found.actor.name, found.actor.policy) == (ana.id, "ana", Policy.ADMINISTRATOR)
    assert found.csrf == made.csrf
    assert made.token.reveal() not in made.csrf
    log_out(workspace, made.token)
    with pytest.raises(SessionError):
        session_of(workspace, made.token, address=HERE)
    log_out(workspace, made.token)


def test_what_is_kept_opens_nothing(workspace, ana):
    made = log_in(workspace, "ana", PASSWORD, address=HERE)
    with workspace.catalog.session(read_only=True) as session:
        user, row = session.scalars(select(User)).one(), session.scalars(select(LoginSession)).one()
        assert user.password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert row.digest == hashlib.sha256(made.token.reveal().encode()).hexdigest()
        digest = row.digest
    with pytest.raises(SessionError):
        session_of(workspace, Secret(digest), address=HERE)


def test_every_log_in_has_a_session_of_its_own(workspace, ana):
    first = log_in(workspace, "ana", PASSWORD, address=HERE)
    second = log_in(workspace, "ana", PASSWORD, address=HERE)
    assert first.token != second.token
    assert log_out_everywhere(workspace.acting_as(second.actor)) == 2
    for made in (first, second):
        with pytest.raises(SessionError):
            session_of(workspace, made.token, address=HERE)


def test_a_session_is_over_when_idle_and_after_its_life(workspace, ana, clock):
    made = log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    for _ in range(20):  # 7 days less 20 hours, used every few hours
        clock.forward(hours=7)
        session_of(workspace, made.token, address=HERE, clock=clock)
    other = log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    clock.forward(hours=8, seconds=1)
    with pytest.raises(SessionError):
        session_of(workspace, other.token, address=HERE, clock=clock)
    lasting = log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    for _ in range(23):
        clock.forward(hours=7)
        session_of(workspace, lasting.token, address=HERE, clock=clock)
    clock.forward(hours=7, seconds=1)  # 7 days and a second
    with pytest.raises(SessionError):
        session_of(workspace, lasting.token, address=HERE, clock=clock)


def test_a_failed_log_in_says_the_same_whatever_was_wrong(workspace, ana):
    add(workspace, "bo")
    change_user(workspace, "bo", disabled=True)
    words = set()
    for name, password in (("ana", Secret("wrong")), ("nobody", PASSWORD), ("bo", PASSWORD)):
        with pytest.raises(LoginError) as refused:
            log_in(workspace, name, password, address=HERE)
        words.add((refused.value.code, refused.value.message, refused.value.steps))
    assert len(words) == 1


def test_who_fails_too_often_waits_twice_as_long_each_time(workspace, ana, clock):
    def fail() -> None:
        with pytest.raises(LoginError):
            log_in(workspace, "ana", Secret("wrong"), address=HERE, clock=clock)

    for _ in range(5):
        fail()
    waits = []
    for _ in range(3):
        with pytest.raises(LockedError) as locked:
            log_in(workspace, "ana", PASSWORD, address="10.9.9.9", clock=clock)  # right, and from elsewhere
        waits.append(locked.value.facts["seconds"])
        clock.forward(seconds=waits[-1])
        fail()
    assert waits == [31, 61, 121]
    clock.forward(minutes=16)
    log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    fail()  # the count began anew


def test_an_address_that_tries_many_names_waits_too(workspace, ana, clock):
    for number in range(20):
        with pytest.raises(LoginError):
            log_in(workspace, f"user{number}", PASSWORD, address=HERE, clock=clock)
    with pytest.raises(LockedError):
        log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    log_in(workspace, "ana", PASSWORD, address="10.9.9.9", clock=clock)


def test_disabling_a_user_ends_sessions_and_tokens_at_once(workspace, ana):
    add(workspace, "bo", Policy.OPERATOR)
    made = log_in(workspace, "bo", PASSWORD, address=HERE)
    _, token = create_token(workspace.acting_as(made.actor), "bo's", [Scope.READ], days=1)
    change_user(workspace, "bo", disabled=True)
    with pytest.raises(SessionError):
        session_of(workspace, made.token, address=HERE)
    with pytest.raises(TokenError) as refused:
        recognise(workspace, token.reveal())
    assert refused.value.code == "user_disabled"


def test_a_changed_policy_counts_at_once(workspace, ana):
    add(workspace, "bo", Policy.OPERATOR)
    made = log_in(workspace, "bo", PASSWORD, address=HERE)
    _, token = create_token(workspace.acting_as(made.actor), "bo's", [Scope.ADMIN], days=1)
    assert recognise(workspace, token.reveal()).may("destinations.edit")
    change_user(workspace, "bo", policy=Policy.VIEWER)
    assert not session_of(workspace, made.token, address=HERE).actor.may("destinations.edit")
    assert not recognise(workspace, token.reveal()).may("destinations.edit")


def test_nobody_makes_somebody_who_may_more(workspace, ana):
    add(workspace, "bo", Policy.ACTIVATOR, Option.USER_ADMIN, Option.RESTRICT_PII)
    bo = workspace.acting_as(actor(workspace, "bo"))
    for policy, options in (
        (Policy.ADMINISTRATOR, (Option.RESTRICT_PII,)),
        (Policy.OPERATOR, (Option.RESTRICT_PII,)),
        (Policy.VIEWER, ()),
    ):
        with pytest.raises(NotPermittedError):
            create_user(bo, "cy", policy, options)
    create_user(bo, "cy", Policy.VIEWER, (Option.RESTRICT_PII,))
    for act in (
        lambda: change_user(bo, "cy", policy=Policy.ADMINISTRATOR),
        lambda: change_user(bo, "ana", disabled=True),
        lambda: password_link(bo, "ana"),
        lambda: drop_totp(bo, "ana"),
    ):
        with pytest.raises(NotPermittedError):
            act()
    assert get_user(workspace, "cy").policy is Policy.VIEWER
    assert get_user(workspace, "ana").disabled_at is None


def test_the_last_administrator_stays(workspace, ana):
    for change in ({"policy": Policy.VIEWER}, {"disabled": True}):
        with pytest.raises(UsageError) as refused:
            change_user(workspace, "ana", **change)
        assert refused.value.code == "last_administrator"
    add(workspace, "bo", Policy.ADMINISTRATOR)
    change_user(workspace, "ana", disabled=True)


def test_a_new_password_ends_every_session(workspace, ana):
    made = log_in(workspace, "ana", PASSWORD, address=HERE)
    mine = workspace.acting_as(made.actor)
    with pytest.raises(LoginError):
        change_password(mine, Secret("wrong"), Secret("another sentence of words"))
    change_password(mine, PASSWORD, Secret("another sentence of words"))
    with pytest.raises(SessionError):
        session_of(workspace, made.token, address=HERE)
    with pytest.raises(LoginError):
        log_in(workspace, "ana", PASSWORD, address=HERE)
    log_in(workspace, "ana", Secret("another sentence of words"), address=HERE)


def test_the_second_factor_is_asked_for_and_no_code_is_taken_twice(workspace, ana, clock):
    mine = workspace.acting_as(actor(workspace, "ana"))
    offered = new_totp(mine)
    app = pyotp.TOTP(offered.secret.reveal())
    with pytest.raises(ConfigError):
        keep_totp(mine, offered.secret, "000000" if app.at(clock()) != "000000" else "111111", moment=clock())
    keep_totp(mine, offered.secret, app.at(clock()), moment=clock())
    with workspace.catalog.session(read_only=True) as session:
        assert offered.secret.reveal() not in str(session.execute(select(User.__table__)).one())

    def enter(code):
        return log_in(workspace, "ana", PASSWORD, code=code, address=HERE, clock=clock)

    with pytest.raises(LoginError) as refused:
        enter(None)
    assert refused.value.code == "code_needed"
    with pytest.raises(LoginError) as refused:
        enter(app.at(clock()))  # it was used to enrol
    assert refused.value.code == "login_failed"
    clock.forward(seconds=60)
    code = app.at(clock())
    enter(f" {code[:3]} {code[3:]} ")
    with pytest.raises(LoginError):
        enter(code)
    with pytest.raises(LoginError) as refused:
        log_in(workspace, "ana", Secret("wrong"), address=HERE, clock=clock)
    assert refused.value.code == "login_failed"  # whether there is a second factor is told to nobody else
    drop_totp(workspace, "ana")
    enter(None)


def with_second_factor(workspace, clock):
    """ana's workspace, her application, and her recovery codes."""
    mine = workspace.acting_as(actor(workspace, "ana"))
    offered = new_totp(mine)
    app = pyotp.TOTP(offered.secret.reveal())
    codes = keep_totp(mine, offered.secret, app.at(clock()), moment=clock())
    clock.forward(seconds=60)
    return mine, app, [code.reveal() for code in codes]


def test_a_recovery_code_stands_in_once_for_the_phone(workspace, ana, clock):
    mine, _, codes = with_second_factor(workspace, clock)
    assert len(set(codes)) == codes_left(mine) == 8
    with workspace.catalog.session(read_only=True) as session:
        assert not {c.replace("-", "") for c in codes} & set(session.scalars(select(RecoveryCode.digest)))

    def enter(code):
        return log_in(workspace, "ana", PASSWORD, code=code, address=HERE, clock=clock)

    enter(f" {codes[0].upper().replace('-', ' ')} ")
    with pytest.raises(LoginError):
        enter(codes[0])
    assert codes_left(mine) == 7
    used = audit_page(workspace, action="user.recovery_code")[0]
    assert (used.actor, used.after) == ("ana", {"left": 7})
    add(workspace, "bo", Policy.OPERATOR)
    theirs = workspace.acting_as(actor(workspace, "bo"))
    end = new_totp(theirs)
    keep_totp(theirs, end.secret, pyotp.TOTP(end.secret.reveal()).at(clock()), moment=clock())
    with pytest.raises(ConfigError):
        end_totp(theirs, codes[1], moment=clock())  # ana's opens nothing of bo's
    enter(codes[1])


def test_a_second_factor_is_turned_off_and_its_codes_made_anew_with_a_code_alone(workspace, ana, clock):
    mine, app, codes = with_second_factor(workspace, clock)
    other = new_totp(mine)
    with pytest.raises(UsageError) as refused:  # nobody puts another phone in place of the user's
        keep_totp(mine, other.secret, pyotp.TOTP(other.secret.reveal()).at(clock()), moment=clock())
    assert refused.value.code == "totp_on"
    for act in (end_totp, renew_recovery_codes):
        with pytest.raises(ConfigError) as wrong:
            act(mine, "000000" if app.at(clock()) != "000000" else "111111", moment=clock())
        assert wrong.value.code == "wrong_code"
    renewed = renew_recovery_codes(mine, app.at(clock()), moment=clock())
    with pytest.raises(ConfigError):
        end_totp(mine, codes[0], moment=clock())
    end_totp(mine, renewed[0].reveal(), moment=clock())
    log_in(workspace, "ana", PASSWORD, address=HERE, clock=clock)
    assert codes_left(mine) == 0


def test_codes_of_a_second_factor_are_not_guessed(workspace, ana, clock):
    mine, app, _ = with_second_factor(workspace, clock)
    wrong = "000000" if app.at(clock()) != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(ConfigError):
            end_totp(mine, wrong, moment=clock())
    with pytest.raises(LockedError):
        end_totp(mine, app.at(clock()), moment=clock())


def test_who_looks_after_users_sees_who_waits_and_ends_the_wait(workspace, ana):
    add(workspace, "bo", Policy.VIEWER)
    create_user(workspace, "cy", Policy.VIEWER)
    made = log_in(workspace, "ana", PASSWORD, address=HERE)
    for _ in range(5):
        with pytest.raises(LoginError):
            log_in(workspace, "bo", Secret("wrong"), address=None)
    with pytest.raises(LockedError):
        log_in(workspace, "bo", PASSWORD, address=None)
    lines = {line.user.name: line for line in user_lines(workspace)}
    assert {name: line.status for name, line in lines.items()} == {"ana": "active", "bo": "locked", "cy": "invited"}
    assert (lines["ana"].sessions, lines["bo"].sessions) == (1, 0)
    assert lines["ana"].seen_at is not None
    with pytest.raises(NotPermittedError):
        unlock_user(workspace.acting_as(actor(workspace, "bo")), "bo")
    unlock_user(workspace.acting_as(made.actor), "bo")
    log_in(workspace, "bo", PASSWORD, address=None)
    assert audit_page(workspace, action="user.unlock")[0].subject == "bo"


def test_sessions_of_others_are_not_listed(workspace, ana):
    add(workspace, "bo", Policy.ADMINISTRATOR)
    log_in(workspace, "bo", PASSWORD, address="10.0.0.7")
    log_in(workspace, "ana", PASSWORD, address=HERE)
    assert [s.address for s in open_sessions(workspace.acting_as(actor(workspace, "ana")))] == [HERE]


@pytest.mark.parametrize(
    ("policy", "options", "given"),
    [
        (Policy.ADMINISTRATOR, (), ["administrator", "operator", "activator", "viewer"]),
        (Policy.ACTIVATOR, (Option.USER_ADMIN, Option.RESTRICT_PII), ["activator", "viewer"]),
        # Who only runs may make others who only run, whatever their policy is called.
        (Policy.OPERATOR, (Option.USER_ADMIN, Option.RUN_ONLY), ["administrator", "operator", "activator", "viewer"]),
    ],
)
def test_only_policies_that_may_no_more_are_offered(policy, options, given):
    who = Actor(name="who", policy=policy, options=frozenset(options))
    assert [p.value for p in policies_to_give(who)] == given


def test_the_last_use_of_a_token_is_known(workspace, ana):
    token, text_ = create_token(workspace, "ci", [Scope.READ], days=1)
    assert token.last_used_at is None
    recognise(workspace, text_.reveal())
    [used] = list_tokens(workspace)
    assert used.last_used_at is not None
    assert used.last_used_at >= token.created_at


def test_tokens_of_others_are_unknown_to_those_who_do_not_manage_them(workspace, ana):
    add(workspace, "bo", Policy.OPERATOR)
    bo = workspace.acting_as(actor(workspace, "bo"))
    create_token(workspace.acting_as(actor(workspace, "ana")), "ana's", [Scope.READ], days=1)
    create_token(bo, "bo's", [Scope.READ], days=1)
    assert [token.name for token in list_tokens(bo)] == ["bo's"]
    with pytest.raises(UsageError) as refused:
        revoke_token(bo, "ana's")
    assert refused.value.code == "unknown_token"
    assert [(token.name, token.user) for token in list_tokens(workspace)] == [("ana's", "ana"), ("bo's", "bo")]
    revoke_token(workspace, "ana's")


def test_the_activity_log_tells_who_did_what_from_where(workspace, ana):
    made = log_in(workspace, "ana", PASSWORD, address=HERE)
    mine = workspace.acting_as(made.actor)
    create_user(mine, "bo", Policy.VIEWER)
    change_user(mine, "bo", policy=Policy.OPERATOR)
    with pytest.raises(LoginError):
        log_in(workspace, "ana", Secret("wrong-password"), address="10.9.9.9")
    line = audit_page(workspace, action="user.update")[0]
    assert (line.actor, line.actor_id, line.address, line.subject) == ("ana", ana.id, HERE, "bo")
    assert line.before is not None
    assert line.after is not None
    assert (line.before["policy"], line.after["policy"]) == ("viewer", "operator")
    failed = audit_page(workspace, action="login.")[0]
    assert (failed.action, failed.address) == ("login.failed", "10.9.9.9")
    actions = [line.action for line in audit_lines(workspace)]
    assert actions == ["user.create", "user.password", "login", "user.create", "user.update", "login.failed"]
    for export in ("".join(csv_lines(audit_lines(workspace))), "".join(json_lines(audit_lines(workspace)))):
        assert "10.9.9.9" in export
        assert PASSWORD.reveal() not in export
        assert "argon2" not in export


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"])
def test_the_activity_log_is_never_changed(workspace, ana, statement):
    with pytest.raises(IntegrityError, match="append-only"), workspace.catalog.session() as session:
        session.execute(text(statement))
    assert len(list(audit_lines(workspace))) == 2


def test_a_formula_in_a_name_is_text_in_the_export(workspace):
    create_token(workspace, "=HYPERLINK(1)", [Scope.READ], days=1)
    assert ",'=HYPERLINK(1)," in "".join(csv_lines(audit_lines(workspace)))
