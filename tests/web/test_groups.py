"""Groups of orchestrations, in a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Locator, Page, expect

from examples.demo import SENDABLE
from segue.services.editing import create, delete, get_configured, list_configured
from segue.services.permissions import Policy
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.web.browser import logged_in_as


@pytest.fixture
def unique(visitor) -> str:
    """A word that no other test has."""
    return str(visitor.page.evaluate("Math.random().toString(36).slice(2)"))


def workspace_of(visitor):
    return closing(open_workspace(Settings.from_env(visitor.site.place.variables)))


def made(visitor, name: str, **changes: object) -> str:
    """An orchestration of its own, so that no other test runs it."""
    with workspace_of(visitor) as workspace:
        entry = get_configured(workspace, "orchestrations", "Loyalty to Klaviyo").entry
        create(workspace, "orchestrations", {**entry, "name": name, "settings": {"list_name": name}, **changes})
    return name


def group(visitor, name: str) -> Mapping[str, Any]:
    with workspace_of(visitor) as workspace:
        return {thing.name: thing.entry for thing in list_configured(workspace, "orchestration_groups")}[name]


def typed(field: Locator, text: str) -> None:
    """Key by key, as a person does it who has just seen the field appear."""
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text, delay=20)
    expect(field).to_have_value(text)


def choose(page: Page, place: Locator, label: str | re.Pattern[str], choice: str) -> None:
    place.get_by_label(label, exact=True).click()
    option = page.get_by_role("option", name=choice, exact=True)
    if not option.is_visible():
        # What there is to choose from may come after the field: then it is opened once more.
        page.wait_for_timeout(1000)
    if not option.is_visible():
        page.keyboard.press("Escape")
        place.get_by_label(label, exact=True).click()
    option.click()


def test_one_is_added_with_members_in_order_and_a_schedule_in_words_and_is_run(visitor, unique):
    first, second = made(visitor, f"First {unique}"), made(visitor, f"Second {unique}")
    name = f"Nightly {unique}"
    page = visitor.go("/groups")
    page.get_by_role("button", name="Add group").click()
    dialog = page.get_by_role("dialog", name="Add group")
    dialog.get_by_label("Name", exact=True).fill(name)
    choose(page, dialog, "Orchestration 1", first)
    dialog.get_by_role("button", name="Add member").click()
    choose(page, dialog, "Orchestration 2", second)
    choose(page, dialog, "After (2)", first)
    page.keyboard.press("Escape")
    dialog.get_by_role("checkbox", name="On a schedule").click()
    typed(dialog.get_by_label("Schedule (cron)"), "0 6 * *")
    expect(dialog).to_contain_text("Takes five fields")
    typed(dialog.get_by_label("Schedule (cron)"), "30 2 1 1 *")
    # The zone is the browser's own.
    expect(dialog.get_by_role("status")).to_contain_text("(Europe/Vienna)")
    expect(dialog.get_by_role("status").get_by_role("listitem")).to_have_count(5)
    expect(dialog.get_by_role("status").get_by_role("listitem").first).to_contain_text("1 Jan")
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    saved = group(visitor, name)
    assert saved["members"] == [{"orchestration": first}, {"orchestration": second, "after": [first]}]
    assert saved["schedule"] == {"cron": "30 2 1 1 *", "timezone": "Europe/Vienna", "missed": "run_once"}

    card = page.get_by_role("region", name=name, exact=True)
    card.get_by_role("button", name="Run now").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(card.get_by_role("row").filter(has_text=first).first).to_contain_text(
        re.compile("Completed"), timeout=60_000
    )
    with duckdb.connect(str(visitor.site.place.database), read_only=True) as connection:
        sendable = SENDABLE.replace("Merged_Customers", "Customer360")
        wanted = {email for (email,) in connection.execute(sendable).fetchall()}
    assert set(visitor.site.place.admin.emails(first)) == wanted


def test_one_is_disabled_edited_and_deleted(visitor, unique):
    name, member = f"Weekly {unique}", made(visitor, f"Weekly one {unique}")
    with workspace_of(visitor) as workspace:
        create(workspace, "orchestration_groups", {"name": name, "members": [{"orchestration": member}]})
    page = visitor.go("/groups")
    card = page.get_by_role("region", name=name, exact=True)

    def act(action: str) -> None:
        page.get_by_role("button", name=f"Actions: {name}").click()
        page.get_by_role("menuitem", name=action).click()

    act("Disable")
    expect(card).to_contain_text("Disabled")
    act("Edit")
    dialog = page.get_by_role("dialog", name="Edit group")
    dialog.get_by_role("checkbox", name="After an upstream signal").click()
    dialog.get_by_label("Name of the signal").fill("warehouse")
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label("Wait before it starts").fill("soon")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("duration")
    dialog.get_by_label("Wait before it starts").fill("600s")
    dialog.get_by_role("button", name="Save").click()
    expect(card).to_contain_text('After the signal "warehouse"')
    expect(card).to_contain_text("10m later")
    act("Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(card).to_have_count(0)


def test_an_automatic_orchestration_is_added_with_its_group(visitor, unique):
    page = visitor.go("/orchestrations")
    page.get_by_role("button", name="Add orchestration").click()
    dialog = page.get_by_role("dialog", name="Add orchestration")
    choose(page, dialog, "Object type", "Table: a database export")
    choose(page, dialog, "Object: the table to send", "Customer360")
    choose(page, dialog, "Destination", "Klaviyo")
    choose(page, dialog, "Data template: how columns go there", "Email only")
    dialog.get_by_label("Name", exact=True).fill(f"Table {unique}")
    dialog.get_by_label("List", exact=True).fill(f"Table {unique}")
    dialog.get_by_text("Automatic: a group runs it").click()
    choose(page, dialog, "Group", "A new group")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("This is needed.").first).to_be_visible()
    dialog.get_by_label("Name of the group").fill(f"Group {unique}")
    dialog.get_by_label("Schedule (cron)").fill("0 0 1 1 *")
    assert visitor.serious() == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("row").filter(has_text=f"Table {unique}")).to_contain_text(f"automatic: Group {unique}")
    assert group(visitor, f"Group {unique}")["members"] == [{"orchestration": f"Table {unique}"}]
    with workspace_of(visitor) as workspace:
        entry = get_configured(workspace, "orchestrations", f"Table {unique}").entry
        assert get_configured(workspace, "queries", entry["query"]).entry["sql"] == 'SELECT * FROM "Customer360"'


def test_a_destination_for_administrators_is_not_offered_to_an_activator(visitor, unique):
    with workspace_of(visitor) as workspace:
        entry = get_configured(workspace, "destinations", "Klaviyo").entry
        create(workspace, "destinations", {**entry, "name": f"Secret {unique}", "admin_only": True})
        create(
            workspace,
            "data_templates",
            {"name": f"T {unique}", "destination": f"Secret {unique}", "list_name": f"L {unique}"},
        )

    def offered(page: Page) -> list[str]:
        page.get_by_role("button", name="Add orchestration").click()
        page.get_by_role("dialog", name="Add orchestration").get_by_label("Destination", exact=True).click()
        expect(page.get_by_role("option", name="Klaviyo", exact=True)).to_be_visible()
        return page.get_by_role("option").all_inner_texts()

    assert f"Secret {unique}" in offered(visitor.go("/orchestrations"))
    cookies = logged_in_as(visitor.site.place, Policy.ACTIVATOR)
    visitor.page.context.clear_cookies()
    visitor.page.context.add_cookies([{"name": n, "value": v, "url": visitor.site.url} for n, v in cookies.items()])
    page = visitor.go("/orchestrations")
    assert f"Secret {unique}" not in offered(page)
    page = visitor.go("/destinations")
    expect(page.get_by_role("region", name=f"Secret {unique}", exact=True)).to_contain_text("Admin only")
    expect(page.get_by_role("button", name="Add destination")).to_have_count(0)


def test_of_many_groups_the_members_are_behind_a_line_and_the_others_behind_a_search(small_visitor):
    site = small_visitor.site
    site.orchestration("Fold", ["f@mail.shop"])
    names = [f"Fold {number}" for number in range(11)]
    with site.opened() as workspace:
        for name in names:
            create(workspace, "orchestration_groups", {"name": name, "members": [{"orchestration": "Fold"}]})
    try:
        page = small_visitor.go("/groups")
        found = page.get_by_role("region", name=re.compile("^Fold [0-9]+$"))
        expect(found).to_have_count(10)
        page.get_by_role("button", name="Show more groups (1)").click()
        expect(found).to_have_count(11)
        page.get_by_label("Search groups by name").fill("fold 3")
        expect(found).to_have_count(1)
        card = page.get_by_role("region", name="Fold 3", exact=True)
        expect(card.get_by_role("link", name="Fold", exact=True)).to_have_count(0)
        card.get_by_text("1 member", exact=True).click()
        expect(card.get_by_role("link", name="Fold", exact=True)).to_be_visible()
        card.get_by_role("button", name="Actions: Fold 3").click()
        page.get_by_role("menuitem", name="Disable").click()
        expect(card.get_by_text("Disabled", exact=True)).to_be_visible()
        expect(card.get_by_role("link", name="Fold", exact=True)).to_be_visible()
    finally:
        with site.opened() as workspace:
            for name in names:
                delete(workspace, "orchestration_groups", name, tag=None)
