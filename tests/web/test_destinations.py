"""Destinations and data templates, in a browser."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from examples.sandbox import KEY
from segue.services.connections import check_connection
from segue.services.editing import create, list_configured
from segue.services.workspace import open_workspace
from segue.settings import Settings


@pytest.fixture
def unique(visitor) -> str:
    """A word that no other test has."""
    return str(visitor.page.evaluate("Math.random().toString(36).slice(2)"))


def configured(visitor, kind):
    with closing(open_workspace(Settings.from_env(visitor.site.place.variables))) as workspace:
        return {thing.name: thing.entry for thing in list_configured(workspace, kind)}


def choose(page: Page, dialog: Locator, label: str, choice: str) -> None:
    dialog.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=choice, exact=True).click()


def fill_destination(page: Page, url: str, *, name: str, key: str) -> Locator:
    page.get_by_role("button", name="Add destination").click()
    dialog = page.get_by_role("dialog", name="Add destination")
    choose(page, dialog, "Credential", "A new credential")
    dialog.get_by_label("Name of the credential").fill(f"key of {name}")
    dialog.get_by_label("API key").fill(key)
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label("Address").fill(url)
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_role("button", name="Check and save").click()
    return dialog


def test_one_is_added_with_its_credential_and_a_data_template(visitor, unique):
    page = visitor.go("/destinations")
    name = f"Shop {unique}"
    dialog = fill_destination(page, visitor.site.place.url, name=name, key=KEY)
    expect(dialog).to_be_hidden()
    assert configured(visitor, "destinations")[name]["credential"] == f"key of {name}"
    assert KEY not in page.content()

    template = page.get_by_role("dialog", name="Add data template")
    expect(template).to_be_visible()
    # The lists of the account are offered as soon as it has named them.
    expect(template.locator("datalist option[value=Customers]")).to_be_attached()
    assert visitor.serious() == []
    template.get_by_role("button", name="Save").click()
    expect(template.get_by_text("This is needed.").first).to_be_visible()
    template.get_by_label("Name", exact=True).fill(f"Full {unique}")
    template.get_by_label("List name").fill(f"List {unique}")
    template.get_by_role("checkbox", name="Update contacts with every column").click()
    template.get_by_text("Fuses", exact=False).click()
    template.get_by_label("Stop when more members leave than").fill("half")
    template.get_by_role("button", name="Save").click()
    expect(template.get_by_text("Takes a percentage, such as 30.")).to_be_visible()
    template.get_by_label("Stop when more members leave than").fill("50")
    template.get_by_role("button", name="Save").click()
    expect(template).to_be_hidden()
    assert configured(visitor, "data_templates")[f"Full {unique}"] == {
        "name": f"Full {unique}",
        "destination": name,
        "list_name": f"List {unique}",
        "use_full_profile": True,
        "max_remove_share": 0.5,
    }
    expect(page.get_by_role("region", name=name, exact=True)).to_contain_text("Full profile")


def test_a_failed_connection_says_why_and_saves_nothing(visitor, unique):
    page = visitor.go("/destinations")
    before = configured(visitor, "credentials"), configured(visitor, "destinations")
    dialog = fill_destination(page, visitor.site.place.url, name=f"Wrong {unique}", key="pk_wrong_0123456789")
    problem = dialog.get_by_role("alert")
    expect(problem).to_contain_text("key")
    expect(problem.get_by_role("listitem").first).to_be_visible()
    expect(dialog).to_contain_text("Nothing was saved.")
    assert "pk_wrong" not in problem.inner_text()
    assert visitor.serious() == []
    assert (configured(visitor, "credentials"), configured(visitor, "destinations")) == before


def test_the_connection_is_checked_at_the_card(visitor):
    page = visitor.go("/destinations")
    card = page.get_by_role("region", name="Klaviyo", exact=True)
    card.get_by_role("button", name="Actions: Klaviyo", exact=True).click()
    page.get_by_role("menuitem", name="Check connection").click()
    expect(card).to_contain_text("It opens the account Emulated Shop.")
    expect(card).to_contain_text(re.compile("Checked (just now|.* ago) by ana"))
    card = visitor.go("/destinations").get_by_role("region", name="Klaviyo", exact=True)
    expect(card).to_contain_text("It opens the account Emulated Shop.")
    card.get_by_role("definition").filter(has_text="Completed").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/workflows/\w+"))


def test_what_uses_a_destination_is_named_when_it_is_to_be_deleted(visitor):
    page = visitor.go("/destinations")
    page.get_by_role("button", name="Actions: Klaviyo", exact=True).click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="It is in use")
    expect(dialog).to_contain_text('the data template "Email only"')
    expect(dialog).to_contain_text('"Customers to Klaviyo"')
    dialog.get_by_role("button", name="Close").click()
    assert "Klaviyo" in configured(visitor, "destinations")


def test_a_template_is_edited_and_keeps_what_the_dialog_does_not_show(visitor, unique):
    page = visitor.go("/destinations")
    page.get_by_role("button", name="Actions: Email only", exact=True).click()
    page.get_by_role("menuitem", name="Make a copy").click()
    page.get_by_label("Name of the copy").fill(f"Copy {unique}")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name=f"Actions: Copy {unique}").click()
    page.get_by_role("menuitem", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit data template")
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label(re.compile("the latest by")).fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert configured(visitor, "data_templates")[f"Copy {unique}"] == {
        "name": f"Copy {unique}",
        "destination": "Klaviyo",
        "list_name": "Loyalty",
        "duplicates": "fail",
    }


def test_a_key_is_replaced_once_it_opens_the_account(visitor, unique):
    name = f"Key {unique}"
    with closing(open_workspace(Settings.from_env(visitor.site.place.variables))) as workspace:
        entry = {"name": name, "type": "klaviyo", "api_key": "pk_old_0123456789", "base_url": visitor.site.place.url}
        create(workspace, "credentials", entry)
    page = visitor.go("/destinations")
    page.get_by_role("button", name=f"Actions: {name}").click()
    page.get_by_role("menuitem", name="Replace the key").click()
    dialog = page.get_by_role("dialog", name="Replace the key")
    dialog.get_by_label("API key").fill("pk_wrong_0123456789")
    dialog.get_by_role("button", name="Check and save").click()
    expect(dialog).to_contain_text("The old key stays.")
    assert visitor.serious() == []
    dialog.get_by_label("API key").fill(KEY)
    dialog.get_by_role("button", name="Check and save").click()
    expect(dialog).to_be_hidden()
    with closing(open_workspace(Settings.from_env(visitor.site.place.variables))) as workspace:
        assert check_connection(workspace, Settings.from_env(visitor.site.place.variables), name).sound
    page.get_by_role("button", name=f"Actions: {name}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=name)).to_have_count(0)
