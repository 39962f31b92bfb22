"""The frame of every page."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from segue.web.pages import PAGES

ADDRESSES = [page.address for page in PAGES]


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_fits_and_axe_finds_nothing_serious(visitor, path):
    page = visitor.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visitor.go(path)
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
    for width, theme in ((1280, "light"), (1920, "dark"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 850})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert not visitor.too_wide(), width
        if width != 1920:
            assert visitor.serious() == [], (width, theme)


def test_the_navigation_says_where_one_is(visitor):
    page = visitor.go("/")
    navigation = page.get_by_role("navigation", name="Main")
    assert navigation.locator("[aria-current=page]").inner_text().endswith("Home")
    for href in [link.get_attribute("href") for link in navigation.get_by_role("link").all()]:
        assert page.request.get(visitor.site.url + href).status == 200


def test_the_navigation_of_a_phone_opens_and_closes_by_keyboard(visitor):
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.go("/")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    opener = page.get_by_role("button", name="Navigation")
    opener.press("Enter")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_first_tab_stop_skips_the_navigation(visitor):
    page = visitor.go("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_the_theme_is_the_systems_until_one_is_chosen(visitor):
    visitor.page.emulate_media(color_scheme="light")
    page = visitor.go("/")
    shade = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(shade)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{shade} !== '{light}'")
    dark = page.evaluate(shade)
    page.get_by_role("button", name="Light or dark").click()
    page.get_by_text("Light", exact=True).click()
    page.wait_for_function(f"{shade} === '{light}'")
    visitor.go("/")
    assert page.evaluate(shade) == light != dark
    assert page.evaluate("document.body.classList.contains('body--light')")


def test_moments_are_relative_and_exact_in_the_zone_of_the_reader(visitor):
    page = visitor.go("/")
    moment = page.get_by_role("main").locator("time").first
    expect(moment).to_have_text(re.compile(r"just now|ago"))
    assert re.search(r"GMT\+[12]|CES?T", moment.get_attribute("title") or "")


def test_the_drawer_tells_the_recent_activity(visitor):
    page = visitor.go("/")
    bell = page.get_by_role("button", name=re.compile("Recent activity"))
    bell.click()
    drawer = page.get_by_role("complementary", name="Recent activity")
    # Other tests run orchestrations of the same workspace, so its place in the drawer says nothing.
    expect(drawer.get_by_role("listitem").filter(has_text="Customers to Klaviyo").first).to_be_visible()
    assert visitor.serious() == []
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(bell).to_be_focused()


def test_an_address_without_a_page_says_so(visitor):
    answer = visitor.page.goto(visitor.site.url + "/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(visitor.page.get_by_text("There is nothing here")).to_be_visible()
    visitor.complaints = [text for text in visitor.complaints if "404" not in text]


def test_the_api_is_where_it_was(site):
    assert httpx.get(f"{site.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{site.url}/api/v1/runs").status_code == 401
    wrong = httpx.get(f"{site.url}/api/v1/nothing", headers={"Authorization": "Bearer x"})
    assert wrong.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ADDRESSES)
def test_the_first_answer_has_the_whole_page(site, path):
    answer = httpx.get(site.url + path, cookies=site.cookies)
    # What comes later comes over the websocket, and makes the page jump.
    assert answer.status_code == 200
    assert "heading-text" in answer.text
