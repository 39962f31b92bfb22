"""Users, the own account and API tokens, in a browser."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pyotp
import pytest
from playwright.sync_api import Page, expect

from segue.catalog.base import now
from segue.security import Secret
from segue.services.links import password_link, redeem_link
from segue.services.login import LoginError, log_in
from segue.services.permissions import Option, Policy
from segue.services.users import create_user, get_user
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.web.browser import PASSWORD


@pytest.fixture
def as_user(site, visitor):
    """Makes a user, and has the browser be theirs."""

    def become(name, policy, *options):
        with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
            create_user(workspace, name, policy, options)
            redeem_link(workspace, password_link(workspace, name).token, PASSWORD)
            made = log_in(workspace, name, PASSWORD, address=None)
        visitor.page.context.add_cookies([{"name": "segue", "value": made.token.reveal(), "url": site.url}])
        return made

    return become


def act(page, row, action):
    page.get_by_role("button", name=f"Actions: {row}", exact=True).click()
    page.get_by_role("menuitem", name=action).click()


def test_a_user_is_invited_and_comes_in_with_the_link(visitor):
    page = visitor.go("/settings/users")
    page.get_by_role("button", name="Invite user").click()
    dialog = page.get_by_role("dialog", name="Invite user")
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog.get_by_text("This is needed.")).to_be_visible()
    dialog.get_by_label("Name", exact=True).fill("Invited@brand.shop")
    dialog.get_by_label("Policy").click()
    page.get_by_role("option", name="Activator: queries, orchestrations, runs").click()
    dialog.get_by_role("checkbox", name="Sees no personal data").click()
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_role("textbox", name="Link", exact=True).input_value()
    assert link.startswith(visitor.site.url + "/welcome?link=")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.get_by_role("button", name="Done").click()
    row = page.get_by_role("row").filter(has_text="invited@brand.shop")
    for text in ("Invited", "Activator", "Sees no personal data"):
        expect(row).to_contain_text(text)

    sent = {"link": link.split("=")[1], "password": PASSWORD.reveal()}
    answer = httpx.post(link.split("?")[0], data=sent, headers={"Origin": visitor.site.url})
    assert answer.headers["location"] == "/login"
    visitor.go("/settings/users")
    expect(row).to_contain_text("Active")
    act(page, "invited@brand.shop", "Disable")
    page.get_by_role("button", name="Disable", exact=True).click()
    expect(row).to_contain_text("Disabled")
    act(page, "invited@brand.shop", "Enable")
    expect(row).to_contain_text("Active")


def test_what_a_user_may_is_changed(visitor, site):
    with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
        create_user(workspace, "changed@brand.shop", Policy.VIEWER)
        page = visitor.go("/settings/users")
        act(page, "changed@brand.shop", "Change what they may")
        page.get_by_role("dialog").get_by_label("Policy").click()
        page.get_by_role("option", name="Operator: configures everything").click()
        page.get_by_role("checkbox", name="Runs only, configures nothing").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("row").filter(has_text="changed@brand.shop")).to_contain_text("Operator")
        user = get_user(workspace, "changed@brand.shop")
        assert (user.policy, user.options) == (Policy.OPERATOR, frozenset({Option.RUN_ONLY}))


def test_who_failed_too_often_is_shown_and_let_in_again(visitor, site):
    with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
        create_user(workspace, "locked@brand.shop", Policy.VIEWER)
        redeem_link(workspace, password_link(workspace, "locked@brand.shop").token, PASSWORD)
        for _ in range(5):
            with pytest.raises(LoginError):
                log_in(workspace, "locked@brand.shop", Secret("not the password"), address=None)
        page = visitor.go("/settings/users")
        row = page.get_by_role("row").filter(has_text="locked@brand.shop")
        expect(row).to_contain_text("Locked")
        act(page, "locked@brand.shop", "Unlock")
        expect(row).to_contain_text("Active")
        log_in(workspace, "locked@brand.shop", PASSWORD, address=None)


def test_nobody_gives_more_than_they_have(visitor, as_user):
    as_user("helper@brand.shop", Policy.ACTIVATOR, Option.USER_ADMIN, Option.RESTRICT_PII)
    page = visitor.go("/settings/users")
    page.get_by_role("button", name="Invite user").click()
    dialog = page.get_by_role("dialog", name="Invite user")
    dialog.get_by_label("Policy").click()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    page.get_by_role("option", name="Viewer: looks").click()
    dialog.get_by_label("Name", exact=True).fill("seeing@brand.shop")
    dialog.get_by_role("checkbox", name="Sees no personal data").click()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("more permissions than their own")


def test_who_may_not_look_after_users_sees_no_page_of_them(visitor, as_user):
    as_user("viewer@brand.shop", Policy.VIEWER)
    page = visitor.go("/settings/account")
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name="Users")).to_have_count(0)
    visitor.go("/settings/users")
    expect(page.get_by_text("Not for you")).to_be_visible()
    expect(page.get_by_role("button", name="Invite user")).to_have_count(0)


def test_what_each_policy_allows_is_told(visitor, as_user):
    as_user("looks@brand.shop", Policy.VIEWER)
    page = visitor.go("/settings/policies")
    expect(page.get_by_role("main")).to_contain_text("You are a viewer.")
    page.get_by_role("searchbox").fill("stop runs")
    row = page.get_by_role("region", name="Policies").get_by_role("row").filter(has_text="stop runs")
    # Administrator, Operator and Activator may; a Viewer looks; whoever only runs may.
    expect(row.get_by_role("cell")).to_have_text(["stop runs", "yes", "yes", "yes", "no", "yes"])


def test_times_are_those_of_the_zone_that_the_user_chose(visitor, as_user):
    as_user("tokyo@brand.shop", Policy.VIEWER)

    def first_time(page: Page) -> tuple[datetime, str]:
        shown = page.get_by_role("region", name="Runs").locator("time").first
        return datetime.fromisoformat(shown.get_attribute("datetime") or ""), " ".join(
            (shown.get_attribute("title") or "").split()
        )

    def clock(moment: datetime, zone: str) -> str:
        return f"{moment.astimezone(ZoneInfo(zone)):%-I:%M:%S %p}"

    page = visitor.go("/workflows")
    moment, title = first_time(page)
    assert clock(moment, "Europe/Vienna") in title  # the browser's
    visitor.go("/settings/account")
    page.get_by_role("combobox", name="Time zone").fill("Asia/Tok")
    page.get_by_role("option", name="Asia/Tokyo").click()
    page.get_by_role("button", name="Save the time zone").click()
    expect(page.locator('meta[name="segue-zone"]')).to_have_attribute("content", "Asia/Tokyo")
    visitor.go("/workflows")
    moment, title = first_time(page)
    assert clock(moment, "Asia/Tokyo") in title
    assert "GMT+9" in title


def test_the_second_factor_is_turned_on_and_off(visitor, site, as_user):
    as_user("phone@brand.shop", Policy.VIEWER)
    page = visitor.go("/settings/account")
    card = page.get_by_role("region", name="Second factor")
    card.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    app = pyotp.TOTP(page.get_by_role("textbox", name="Key", exact=True).input_value())
    dialog = page.get_by_role("dialog", name="Turn the second factor on")
    wrong = "000000" if app.at(now()) != "000000" else "111111"
    dialog.get_by_label("The code that the application shows").fill(wrong)
    dialog.get_by_role("button", name="Turn on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not the code of this moment")
    assert visitor.serious() == []
    dialog.get_by_label("The code that the application shows").fill(app.at(now()))
    dialog.get_by_role("button", name="Turn on").click()
    codes = page.get_by_role("textbox", name="Recovery codes").input_value().split()
    assert len(codes) == 8
    page.get_by_role("button", name="I have kept them").click()
    expect(card).to_contain_text("8 recovery codes are left")
    sent = {"name": "phone@brand.shop", "password": PASSWORD.reveal()}
    login, headers = f"{site.url}/login", {"Origin": site.url}
    assert httpx.post(login, data=sent, headers=headers).status_code == 401
    assert httpx.post(login, data={**sent, "code": codes[0]}, headers=headers).status_code == 303
    card.get_by_role("button", name="Turn off").click()
    page.get_by_label("A code of the application on your phone, or a recovery code").fill(codes[1])
    page.get_by_role("dialog").get_by_role("button", name="Turn off").click()
    expect(card.get_by_role("button", name="Turn on")).to_be_visible()
    assert httpx.post(login, data=sent, headers=headers).status_code == 303


def test_a_new_password_asks_to_log_in_again(visitor, site, as_user):
    as_user("pass@brand.shop", Policy.VIEWER)
    page = visitor.go("/settings/account")
    page.get_by_label("Current password").fill("not this one at all")
    page.get_by_label("New password").fill("another sentence of words")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    page.get_by_label("Current password").fill(PASSWORD.reveal())
    page.get_by_role("button", name="Change password").click()
    page.wait_for_url("**/login?next=/settings/account")
    sent = {"name": "pass@brand.shop", "password": "another sentence of words"}
    assert httpx.post(f"{site.url}/login", data=sent, headers={"Origin": site.url}).status_code == 303


def test_a_log_out_everywhere_ends_the_other_browser(visitor, site, as_user):
    other = as_user("twice@brand.shop", Policy.VIEWER)
    with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
        mine = log_in(workspace, "twice@brand.shop", PASSWORD, address=None)
    visitor.page.context.add_cookies([{"name": "segue", "value": mine.token.reveal(), "url": site.url}])
    page = visitor.go("/settings/account")
    page.get_by_role("button", name="Log out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?next=/settings/account")
    assert httpx.get(site.url, cookies={"segue": other.token.reveal()}).status_code == 303


def test_a_token_is_made_seen_once_and_revoked(visitor, site):
    page = visitor.go("/settings/tokens")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog", name="New token")
    dialog.get_by_label("Name", exact=True).fill("made in the browser")
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Make token").click()
    token = page.get_by_role("textbox", name="Token", exact=True).input_value()
    page.get_by_role("button", name="Done").click()
    row = page.get_by_role("row").filter(has_text="made in the browser")
    expect(row).to_contain_text("Valid")
    expect(row).to_contain_text("ana")

    def ask():
        return httpx.get(f"{site.url}/api/v1/runs", headers={"Authorization": f"Bearer {token}"}).status_code

    assert ask() == 200
    visitor.go("/settings/tokens")
    assert token not in page.content()
    expect(row.locator("time").last).to_have_text("just now")
    act(page, "made in the browser", "Revoke")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("Revoked")
    assert ask() == 401


def test_a_user_sees_and_makes_own_tokens_alone(visitor, as_user, site):
    site.place.captured("token", "create", "of the workspace", "--scope", "read")
    as_user("own@brand.shop", Policy.VIEWER)
    page = visitor.go("/settings/tokens")
    expect(page.get_by_text("No token yet")).to_be_visible()
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name", exact=True).fill("own token")
    page.get_by_role("checkbox", name="admin:").click()
    page.get_by_role("button", name="Make token").click()
    token = page.get_by_role("textbox", name="Token", exact=True).input_value()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.url}/api/v1/users", headers=headers).status_code == 403
    assert [t["name"] for t in httpx.get(f"{site.url}/api/v1/tokens", headers=headers).json()["items"]] == ["own token"]
