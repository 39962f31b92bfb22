"""Queries and their editor, in a browser."""

from __future__ import annotations

import re

import pytest
import yaml
from playwright.sync_api import Page, expect

from segue.services.editing import create, delete, get_configured, list_configured
from segue.services.workspace import open_workspace
from segue.settings import Settings


@pytest.fixture
def editor(visitor):
    """The editor of a fresh copy of the query Loyalty."""
    page = visitor.go("/queries")
    act(page, "Loyalty", "Make a copy")
    name = f"Copy {page.evaluate('crypto.randomUUID()')}"
    page.get_by_label("Name of the copy").fill(name)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_function("window.did_handshake === true")
    expect(page.get_by_label("SQL of the query")).to_be_visible()
    return name


def act(page: Page, row: str, action: str) -> None:
    page.get_by_role("button", name=f"Actions: {row}", exact=True).click()
    page.get_by_role("menuitem", name=action).click()


def write(page: Page, sql: str) -> None:
    page.get_by_label("SQL of the query").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(sql)


def entry(visitor, name):
    settings = Settings.from_env({"SEGUE_HOME": str(visitor.site.place.folder)})
    workspace = open_workspace(settings)
    try:
        return get_configured(workspace, "queries", name).entry
    finally:
        workspace.close()


def test_the_list_is_searched_filtered_and_sorted(visitor):
    page = visitor.go("/queries")
    table = page.get_by_role("region", name="Queries")
    expect(table.get_by_role("link", name="Loyalty", exact=True)).to_be_visible()
    page.get_by_role("searchbox").fill("customers to")
    expect(table.get_by_role("link", name="Customers", exact=True)).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(2)  # with the head
    row = table.get_by_role("row").filter(has_text="Customers")
    expect(row).to_contain_text("Completed")
    page.get_by_role("searchbox").fill("nothing like it")
    expect(table).to_contain_text("Nothing matches")


def test_a_query_is_tried_and_its_rows_and_columns_are_shown(visitor, editor):
    page = visitor.page
    write(page, "SELECT email, city, amperity_id AS external_id, loyalty_tier FROM Customer360 WHERE email IS NOT NULL")
    page.keyboard.press("Control+Enter")
    rows = page.get_by_role("region", name="Rows of the query")
    expect(rows.get_by_role("columnheader")).to_have_text(
        [re.compile(name) for name in ("email", "city", "external_id", "loyalty_tier")]
    )
    expect(page.get_by_text(re.compile(r"First 100 rows in [0-9.]+ s"))).to_be_visible()
    places = page.get_by_role("region", name="Where columns go")
    expect(places.get_by_role("row").filter(has_text="loyalty_tier")).to_contain_text("Custom property")
    expect(places.get_by_role("row").filter(has_text="city")).to_contain_text("Location")
    assert not visitor.too_wide()
    assert visitor.serious() == []


def test_a_mistake_is_marked_where_it_is(visitor, editor):
    page = visitor.page
    write(page, "SELECT email,\n  wrong_name\nFROM Customer360")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="wrong_name")).to_contain_text("line 2")
    expect(page.locator(".sql-mistake")).to_have_text("wrong_name")
    assert visitor.serious() == []


def test_a_draft_is_saved_and_made_active_by_keyboard(visitor, editor):
    page = visitor.page
    write(page, "SELECT email, city FROM Customer360")
    expect(page.get_by_text("Changes that are not saved.")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert entry(visitor, editor)["status"] == "draft"
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Runs use what is shown.")).to_be_visible()
    assert entry(visitor, editor)["sql"] == "SELECT email, city FROM Customer360"
    assert entry(visitor, editor)["status"] == "active"
    write(page, "SELECT email FROM Customer360")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("A draft by")).to_be_visible()
    assert entry(visitor, editor)["sql"] == "SELECT email, city FROM Customer360"
    page.get_by_role("button", name="Discard draft").click()
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_label("SQL of the query")).to_contain_text("city")


def test_names_are_completed_and_a_query_is_laid_out_and_commented(visitor, editor):
    page = visitor.page
    write(page, "SELECT loyalty_t")
    page.keyboard.press("Control+Space")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("loyalty_tier")
    page.keyboard.press("Escape")
    write(page, "select email from Customer360 where city = 'Graz'")
    page.get_by_role("button", name="Format").click()
    expect(page.locator(".cm-line")).to_have_count(5)
    page.keyboard.press("Escape")
    write(page, "SELECT 1")
    page.keyboard.press("Control+/")
    expect(page.get_by_label("SQL of the query")).to_have_text("-- SELECT 1")


def test_the_second_who_opens_a_query_is_told(visitor, editor, browser):
    context = browser.new_context(storage_state=visitor.page.context.storage_state())
    other = context.new_page()
    try:
        other.goto(visitor.page.url)
        told = "ana has this query open too"
        expect(other.get_by_text(told)).to_be_visible()
        expect(visitor.page.get_by_text(told)).to_be_visible()
    finally:
        context.close()


def test_a_new_query_begins_with_a_template(visitor):
    page = visitor.go("/queries")
    page.get_by_role("button", name="New query").click()
    page.get_by_label("Name", exact=True).fill("From a template")
    # Others add databases, and the first by name is offered.
    page.get_by_label("Database", exact=True).click()
    page.get_by_role("option", name="customer360", exact=True).click()
    assert visitor.serious() == []
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("SQL of the query")).to_contain_text("given_name AS first_name")


def test_rows_are_downloaded(visitor):
    page = visitor.go("/queries")
    with page.expect_download() as download:
        act(page, "Loyalty", "Download CSV")
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0] == '"email"'
    assert len(lines) > 100


def test_a_query_that_is_sent_is_not_deleted(visitor):
    page = visitor.go("/queries")
    act(page, "Loyalty", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text='The query "Loyalty" is in use.')).to_be_visible()


def test_names_are_text_whatever_they_hold(visitor):
    evil = '<img src=x onerror="window.hit=1">{{ window.hit = 1 }}`${window.hit=1}`'
    path = visitor.site.place.folder / "evil.yaml"
    query = {"name": evil.replace("$", "$$"), "database": "customer360", "sql": "SELECT email FROM Customer360"}
    text = yaml.safe_dump({"version": 1, "queries": [query]})
    path.write_text(text, encoding="utf-8")
    visitor.site.place.captured("apply", str(path))
    page = visitor.go("/queries")
    expect(page.get_by_role("link", name=evil)).to_be_visible()
    page.get_by_role("link", name=evil).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(evil)
    assert page.evaluate("window.hit") is None


def test_versions_are_compared_and_restored(visitor, editor):
    page = visitor.page
    write(page, "SELECT email FROM Customer360 WHERE city = 'Boston'")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_role("button", name="Versions").click()
    dialog = page.get_by_role("dialog", name="Versions")
    expect(dialog.get_by_role("row").filter(has_text="ana")).to_have_count(2)
    expect(dialog).to_contain_text("No difference")
    page.get_by_role("button", name="Actions: 1", exact=True).click()
    page.get_by_role("menuitem", name="Compare").click()
    difference = dialog.get_by_role("region", name="Difference")
    expect(difference.locator(".new")).to_contain_text("Boston")
    expect(difference.locator(".gone")).to_contain_text("SELECT email AS email FROM Customer360")
    assert visitor.serious() == []
    page.get_by_role("button", name="Actions: 1", exact=True).click()
    page.get_by_role("menuitem", name="Restore").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Changes that are not saved.")).to_be_visible()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Changes that are not saved.")).to_be_hidden()
    assert entry(visitor, editor)["sql"] == "SELECT email AS email FROM Customer360"


def test_the_last_run_of_a_query_leads_to_its_page(visitor):
    page = visitor.go("/queries")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Customers", exact=True))
    row.get_by_role("link", name=re.compile("ago|now")).click()
    expect(page).to_have_url(re.compile(r"/workflows/\w+"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Customers to Klaviyo")


def test_folders_are_a_tree_that_is_walked_renamed_and_dissolved(visitor, editor):
    top = f"Top {editor}"
    page = visitor.go("/queries")
    act(page, editor, "Move to folder")
    page.get_by_role("dialog").get_by_label("Folder", exact=True).fill(f"{top} / Spring")
    page.get_by_role("button", name="Move", exact=True).click()
    tree = page.get_by_role("navigation", name="Folders")
    expect(tree.get_by_role("link", name=f"{top} 1", exact=True)).to_be_visible()
    opener = tree.get_by_role("button", name=f"Folders in {top}", exact=True)
    inner = tree.get_by_role("link", name="Spring 1", exact=True)
    expect(inner).to_be_visible()
    opener.press("Enter")
    expect(inner).to_be_hidden()
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.press("Space")
    inner.press("Enter")
    expect(page.get_by_role("navigation", name="Folder", exact=True).get_by_text("Spring")).to_be_visible()
    page.wait_for_function("window.did_handshake === true")
    expect(page.get_by_role("link", name=editor, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Customers", exact=True)).to_have_count(0)
    assert visitor.serious() == []

    page.get_by_role("button", name=f"Actions: folder {top}/Spring").click()
    page.get_by_role("menuitem", name="Rename folder").click()
    page.get_by_role("dialog").get_by_label("Folder", exact=True).fill(f"{top}/Summer")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("navigation", name="Folder", exact=True).get_by_text("Summer")).to_be_visible()
    assert entry(visitor, editor)["folder"] == f"{top}/Summer"

    page.wait_for_function("window.did_handshake === true")
    page.get_by_role("button", name=f"Actions: folder {top}/Summer").click()
    page.get_by_role("menuitem", name="Delete folder").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    place = page.get_by_role("navigation", name="Folder", exact=True)
    expect(place.get_by_text("Summer")).to_have_count(0)
    expect(place.get_by_text(top)).to_be_visible()
    assert entry(visitor, editor)["folder"] == top


def test_on_a_phone_the_folder_is_chosen_from_a_list(visitor, editor):
    page = visitor.go("/queries")
    act(page, editor, "Move to folder")
    page.get_by_role("dialog").get_by_label("Folder", exact=True).fill(f"Phone {editor}")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("link", name=f"Phone {editor} 1", exact=True)).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    visitor.go("/queries")
    expect(page.get_by_role("navigation", name="Folders")).to_be_hidden()
    page.get_by_role("combobox", name="Folder").click()
    page.get_by_role("option", name=f"Phone {editor} (1)").click()
    expect(page).to_have_url(re.compile("folder=Phone"))
    expect(page.get_by_role("link", name=editor, exact=True)).to_be_visible()
    assert not visitor.too_wide()


def test_a_query_is_moved_to_a_folder(visitor, editor):
    page = visitor.go("/queries")
    act(page, editor, "Move to folder")
    page.get_by_role("dialog").get_by_label("Folder", exact=True).fill("Weekly sends")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=editor)).to_contain_text("Weekly sends")
    assert entry(visitor, editor)["folder"] == "Weekly sends"


def test_of_many_the_first_come_with_the_page_and_all_are_counted_paged_and_found(small_visitor):
    site = small_visitor.site
    names = [f"Bulk {number:03}" for number in range(130)]
    with site.opened() as workspace:
        for name in names:
            create(workspace, "queries", {"name": name, "database": "small", "sql": "SELECT 1 AS one"})
        total = len(list_configured(workspace, "queries"))
    try:
        page = small_visitor.go("/queries")
        expect(page.get_by_role("status").filter(has_text=re.compile(rf"^\s*{total}\s*$"))).to_be_visible()
        expect(page.get_by_text(f"Page 1 of {-(-total // 50)}", exact=True)).to_be_visible()
        page.get_by_role("searchbox").fill("bulk 129")
        expect(page.get_by_role("link", name="Bulk 129", exact=True)).to_be_visible()
    finally:
        with site.opened() as workspace:
            for name in names:
                delete(workspace, "queries", name, tag=None)
