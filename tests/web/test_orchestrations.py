"""Orchestrations, in a browser."""

from __future__ import annotations

import re

import duckdb
from playwright.sync_api import expect

from examples.demo import SENDABLE


def test_one_is_added_and_run_and_the_list_is_its_query(visitor):
    page = visitor.go("/orchestrations")
    page.get_by_role("button", name="Add orchestration").click()
    dialog = page.get_by_role("dialog", name="Add orchestration")
    expect(dialog).to_be_visible()
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("This is needed.").first).to_be_visible()
    for label, choice in (
        ("Object: the query", "Loyalty"),
        ("Destination", "Klaviyo"),
        ("Data template", "Email only"),
    ):
        dialog.get_by_label(re.compile(label)).click()
        page.get_by_role("option", name=choice, exact=True).click()
    dialog.get_by_label("List", exact=True).fill("From the browser")
    dialog.get_by_label("Name", exact=True).fill("Added here")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()

    row = page.get_by_role("row").filter(has_text="Added here")
    expect(row).to_contain_text("Never run")
    page.get_by_role("button", name="Actions: Added here").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(row).to_contain_text(re.compile("Completed"), timeout=60_000)
    with duckdb.connect(str(visitor.site.place.database), read_only=True) as connection:
        sendable = SENDABLE.replace("Merged_Customers", "Customer360")
        wanted = {email for (email,) in connection.execute(sendable).fetchall()}
    assert set(visitor.site.place.admin.emails("From the browser")) == wanted


def test_one_is_edited_copied_and_deleted(visitor):
    page = visitor.go("/orchestrations")

    def act(row: str, action: str) -> None:
        page.get_by_role("button", name=f"Actions: {row}", exact=True).click()
        page.get_by_role("menuitem", name=action).click()

    act("Loyalty to Klaviyo", "Make a copy")
    page.get_by_label("Name of the copy").fill("A copy")
    page.get_by_role("button", name="Copy", exact=True).click()
    row = page.get_by_role("row").filter(has_text="A copy")
    expect(row).to_contain_text("Loyalty")
    act("A copy", "Edit")
    page.get_by_label("List", exact=True).fill("Another list")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Another list")
    act("A copy", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)


def test_the_list_leads_to_the_runs_and_to_the_query(visitor):
    page = visitor.go("/orchestrations")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Customers to Klaviyo", exact=True))
    query = row.get_by_role("link", name="Customers", exact=True)
    expect(query).to_have_attribute("href", re.compile(r"/queries/\w+"))
    row.get_by_role("link", name="Customers to Klaviyo", exact=True).click()
    expect(
        page.get_by_role("region", name="Runs").get_by_role("row").filter(has_text="Customers to Klaviyo").first
    ).to_be_visible()
    expect(page).to_have_url(re.compile(r"/workflows\?orchestration=\w+"))
