"""From an empty workspace to a list that is its query, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from examples.sandbox import KEY, sandbox
from tests.web.browser import logged_in, web_app
from tests.web.conftest import ROOT, Site, Visitor

SQL = "SELECT email, city, loyalty_tier FROM Customer360 WHERE email LIKE '%@shop-mail.test'"


@pytest.fixture
def newcomer(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Visitor]:
    """The first administrator of a workspace in which nothing is configured yet."""
    folder = tmp_path_factory.mktemp("empty") / "workspace"
    unused = ROOT / "examples" / "segue.yaml"
    with sandbox(folder, rows=200, configuration=unused, limit_scale=0) as place, web_app(place) as url:
        site = Site(place=place, url=url, cookies=logged_in(place))
        context = browser.new_context(viewport={"width": 1280, "height": 850})
        context.add_cookies([{"name": n, "value": v, "url": url} for n, v in site.cookies.items()])
        visitor = Visitor(site, context.new_page())
        yield visitor
        context.close()
        assert visitor.complaints == []


def choose(page: Page, label: str, choice: str) -> None:
    page.get_by_role("dialog").get_by_label(label, exact=True).click()
    page.get_by_role("option", name=choice, exact=True).click()


def save(page: Page, button: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=button, exact=True).click()


def next_step(visitor: Visitor, title: str) -> Page:
    """Follow the step that the first page names as the next one."""
    page = visitor.go("/")
    expect(page.locator(".step.next")).to_contain_text(title)
    page.locator(".step.next").get_by_role("link").click()
    page.wait_for_function("window.did_handshake === true")
    return page


def test_the_first_steps_lead_to_a_list_that_is_its_query(newcomer):
    place = newcomer.site.place
    page = next_step(newcomer, "Connect a database")
    page.get_by_role("button", name="Add database").click()
    page.get_by_label("Name", exact=True).fill("customer360")
    page.get_by_label("Path").fill(place.database.name)
    save(page, "Check and save")
    expect(page.get_by_role("region", name="customer360", exact=True)).to_contain_text("3 tables", timeout=20_000)

    page = newcomer.go("/queries")
    page.get_by_role("button", name="New query").click()
    page.get_by_label("Name", exact=True).fill("Shop mail")
    save(page, "Create")
    expect(page.get_by_role("heading", level=1)).to_have_text("Shop mail")
    page.wait_for_function("window.did_handshake === true")
    page.get_by_label("SQL of the query").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SQL)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Rows of the query")).to_contain_text("@shop-mail.test", timeout=20_000)
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Runs use what is shown.")).to_be_visible(timeout=20_000)

    page = next_step(newcomer, "Add a credential")
    page.get_by_role("button", name="Add destination").click()
    dialog = page.get_by_role("dialog", name="Add destination")
    dialog.get_by_label("Name of the credential").fill("klaviyo")
    dialog.get_by_label("API key").fill(KEY)
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label("Address").fill(place.url)
    dialog.get_by_label("Name", exact=True).fill("Klaviyo")
    save(page, "Check and save")
    template = page.get_by_role("dialog", name="Add data template")
    template.get_by_label("Name", exact=True).fill("Full profile")
    template.get_by_label("List name").fill("Shop mail")
    template.get_by_role("checkbox", name="Update contacts with every column").click()
    save(page, "Save")
    expect(page.get_by_role("region", name="Klaviyo", exact=True)).to_contain_text("Shop mail")

    page = next_step(newcomer, "Add an orchestration")
    page.get_by_role("button", name="Add orchestration").click()
    # The only destination and its only template are chosen already, and a name is offered.
    choose(page, "Object: the query to send", "Shop mail")
    expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_have_value("Shop mail to Klaviyo")
    save(page, "Save")
    page.get_by_role("button", name="Actions: Shop mail to Klaviyo").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    row = page.get_by_role("row").filter(has_text="Shop mail to Klaviyo")
    expect(row).to_contain_text(re.compile("Completed"), timeout=60_000)

    with duckdb.connect(str(place.database), read_only=True) as connection:
        wanted = {email for (email, *_) in connection.execute(SQL).fetchall()}
    assert set(place.admin.emails("Shop mail")) == wanted != set()
    page = newcomer.go("/")
    expect(page.get_by_role("heading", name="First steps")).to_have_count(0)
