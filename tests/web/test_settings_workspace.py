"""Alerts, limits, the activity log and what is installed, in a browser."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from segue.services.audit import note
from segue.services.budgets import BudgetEntry, set_budget
from segue.services.limits import account_limits
from segue.services.links import password_link, redeem_link
from segue.services.login import log_in
from segue.services.permissions import Policy
from segue.services.retention import Retention, retention, retention_entry, set_retention
from segue.services.users import create_user
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.alerts.receivers import web_server
from tests.web.browser import PASSWORD, logged_in_as
from tests.web.conftest import visiting


@pytest.fixture
def workspace(site):
    with closing(open_workspace(Settings.from_env(site.place.variables))) as opened:
        yield opened


def act(page, row, action):
    page.get_by_role("button", name=f"Actions: {row}", exact=True).click()
    page.get_by_role("menuitem", name=action).click()


def test_an_alert_is_added_tested_changed_and_deleted(visitor):
    with web_server() as receiver:
        page = visitor.go("/settings/alerts")
        page.get_by_role("button", name="Add alert").click()
        dialog = page.get_by_role("dialog", name="Add alert")
        dialog.get_by_label("Name", exact=True).fill("Marketing team")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_text("This is needed.")).to_be_visible()
        dialog.get_by_label("Address").fill("nowhere")
        dialog.get_by_label("Under so many rows").fill("a few")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_text("Takes a whole number.")).to_be_visible()
        dialog.get_by_label("Under so many rows").fill("1000")
        dialog.get_by_label("A run takes longer than").fill("soon")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("longer_than")
        expect(dialog.get_by_role("alert")).not_to_contain_text("nowhere")
        assert visitor.serious() == []
        dialog.get_by_label("A run takes longer than").fill("2h")
        dialog.get_by_label("Rows move by more than").fill("30")
        dialog.get_by_label("Address").fill(receiver.url)
        dialog.get_by_role("button", name="Save").click()
        row = page.get_by_role("row").filter(has_text="Marketing team")
        expect(row).to_contain_text(
            "a run takes longer than 2h, under 1,000 rows or the row count moves by more than 30 %"
        )
        expect(row).to_contain_text("every orchestration")

        act(page, "Marketing team", "Send a test")
        expect(page.get_by_role("dialog")).to_contain_text("It was sent")
        assert receiver.titles == ["Segue: test"]
        page.get_by_role("button", name="Close").last.click()

        act(page, "Marketing team", "Edit")
        dialog = page.get_by_role("dialog", name="Edit alert")
        expect(dialog.get_by_label("Rows move by more than")).to_have_value("30")
        expect(dialog.get_by_label("Address")).to_have_value("")
        dialog.get_by_label("Rows move by more than").fill("")
        dialog.get_by_label("Under so many rows").fill("")
        dialog.get_by_role("checkbox", name="A run fails").click()
        expect(dialog.get_by_role("checkbox", name="A run fails")).not_to_be_checked()
        dialog.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("a run succeeds after one that failed, a run takes longer than 2h")
    act(page, "Marketing team", "Send a test")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("could not be sent")
    page.get_by_role("button", name="Close").last.click()
    act(page, "Marketing team", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)


def test_limits_are_those_of_the_account_with_what_is_left(visitor):
    visitor.site.place.captured("run", "Customers to Klaviyo", "--yes")
    page = visitor.go("/settings/limits")
    card = page.locator("section").filter(has=page.get_by_role("heading", name="Account"))
    expect(card).to_contain_text("of 150 new lists left in 24 hours")
    # Klaviyo's published numbers for this endpoint: 10 a second, 150 a minute.
    row = card.get_by_role("row").filter(has=page.get_by_role("cell", name="POST /api/lists", exact=True))
    expect(row.get_by_role("cell").nth(1)).to_have_text("10")
    expect(row.get_by_role("cell").nth(2)).to_have_text("150")
    environment = page.get_by_role("region", name="Limits of the environment")
    kept = environment.get_by_role("row").filter(has_text="SEGUE_QUERY_SECONDS")
    expect(kept).to_contain_text("30 minutes")
    expect(kept).to_contain_text("default")


def test_the_budget_of_an_account_is_set_and_counts(visitor, site, browser, workspace):
    visitor.site.place.captured("run", "Customers to Klaviyo", "--yes")
    page = visitor.go("/settings/limits")
    page.get_by_role("button", name="Edit budget of account").first.click()
    dialog = page.get_by_role("dialog", name="Budget of account")
    dialog.get_by_label("Share of the windows").fill("500")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("share")
    dialog.get_by_label("Share of the windows").fill("50")
    dialog.get_by_label("New lists a day").fill("100")
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Save").click()
    card = page.locator("section").filter(has=page.get_by_role("button", name="Edit budget of account")).first
    expect(card).to_contain_text("at most 50 % of this account's windows and make 100 new lists a day")
    expect(card).to_contain_text("of 100 new lists left in 24 hours")
    # Half of Klaviyo's 10 a second and 150 a minute.
    row = card.get_by_role("row").filter(has=page.get_by_role("cell", name="POST /api/lists", exact=True))
    expect(row.get_by_role("cell").nth(1)).to_have_text("5")
    expect(row.get_by_role("cell").nth(2)).to_have_text("75")
    with visiting(site, browser, logged_in_as(site.place, Policy.OPERATOR)) as other:
        page = other.go("/settings/limits")
        expect(page.get_by_role("main")).to_contain_text("at most 50 % of this account's windows")
        expect(page.get_by_role("button", name="Edit budget")).to_have_count(0)
    for limits in account_limits(workspace):
        set_budget(workspace, limits.account, BudgetEntry(), tag=None)


def test_how_long_things_are_kept_is_looked_at_and_then_set(visitor, workspace, site):
    page = visitor.go("/settings/retention")
    field = page.get_by_label("People's data: how long")
    expect(page.get_by_role("main")).to_contain_text("Empty: 90 days")
    field.fill("sometimes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("duration")
    field.fill("1s")
    page.get_by_role("button", name="See what would go").click()
    gone = page.get_by_role("region", name="What would go").get_by_role("row").filter(has_text="Folders of runs")
    expect(gone).to_be_visible()
    assert visitor.serious() == []
    folders = sorted((Path(site.place.variables["SEGUE_HOME"]) / "runs").iterdir())
    assert folders  # looking removes nothing
    field.fill("300d")
    page.get_by_label("People's data: at most of so many runs").fill("500")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("It counts from the next collection on.")).to_be_visible()
    found = retention(workspace, Settings())
    assert (found.keep_payloads, found.most_payloads) == (300 * 86400, 500)
    visitor.go("/settings/retention")
    expect(field).to_have_value("300d")
    set_retention(workspace, retention_entry({"keep_payloads": "200d"}), tag=None)  # somebody else, meanwhile
    field.fill("20d")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed meanwhile")).to_be_visible()
    assert retention(workspace, Settings()).keep_payloads == 200 * 86400
    visitor.go("/settings/retention")
    expect(field).to_have_value("200d")
    field.fill("")
    page.get_by_label("People's data: at most of so many runs").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("It counts from the next collection on.")).to_be_visible()
    assert retention(workspace, Settings()) == Retention.of(Settings())


def test_who_may_not_set_it_sees_what_counts(site, browser):
    with visiting(site, browser, logged_in_as(site.place, Policy.VIEWER)) as visitor:
        page = visitor.go("/settings/retention")
        expect(page.get_by_role("main")).to_contain_text("365 days")
        expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)


def test_the_activity_log_is_searched_filtered_and_paged_by_the_server(visitor, workspace):
    for number in range(120):
        note(workspace, "signal.send", f"upstream {number}", after={"loaded": number})
    note(workspace, "signal.send", "downstream", after={"loaded": 0})  # above the others until they are searched
    page = visitor.go("/settings/activity")
    table = page.get_by_role("region", name="Activity log")
    expect(table.get_by_role("row")).to_have_count(101)
    page.get_by_role("searchbox").fill("upstream")
    expect(table.get_by_role("row").nth(1)).to_contain_text("upstream 119")
    page.get_by_role("button", name="Show more").click()
    expect(table.get_by_role("row")).to_have_count(121)
    expect(table.get_by_role("row").last).to_contain_text("upstream 0")
    page.get_by_role("searchbox").fill("upstream 7")
    expect(table.get_by_role("row")).to_have_count(12)  # 7 and 70 to 79, and the head
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Kind").select_option("user")
    expect(table.get_by_role("row").nth(1)).to_contain_text("user.")
    assert "upstream" not in table.inner_text()


def test_a_line_of_the_log_says_what_changed(visitor, workspace):
    note(workspace, "query.update", "Told here", before={"sql": "SELECT 1"}, after={"sql": "SELECT 2"})
    page = visitor.go("/settings/activity")
    page.get_by_role("searchbox").fill("Told here")
    row = page.get_by_role("row").filter(has_text="Told here")
    expect(row).to_contain_text("sql: SELECT 1 → SELECT 2")
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name="Details").click()
    changed = page.get_by_role("dialog").get_by_role("row").filter(has_text="sql")
    expect(changed).to_contain_text("SELECT 1")
    expect(changed).to_contain_text("SELECT 2")
    assert visitor.serious() == []


def test_the_activity_log_is_exported_whole(visitor, site, workspace):
    note(workspace, "query.update", "=HYPERLINK(1)", after={"sql": "SELECT 3"})
    page = visitor.go("/settings/activity")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export CSV").click()
    text = waiting.value.path().read_text(encoding="utf-8")
    found = [row for row in csv.DictReader(io.StringIO(text)) if row["subject"] == "'=HYPERLINK(1)"]
    assert [json.loads(row["after"]) for row in found] == [{"sql": "SELECT 3"}]
    answer = httpx.get(f"{site.url}/settings/activity.ndjson", cookies=site.cookies)
    assert answer.headers["content-disposition"] == 'attachment; filename="activity-log.ndjson"'
    actions = [json.loads(line)["action"] for line in answer.text.splitlines()]
    assert actions.count("audit.export") >= 2  # this one, and the one before
    assert httpx.get(f"{site.url}/settings/activity.exe", cookies=site.cookies).status_code == 404


def test_the_export_is_for_those_who_may_read_the_log(site, workspace):
    create_user(workspace, "operator@brand.shop", Policy.OPERATOR)
    redeem_link(workspace, password_link(workspace, "operator@brand.shop").token, PASSWORD)
    made = log_in(workspace, "operator@brand.shop", PASSWORD, address=None)
    answer = httpx.get(f"{site.url}/settings/activity.csv", cookies={"segue": made.token.reveal()})
    assert (answer.status_code, "ana" in answer.text) == (403, False)
    assert httpx.get(f"{site.url}/settings/activity.csv").status_code == 303


def test_what_is_installed_is_told(visitor, site):
    page = visitor.go("/settings/about")
    main = page.get_by_role("main")
    for text in (importlib.metadata.version("segue"), "Apache-2.0", "SQLite", site.place.variables["SEGUE_HOME"]):
        expect(main).to_contain_text(text)
    for link in main.get_by_role("link").all():
        if (address := link.get_attribute("href") or "").startswith("/api"):
            assert httpx.get(site.url + address).status_code == 200
