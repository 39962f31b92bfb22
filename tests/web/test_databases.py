"""Databases and the data explorer, in a browser."""

from __future__ import annotations

import duckdb
import pytest
from playwright.sync_api import expect

from segue.services.permissions import Option, Policy
from tests.web.browser import logged_in_as


@pytest.fixture
def unique(visitor) -> str:
    """A word that no other test has."""
    return str(visitor.page.evaluate("Math.random().toString(36).slice(2)"))


def test_one_is_added_when_it_can_be_read_and_its_tables_are_explored(visitor, unique, tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE Members AS SELECT i AS id, CASE WHEN i < 3 THEN 'gold' END AS tier FROM range(4) t(i)"
        )
    page = visitor.go("/databases")
    page.get_by_role("button", name="Add database").click()
    dialog = page.get_by_role("dialog", name="Add database")
    dialog.get_by_label("Name", exact=True).fill(f"Shop {unique}")
    dialog.get_by_label("Path").fill(str(tmp_path / "none.duckdb"))
    dialog.get_by_role("button", name="Check and save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is not there")
    expect(dialog).to_contain_text("Nothing was saved.")
    assert visitor.serious() == []
    dialog.get_by_label("Path").fill(str(path))
    dialog.get_by_role("button", name="Check and save").click()
    expect(dialog).to_be_hidden(timeout=20_000)
    card = page.get_by_role("region", name=f"Shop {unique}", exact=True)
    expect(card).to_contain_text("1 table", timeout=20_000)

    card.get_by_role("link", name="Explore").click()
    table = page.get_by_role("region", name="Columns of Members")
    # Three of four rows have a tier, of one value.
    row = table.get_by_role("row").filter(has_text="tier")
    expect(row.get_by_role("cell")).to_have_text(["tier", "VARCHAR", "75", "33.3", "1", "gold"], timeout=20_000)
    expect(page.get_by_text("4 rows", exact=True)).to_be_visible()
    assert visitor.serious() == []


def test_a_database_that_queries_read_is_not_deleted(visitor):
    page = visitor.go("/databases")
    page.get_by_role("button", name="Actions: customer360", exact=True).click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog", name="It is in use")).to_contain_text('the query "Loyalty"')


def test_who_sees_no_personal_data_sees_no_email_of_the_explorer(visitor):
    cookies = logged_in_as(visitor.site.place, Policy.ACTIVATOR, Option.RESTRICT_PII)
    visitor.page.context.clear_cookies()
    visitor.page.context.add_cookies([{"name": n, "value": v, "url": visitor.site.url} for n, v in cookies.items()])
    page = visitor.go("/databases/customer360?table=Customer360")
    row = (
        page.get_by_role("region", name="Columns of Customer360")
        .get_by_role("row")
        .filter(has=page.get_by_role("cell", name="email", exact=True))
    )
    expect(row).to_contain_text("****", timeout=20_000)
    assert "@" not in page.get_by_role("main").inner_text()
