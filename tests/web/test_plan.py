"""The page of a plan, and the run that it starts, in a browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web.conftest import visiting
from tests.web.test_runs import status_of


def planned(visitor, name):
    page = visitor.go(f"/orchestrations/{name}/plan")
    expect(page.get_by_role("region", name="Samples of the plan")).to_be_visible()
    return page


def number(page, label):
    return page.get_by_label("Numbers of the plan").locator(f".box:has(dt:text-is('{label}')) dd")


def test_a_plan_has_samples_of_every_kind_and_is_run(small_visitor):
    site = small_visitor.site
    site.orchestration(
        "Planned", ["stays@mail.shop", "changes@mail.shop", "leaves@mail.shop"], max_remove_share=1, max_clear_share=1
    )
    assert site.run("Planned").status == "completed"
    site.people("Planned", ["stays@mail.shop", "changes@mail.shop", "comes@mail.shop", "nowhere"])
    site.change("UPDATE \"Planned\" SET city = 'Wien', first_name = NULL WHERE email = 'changes@mail.shop'")
    page = planned(small_visitor, "Planned")
    for label, count in (("Rows in", 4), ("Added", 1), ("Changed", 1), ("Cleared", 1), ("Removed", 1), ("Rejected", 1)):
        expect(number(page, label)).to_have_text(str(count))
    samples = page.get_by_role("region", name="Samples of the plan")
    for kind, *texts in (
        ("added", "comes@mail.shop"),
        ("changed", "changes@mail.shop", "city: Graz → Wien"),
        ("cleared", "changes@mail.shop", "first_name: Ana → cleared"),
        ("removed", "leaves@mail.shop"),
        ("rejected", "nowhere", "email_malformed"),
    ):
        row = samples.get_by_role("row").filter(has=page.get_by_role("cell", name=kind, exact=True))
        for text in texts:
            expect(row).to_contain_text(text)
    assert small_visitor.serious() == []
    # Nothing was sent.
    assert "comes@mail.shop" not in site.admin.emails("Planned")
    page.get_by_role("button", name="Run this plan").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(status_of(page)).to_contain_text("Completed with warnings")
    assert set(site.admin.emails("Planned")) == {"stays@mail.shop", "changes@mail.shop", "comes@mail.shop"}


def test_a_plan_that_is_no_longer_true_is_not_run(small_visitor):
    site = small_visitor.site
    site.orchestration("Moved", ["m1@mail.shop"])
    page = planned(small_visitor, "Moved")
    site.people("Moved", ["m1@mail.shop", "m2@mail.shop"])
    page.get_by_role("button", name="Run this plan").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(status_of(page)).to_contain_text("Failed")
    expect(page.get_by_role("alert")).to_contain_text("is no longer what this run would do")
    assert site.admin.lists() == [entry for entry in site.admin.lists() if entry["name"] != "Moved"]


def test_a_fuse_that_would_blow_is_told_and_raised(small_visitor):
    site = small_visitor.site
    site.orchestration("Blown", [f"b{i}@mail.shop" for i in range(4)])
    assert site.run("Blown").status == "completed"
    site.people("Blown", ["b0@mail.shop"])
    page = planned(small_visitor, "Blown")
    expect(page.get_by_role("alert")).to_contain_text("3 of 4 members would be removed")
    page.get_by_role("button", name="Run this plan").click()
    page.get_by_role("button", name="Raise and run").click()
    expect(status_of(page)).to_contain_text("Completed")
    assert site.admin.emails("Blown") == ["b0@mail.shop"]


def test_a_plan_that_fails_says_why(small_visitor):
    site = small_visitor.site
    site.orchestration("Broken", ["x@mail.shop"])
    site.change('DROP TABLE "Broken"')
    page = small_visitor.go("/orchestrations/Broken/plan")
    expect(page.get_by_role("alert")).to_contain_text("Broken")
    expect(page.get_by_role("button", name="Run this plan")).to_be_hidden()
    expect(page.get_by_role("button", name="Plan again")).to_be_visible()


def test_a_plan_hides_people_from_who_may_not_see_them(small_site, browser):
    small_site.orchestration("Hidden", ["hidden.plan@mail.shop", "no address here"])
    with visiting(small_site, browser, small_site.restricted("masked.plan@brand.shop")) as visitor:
        page = planned(visitor, "Hidden")
        expect(page.get_by_text("Values are masked")).to_be_visible()
        content = page.content()
        for text in ("hidden.plan", "no address here", "Graz"):
            assert text not in content
