"""The page of a run: started, watched, helped, stopped, undone, in a browser."""

from __future__ import annotations

import csv
import io
import re

from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import visiting

JOBS = "POST /api/profile-bulk-import-jobs"


def status_of(page: Page) -> Locator:
    return page.get_by_label("Numbers of the run").locator(".box").filter(has_text="Status")


def number(page: Page, label: str) -> Locator:
    box = page.get_by_label("Numbers of the run").locator(".box").filter(has_text=re.compile(f"^{label}"))
    return box.locator("dd")


def test_a_run_from_the_page_makes_the_list_the_query(small_visitor):
    site, wanted = small_visitor.site, {"r1@mail.shop", "r2@mail.shop", "r3@mail.shop"}
    site.orchestration("Straight", wanted)
    page = small_visitor.go("/orchestrations")
    page.get_by_role("button", name="Actions: Straight").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    link = page.get_by_role("row").filter(has_text="Straight").locator("a[href^='/workflows/']")
    expect(link).to_be_visible()
    link.click()
    expect(status_of(page)).to_contain_text("Completed")
    assert set(site.admin.emails("Straight")) == wanted
    expect(number(page, "Rows in")).to_have_text("3")
    expect(number(page, "Added")).to_have_text("3")
    expect(page.get_by_role("listitem").filter(has_text="Read back and reconcile")).to_contain_text("Succeeded")
    # One job a row, and the page says so.
    requests = page.get_by_label("Requests by endpoint")
    expect(requests.locator(".bar-line").filter(has_text=JOBS)).to_contain_text("3")
    samples = page.get_by_role("region", name="Samples of what was sent")
    expect(samples.get_by_role("row").filter(has_text="r1@mail.shop")).to_contain_text('"city":"Graz"')
    assert small_visitor.serious() == []


def test_a_sample_is_sent_in_one_run_and_the_next_sends_the_others(small_visitor):
    site, wanted = small_visitor.site, {f"t{i:02}@mail.shop" for i in range(12)}
    site.orchestration("Tasted", wanted)
    page = small_visitor.go("/orchestrations")
    page.get_by_role("button", name="Actions: Tasted").click()
    page.get_by_role("menuitem", name="Send a sample").click()
    dialog = page.get_by_role("dialog", name="Send a sample")
    expect(dialog.get_by_role("radio", name="10 members", exact=True)).to_be_checked()
    assert small_visitor.serious() == []
    dialog.get_by_role("button", name="Send").click()
    expect(status_of(page)).to_contain_text("Completed with warnings")
    assert set(site.admin.emails("Tasted")) == set(sorted(wanted)[:10])
    site.run("Tasted")
    assert set(site.admin.emails("Tasted")) == wanted


def test_a_fuse_is_raised_for_one_run(small_visitor):
    site = small_visitor.site
    site.orchestration("Fuse", [f"f{i}@mail.shop" for i in range(5)])
    assert site.run("Fuse").status == "completed"
    site.people("Fuse", ["f0@mail.shop"])
    run_id = site.begin("Fuse")
    page = small_visitor.go(f"/workflows/{run_id}")
    expect(status_of(page)).to_contain_text("Failed")
    expect(page.get_by_role("alert")).to_contain_text("4 of 5 members would be removed")
    assert len(site.admin.emails("Fuse")) == 5
    page.get_by_role("button", name="Show resolutions").click()
    dialog = page.get_by_role("dialog", name="Resolutions")
    expect(dialog.get_by_text("Who can put it right")).to_be_visible()
    dialog.get_by_role("radio", name="Raise the fuse for this run only").click()
    expect(dialog).to_contain_text("max_remove_share")
    assert small_visitor.serious() == []
    dialog.get_by_role("button", name="Continue").click()
    expect(status_of(page)).to_contain_text("Completed")
    assert site.admin.emails("Fuse") == ["f0@mail.shop"]
    expect(number(page, "Removed")).to_have_text("4")
    # The next run has the limit of the template again.
    site.people("Fuse", [])
    assert site.run("Fuse").status == "failed"


def test_a_revoked_key_is_replaced_and_nothing_is_sent_twice(small_visitor):
    site = small_visitor.site
    site.admin.add_key("pk_soon_gone")
    wanted = {"k1@mail.shop", "k2@mail.shop"}
    site.orchestration("Key", wanted, key="pk_soon_gone")
    before = len(site.admin.jobs())
    site.admin.settings(job_delay=600)
    try:
        run_id = site.begin("Key")
        page = small_visitor.go(f"/workflows/{run_id}")
        task = page.get_by_role("listitem").filter(has_text="Confirm")
        expect(task).to_contain_text("Running")
        site.admin.revoke_key("pk_soon_gone")
        expect(status_of(page)).to_contain_text("Failed")
    finally:
        site.admin.settings(job_delay=0)
        site.admin.advance(600)
    page.get_by_role("button", name="Show resolutions").click()
    dialog = page.get_by_role("dialog", name="Resolutions")
    dialog.get_by_role("radio", name="Update the credential").click()
    key = dialog.get_by_label("New API key")
    key.fill("pk_wrong")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    site.admin.add_key("pk_new")
    key.fill("pk_new")
    dialog.get_by_role("button", name="Continue").click()
    expect(status_of(page)).to_contain_text("Completed")
    assert set(site.admin.emails("Key")) == wanted
    assert len(site.admin.jobs()) - before == len(wanted)
    expect(task).to_contain_text("attempt 2")


def test_a_run_is_stopped_in_one_tab_seen_in_another_and_goes_on(small_visitor):
    site = small_visitor.site
    # More than are sent before somebody clicks, however slow the browser.
    wanted = {f"s{i}@mail.shop" for i in range(30)}
    site.orchestration("Stop", wanted)
    before = len(site.admin.jobs())
    site.admin.fault("slow", JOBS, seconds=3, count=None)
    run_id = site.begin("Stop")
    page = small_visitor.go(f"/workflows/{run_id}")
    other = page.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        expect(tab.get_by_role("listitem").filter(has_text=re.compile("Send(0|.* of )"))).to_contain_text("Running")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
    for tab in (page, other):
        expect(status_of(tab)).to_contain_text("Stopped")
    assert len(site.admin.jobs()) - before < len(wanted)
    site.admin.clear_faults()
    other.get_by_role("button", name="Show resolutions").click()
    other.get_by_role("dialog", name="Resolutions").get_by_role("radio", name="Retry the task").click()
    other.get_by_role("button", name="Continue").click()
    for tab in (page, other):
        expect(status_of(tab)).to_contain_text("Completed")
    assert set(site.admin.emails("Stop")) == wanted
    assert len(site.admin.jobs()) - before == len(wanted)


def test_a_run_is_undone_once_and_says_what_stays(small_visitor):
    site = small_visitor.site
    site.orchestration("Undo", ["u1@mail.shop", "u2@mail.shop"], max_remove_share=1)
    run = site.run("Undo")
    page = small_visitor.go(f"/workflows/{run.id}")
    page.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 people that this run added leave the list.")
    expect(dialog).to_contain_text("profiles stay in Klaviyo")
    dialog.get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: url.startswith(f"{site.url}/workflows/") and not url.endswith(run.id))
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo: Undo")
    expect(status_of(page)).to_contain_text("Completed")
    assert site.admin.emails("Undo") == []
    page.get_by_role("link", name="the run that it undoes").click()
    expect(page.get_by_role("link", name="This run was undone.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


def test_rejects_are_shown_and_downloaded(small_visitor):
    site = small_visitor.site
    site.orchestration("Rejects", ["good@mail.shop", "no address", "=cmd()"])
    run = site.run("Rejects")
    page = small_visitor.go(f"/workflows/{run.id}")
    row = page.get_by_role("region", name="Rejects").get_by_role("row").filter(has_text="no address")
    expect(row).to_contain_text("email")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == f"rejects-{run.id}.csv"
    found = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {line["value"] for line in found} == {"no address", "=cmd()"}


def test_who_may_not_see_personal_data_sees_none(small_site, browser):
    small_site.orchestration("Secret", ["hidden.person@mail.shop", "no address at all"])
    run = small_site.run("Secret")
    with visiting(small_site, browser, small_site.restricted("mask@brand.shop")) as visitor:
        page = visitor.go(f"/workflows/{run.id}")
        expect(page.get_by_text("Values are masked")).to_be_visible()
        samples = page.get_by_role("region", name="Samples of what was sent")
        expect(samples.get_by_role("row").filter(has_text="added")).to_contain_text('"email":"****"')
        section = page.get_by_role("region", name="Requests", exact=True)
        section.locator("summary").filter(has_text="POST /api/profile-bulk-import-jobs").click()
        expect(section.get_by_role("region", name="Body of the request")).to_contain_text('"email": "****"')
        content = page.content()
        for text in ("hidden.person", "no address at all", "Graz"):
            assert text not in content
        answer = page.request.get(f"{small_site.url}/workflows/{run.id}/rejects.csv")
        assert answer.status == 200
        assert "no address at all" not in answer.text()
        assert "****" in answer.text()


def test_requests_are_shown_over_time_and_some_of_them_whole(small_visitor):
    site = small_visitor.site
    site.orchestration("Asked", {"<b>q1</b>@mail.shop", "q2@mail.shop"})
    site.admin.fault("status", JOBS, status=429, count=1)
    run_id = site.begin("Asked")
    page = small_visitor.go(f"/workflows/{run_id}")
    section = page.get_by_role("region", name="Requests", exact=True)
    # Without a reload: the page follows the run.
    expect(status_of(page)).to_contain_text("Completed")
    chart = section.get_by_role("img", name="Requests over time")
    expect(chart).to_have_accessible_name(re.compile(r"Done \d+, Slowed down 1, Failed 0"))
    section.get_by_text("As a table").click()
    slowed = section.get_by_role("columnheader", name="Slowed down")
    expect(slowed).to_be_visible()
    expect(section.get_by_role("row").nth(1)).to_be_visible()

    samples = section.get_by_role("list", name="Sampled requests")
    jobs = samples.locator("summary").filter(has_text="POST /api/profile-bulk-import-jobs")
    expect(jobs.filter(has_text="429")).to_contain_text("Slowed down")
    made = samples.locator("summary").filter(has_text="POST /api/lists")
    expect(made).to_contain_text("201")
    assert "Graz" not in page.content().partition("Sampled requests")[2].partition("Rejects")[0]
    sent = jobs.filter(has_text="202").first
    sent.focus()
    sent.press("Enter")
    body = section.get_by_role("region", name="Body of the request")
    expect(body).to_contain_text('"city": "Graz"')
    expect(section.get_by_label("Headers").first).to_contain_text("2026-07-15")
    assert "pk_test" not in page.content()
    assert small_visitor.serious() == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert not small_visitor.too_wide()


def test_an_unknown_run_says_so(small_visitor):
    answer = small_visitor.page.goto(f"{small_visitor.site.url}/workflows/r-none")
    assert answer is not None
    assert answer.status == 404
    expect(small_visitor.page.get_by_text('There is no run "r-none"', exact=False)).to_be_visible()
    small_visitor.complaints = [text for text in small_visitor.complaints if "404" not in text]
