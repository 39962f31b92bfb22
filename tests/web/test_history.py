"""Customer history, in a browser."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from segue.catalog.runs import Run
from segue.services.audit import audit_page
from segue.services.links import password_link, redeem_link
from segue.services.login import log_in
from segue.services.permissions import Option, Policy
from segue.services.rejects import rejects
from segue.services.users import create_user
from segue.services.workspace import open_workspace
from segue.settings import Settings
from tests.web.browser import PASSWORD


@pytest.fixture
def workspace(site):
    with closing(open_workspace(Settings.from_env(site.place.variables))) as opened:
        yield opened


@pytest.fixture
def someone(site):
    """Address and city of a member, as the data have them."""
    with duckdb.connect(str(site.place.database), read_only=True) as connection:
        row = connection.execute(
            "SELECT lower(email), city FROM Customer360 WHERE regexp_matches(email, '^[a-z.0-9]+@[a-z.]+$') "
            "AND city IS NOT NULL ORDER BY email LIMIT 1"
        ).fetchone()
    assert row is not None
    assert row[0] in site.place.admin.emails("Customers")
    return row


def look_up(page, email):
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Email address").press("Enter")
    return page.get_by_role("region", name="History")


def test_everything_of_a_person_is_shown_and_their_address_leads_nowhere(visitor, site, workspace, someone):
    email, city = someone
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    page = visitor.go("/history")
    expect(page.get_by_text("Whose history?")).to_be_visible()
    shown = look_up(page, f"  {email.upper()} ")
    entry = shown.get_by_role("listitem").filter(has_text="Customers to Klaviyo").last
    expect(entry).to_contain_text("Added")
    entry.get_by_text("What Klaviyo has since").click()
    expect(entry.get_by_role("row").filter(has_text="location.city")).to_contain_text(city)
    expect(entry.get_by_role("row").filter(has_text="email")).to_contain_text(email)
    assert visitor.serious() == []
    assert email not in page.url.lower()
    assert not [text for text in asked if email in text.lower()]
    [line, *_] = audit_page(workspace, action="history.read")
    assert (line.actor, line.subject, set(line.after or {})) == ("ana", None, {"runs"})
    for file in site.place.folder.rglob("*.log"):
        assert email not in file.read_text(encoding="utf-8").lower()


def test_what_was_refused_of_a_person_says_why_and_who_said_so(visitor, workspace):
    with workspace.catalog.session(read_only=True) as session:
        run = session.scalars(select(Run.id).where(Run.orchestration == "Customers to Klaviyo").limit(1)).one()
    refused = next(reject for reject in rejects(workspace, run) if reject.key is not None)
    shown = look_up(visitor.go("/history"), refused.key)
    # Others may have sent this person elsewhere.
    ours = shown.get_by_role("listitem").filter(has_text="Customers to Klaviyo")
    entry = ours.filter(has_text="Rejected").last
    expect(entry.get_by_role("row").filter(has_text=refused.reason).first).to_contain_text("Segue")


def test_an_address_that_nobody_met_says_how_long_data_are_kept(visitor):
    shown = look_up(visitor.go("/history"), "nobody@nowhere.example")
    expect(shown).to_contain_text("No run has met this address")
    expect(shown).to_contain_text("90 days")


def test_without_an_address_nothing_is_looked_up(visitor):
    page = visitor.go("/history")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("This is needed.")).to_be_visible()


def test_who_sees_no_personal_data_sees_what_was_done_without_values(visitor, site, workspace, someone):
    email, city = someone
    create_user(workspace, "restricted@brand.shop", Policy.VIEWER, [Option.RESTRICT_PII])
    redeem_link(workspace, password_link(workspace, "restricted@brand.shop").token, PASSWORD)
    made = log_in(workspace, "restricted@brand.shop", PASSWORD, address=None)
    visitor.page.context.add_cookies([{"name": "segue", "value": made.token.reveal(), "url": site.url}])
    shown = look_up(visitor.go("/history"), email)
    entry = shown.get_by_role("listitem").filter(has_text="Customers to Klaviyo").last
    expect(entry).to_contain_text("Added")
    entry.get_by_text("What Klaviyo has since").click()
    expect(entry.get_by_role("row").filter(has_text="location.city")).to_contain_text("****")
    text = shown.inner_text()
    assert email not in text
    assert city not in text
