"""Names, SQL errors and cell values that are HTML: on every page that shows them they are text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from segue.services import editing
from segue.services.audit import note
from segue.services.permissions import Scope
from segue.services.tokens import create_token
from segue.services.workspace import open_workspace
from segue.settings import Settings
from segue.web.pages import PAGES

EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>{{7*7}}"
"""Runs in a page that takes text for HTML or for a template."""
SQL = f"""SELECT 'evil.person@mail.shop' AS email, '{EVIL.replace("'", "''")}' AS first_name
UNION ALL SELECT '{EVIL.replace("'", "''")}', 'x'"""
NAMED = "".join(character for character in EVIL if character != '"')


@pytest.fixture(scope="module")
def evil(site) -> Iterator[str]:
    """Everything that people name is named so, and a run met such values. Gives the id of the query."""
    with closing(open_workspace(Settings.from_env(site.place.variables))) as workspace:
        query = editing.get_configured(workspace, "queries", "Customers").entry
        destination = editing.get_configured(workspace, "orchestrations", "Customers to Klaviyo").entry["destination"]
        credential = editing.get_configured(workspace, "destinations", destination).entry["credential"]
        made = [
            (kind, editing.create(workspace, kind, {"name": EVIL, **entry}))
            for kind, entry in (
                ("queries", {"database": query["database"], "status": "active", "sql": SQL, "folder": EVIL}),
                ("destinations", {"plugin": "klaviyo", "credential": credential, "description": EVIL}),
                ("data_templates", {"destination": EVIL, "list_name": EVIL, "use_full_profile": True}),
                ("orchestrations", {"query": EVIL, "destination": EVIL, "data_template": EVIL}),
                ("orchestration_groups", {"members": [{"orchestration": EVIL}], "enabled": False}),
                ("alerts", {"url": "json://localhost", "when": ["failed"], "orchestrations": [EVIL]}),
            )
        ]
        create_token(workspace, EVIL, [Scope.READ], days=1)
        note(workspace, EVIL[:50], EVIL, before={EVIL: EVIL}, after={EVIL: [EVIL]})
        site.place.captured("run", EVIL, "--yes", "--allow", "max_reject_share")
        yield made[0][1].id
        for kind, thing in reversed(made):
            editing.delete(workspace, kind, thing.id, tag=None)


def harmless(visitor) -> None:
    """Nothing of it ran, and nothing of it is an element."""
    page = visitor.page
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert page.title() != "taken"


@pytest.mark.parametrize("path", [page.address for page in PAGES])
def test_names_are_text_on_every_page(visitor, evil, path):
    page = visitor.go(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("button", name="Recent activity").click()
    expect(page.get_by_role("complementary", name="Recent activity").get_by_role("listitem").first).to_be_visible()
    harmless(visitor)


@pytest.mark.parametrize(
    "path", ["/queries", "/orchestrations", "/settings/alerts", "/settings/tokens", "/settings/activity"]
)
def test_the_names_are_there_to_be_seen(visitor, evil, path):
    """So that the test above looks at pages where there is something to see."""
    expect(visitor.go(path).get_by_role("row").filter(has_text=EVIL).first).to_be_visible()


def test_cells_names_of_columns_and_mistakes_are_text_in_the_editor(visitor, evil):
    page = visitor.go(f"/queries/{evil}")
    editor = page.get_by_role("textbox", name="SQL of the query")
    editor.press("Control+Enter")
    expect(page.get_by_role("cell", name=EVIL, exact=True).first).to_be_visible()
    harmless(visitor)

    def write(sql):
        editor.press("Control+a")
        page.keyboard.insert_text(sql)
        editor.press("Control+Enter")

    write(f'SELECT 1 AS "{NAMED}"')
    expect(page.get_by_role("columnheader", name=NAMED)).to_be_visible()
    harmless(visitor)
    write(f'SELECT "{NAMED}" FROM Customer360')
    expect(page.get_by_role("alert").first).to_contain_text("<img src=x")
    harmless(visitor)


def test_values_of_a_person_are_text_in_their_history(visitor, evil):
    page = visitor.go("/history")
    shown = page.get_by_role("region", name="History")
    for email, value in (("evil.person@mail.shop", "What Klaviyo has since"), (EVIL, "")):
        page.get_by_label("Email address").fill(email)
        page.get_by_label("Email address").press("Enter")
        entry = shown.get_by_role("listitem").filter(has_text=EVIL).first
        expect(entry).to_be_visible()
        if value:
            entry.get_by_text(value).click()
        expect(entry.get_by_role("cell", name=EVIL, exact=True).first).to_be_visible()
        harmless(visitor)


def test_dialogs_and_toasts_show_names_as_text(visitor, evil):
    page = visitor.go("/settings/tokens")
    page.get_by_role("row").filter(has_text=EVIL).get_by_role("button").click()
    page.get_by_role("menuitem", name="Revoke").click()
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    harmless(visitor)
    visitor.go("/settings/alerts")
    page.get_by_role("row").filter(has_text=EVIL).get_by_role("button").click()
    page.get_by_role("menuitem", name="Send a test").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(EVIL)
    harmless(visitor)
    visitor.go("/settings/activity")
    page.get_by_role("searchbox").fill("onerror")
    page.get_by_role("row").filter(has_text=EVIL).first.get_by_role("button").click()
    page.get_by_role("menuitem", name="Details").click()
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    harmless(visitor)


def test_bodies_and_addresses_of_requests_are_text_on_the_page_of_a_run(visitor, evil):
    page = visitor.go("/workflows")
    page.get_by_role("row").filter(has_text=EVIL).locator("a[href^='/workflows/']").first.click()
    samples = page.get_by_role("list", name="Sampled requests")
    expect(samples.locator("summary").first).to_be_visible()
    # The name of the list, in a filter and in a body; the first name of a person.
    for path in ("GET /api/lists", "POST /api/lists", "POST /api/profile-bulk-import-jobs"):
        line = samples.locator("summary").filter(has=page.get_by_text(path, exact=True)).first
        line.click()
    section = page.get_by_role("region", name="Requests", exact=True)
    expect(section.get_by_role("region", name="Body of the request").filter(has_text="onerror").last).to_be_visible()
    expect(section.get_by_label("Parameters").filter(has_text="onerror").first).to_be_visible()
    harmless(visitor)
