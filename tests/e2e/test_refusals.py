"""What Klaviyo refuses, loses, cancels or forgets: rows are named, nothing else is lost, and the next run is right."""

from __future__ import annotations

import pytest

from segue.errors import BusyError
from segue.services.rejects import Reject, rejects
from segue.services.workspace import open_workspace
from segue.workflow.records import RunRecord
from segue.workflow.status import RunStatus

from .shop import Shop

JOBS = "POST /api/profile-bulk-import-jobs"
PROFILE_IMPORT = "POST /api/profile-import"


def taken_phone(shop: Shop) -> None:
    """Somebody at Klaviyo has the phone number that p3 will send: that row fails, alone."""
    people = [{"email": "other@else.shop", "phone_number": "+4366412345678"}, {"email": "p3@mail.shop"}]
    shop.admin.seed(profiles=people)
    shop.change("UPDATE People SET phone_number = '+4366412345678' WHERE points = 3")


def test_rows_that_fail_inside_a_job_are_named_and_tried_again(shop: Shop) -> None:
    shop.generate(20)
    taken_phone(shop)
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert (run.counts["added"], run.counts["rejected"]) == (19, 1)
    assert "p3@mail.shop" not in shop.members()
    shop.admin.change_profile("other@else.shop", {"phone_number": None})
    again = shop.run()
    assert (again.counts["added"], again.counts["unchanged"], again.counts["rejected"]) == (1, 19, 0)
    assert shop.members() == {f"p{i}@mail.shop" for i in range(20)}


def rejects_of(shop: Shop, run: RunRecord) -> list[Reject]:
    workspace = open_workspace(shop.settings)
    try:
        return list(rejects(workspace, run.id))
    finally:
        workspace.close()


@pytest.mark.parametrize("pointers", [True, False])
def test_a_refused_job_sheds_its_bad_rows(shop: Shop, pointers: bool) -> None:
    """Six neighbours have letters in their addresses that the destination does not take, and Segue does."""
    shop.admin.settings(row_errors="job", error_pointers=pointers)
    shop.generate(100)
    shop.change("UPDATE People SET email = 'jü' || points || '@mail.shop' WHERE points BETWEEN 50 AND 55")
    good = {f"p{i}@mail.shop" for i in range(100) if not 50 <= i <= 55}
    bad = {f"jü{i}@mail.shop" for i in range(50, 56)}
    run = shop.run()
    assert run.status is RunStatus.WARNINGS, run.error
    assert shop.members() == good
    assert (run.counts["added"], run.counts["rejected"]) == (94, 6)
    assert shop.calls()[JOBS] > 1
    assert {(r.key, r.source) for r in rejects_of(shop, run)} == {(key, "klaviyo") for key in bad}
    # The next day has only them to send: they are refused again, and the run goes through.
    again = shop.run()
    assert again.status is RunStatus.WARNINGS, again.error
    assert (again.counts["unchanged"], again.counts["rejected"]) == (94, 6)


@pytest.mark.parametrize("pointers", [True, False])
def test_a_job_that_is_refused_whatever_its_rows_are_stops_the_run(shop: Shop, pointers: bool) -> None:
    """Nothing is sent, nothing is rejected: the fault is not in the rows."""
    shop.admin.settings(error_pointers=pointers)
    shop.generate(100)
    shop.admin.fault("status", JOBS, status=400, count=None)
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "every_row_refused"
    assert shop.calls()[JOBS] < 12
    shop.admin.clear_faults()
    assert shop.run().status is RunStatus.COMPLETED
    assert len(shop.members()) == 100


def test_a_cancelled_job_is_sent_again_next_time(shop: Shop) -> None:
    shop.generate(30)
    shop.admin.fault("cancel_job", JOBS, count=1)
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert (run.counts["added"], run.counts["warned"]) == (0, 30)
    assert any("cancelled" in warning for warning in run.warnings)
    again = shop.run()
    assert again.status is RunStatus.COMPLETED
    assert again.counts["added"] == 30
    assert len(shop.members()) == 30


def test_who_leaves_after_a_cancelled_job_is_removed(shop: Shop) -> None:
    """The job was cancelled halfway: ten people are on the list and in no acknowledgement."""
    shop.configure(max_remove_share=1.0)
    shop.admin.seed(lists={"People": ["guest@else.shop"]})
    shop.generate(30)
    shop.admin.fault("cancel_job", JOBS, rows=10, count=1)
    first = shop.run()
    assert first.counts["added"] == 0
    assert len(shop.members()) == 11
    shop.change("DELETE FROM People WHERE points IN (3, 25)")
    second = shop.run()
    assert second.status is RunStatus.COMPLETED, (second.error, second.warnings)
    assert (second.counts["added"], second.counts["changed"], second.counts["removed"]) == (28, 0, 2)
    left = {f"p{i}@mail.shop" for i in range(30) if i not in (3, 25)}
    assert shop.members() == {*left, "guest@else.shop"}
    third = shop.run()
    assert (third.counts["unchanged"], third.counts["removed"], list(third.warnings)) == (28, 0, [])
    # What the first run may have sent was sent by the second: an undo of the first takes nobody off.
    shop.undo(first.id)
    assert shop.members() == {*left, "guest@else.shop"}


def test_a_change_that_may_have_arrived_is_sent_again_though_the_query_went_back(shop: Shop) -> None:
    """The job was cancelled halfway: ten profiles have the new values, and the query has the old ones again."""
    shop.configure(max_clear_share=1.0)
    shop.generate(30)
    shop.run()
    shop.change("UPDATE People SET tier = 'blue', phone_number = '+43664' || (1000000 + points)")
    shop.admin.fault("cancel_job", JOBS, rows=10, count=1)
    cancelled = shop.run()
    assert (cancelled.counts["changed"], cancelled.counts["warned"]) == (0, 30)
    tiers = [shop.profile(f"p{i}@mail.shop")["properties"]["tier"] for i in range(30)]
    assert sorted(tiers) == ["blue"] * 10 + ["gold"] * 20
    shop.generate(30)
    again = shop.run()
    assert (again.counts["added"], again.counts["changed"], again.counts["unchanged"]) == (0, 30, 0)
    assert {shop.profile(f"p{i}@mail.shop")["properties"]["tier"] for i in range(30)} == {"gold"}
    assert shop.run().counts["unchanged"] == 30
    assert len(shop.members()) == 30


def test_what_a_change_may_have_set_is_cleared(shop: Shop) -> None:
    shop.configure(max_clear_share=1.0, max_remove_share=1.0)
    shop.people([{"email": "ana@mail.shop", "city": "Graz"}, {"email": "bo@mail.shop", "city": "Graz"}])
    shop.run()
    shop.change("UPDATE People SET tier = 'blue', first_name = 'Anna'")
    shop.admin.fault("cancel_job", JOBS, rows=2, count=1)
    shop.run()
    assert shop.profile("ana@mail.shop")["first_name"] == "Anna"
    shop.change("UPDATE People SET tier = NULL, first_name = NULL")
    shop.change("DELETE FROM People WHERE email = 'bo@mail.shop'")
    run = shop.run()
    assert (run.counts["changed"], run.counts["cleared"], run.counts["removed"]) == (1, 1, 1)
    ana = shop.profile("ana@mail.shop")
    assert (ana["first_name"], ana["properties"].get("tier"), ana["location"]["city"]) == (None, None, "Graz")
    assert shop.members() == {"ana@mail.shop"}
    assert shop.run().counts["unchanged"] == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("endpoint", [JOBS, "POST /api/lists", "GET /api/profile-bulk-import-jobs"])
def test_broken_connections_are_tried_again(shop: Shop, kind: str, endpoint: str) -> None:
    shop.generate(30)
    shop.admin.fault(kind, endpoint, count=1)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert len(shop.admin.lists()) == 1
    assert shop.members() == {f"p{i}@mail.shop" for i in range(30)}


def test_server_errors_and_throttling_are_no_failures(shop: Shop) -> None:
    shop.generate(30)
    shop.admin.fault("status", JOBS, status=503, count=2)
    shop.admin.fault("status", "GET /api/profile-bulk-import-jobs", status=429, retry_after=1, count=1)
    shop.admin.fault("non_json", "GET /api/accounts", count=1)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert len(shop.members()) == 30


def test_a_revoked_key_stops_the_run_and_a_new_one_goes_on(shop: Shop) -> None:
    shop.generate(30)
    shop.admin.fault("status", JOBS, status=401, count=1)
    run = shop.run()
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error["code"] == "key_refused"
    assert "pk_test" not in str(run.error)
    shop.admin.add_key("pk_new")
    shop.key = "pk_new"
    shop.configure()
    again = shop.run()
    assert again.id == run.id
    assert again.status is RunStatus.COMPLETED
    assert len(shop.members()) == 30


def test_a_missing_scope_is_named(shop: Shop) -> None:
    shop.generate(3)
    shop.admin.add_key("pk_reader", scopes=["accounts:read", "lists:read", "profiles:read"])
    shop.key = "pk_reader"
    shop.configure()
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "scope_missing"
    assert "lists:write" in run.error["message"]


def test_the_caps_on_lists_have_their_own_errors(shop: Shop) -> None:
    shop.generate(3)
    shop.admin.settings(max_groups=1)
    shop.admin.seed(lists={"Other": []})
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "maximum_lists"
    shop.admin.settings(max_groups=1000, daily_lists=1)
    shop.configure(list_name="A")
    assert shop.run().status is RunStatus.COMPLETED
    shop.configure(list_name="B")
    capped = shop.run()
    assert capped.error is not None
    assert capped.error["code"] == "list_daily_cap"


def test_a_merged_profile_leaves_the_list_all_the_same(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0, max_clear_share=1.0)
    shop.generate(6)
    shop.run()
    # A clear tells us the id of p2; then Klaviyo merges p2 into another profile, which makes that id stale.
    shop.change("UPDATE People SET city = NULL WHERE points = 2")
    shop.run()
    assert shop.calls()[PROFILE_IMPORT] == 1
    shop.admin.seed(profiles=[{"email": "big@else.shop"}])
    shop.admin.merge("p2@mail.shop", "big@else.shop")
    shop.change("DELETE FROM People WHERE points IN (2, 4)")
    run = shop.run()
    assert run.status in (RunStatus.COMPLETED, RunStatus.WARNINGS), run.error
    left = shop.members()
    assert {"p0@mail.shop", "p1@mail.shop", "p3@mail.shop", "p5@mail.shop"} <= left
    assert not left & {"p2@mail.shop", "p4@mail.shop"}


def test_unknown_ids_that_refuse_the_call_are_looked_up_anew(shop: Shop) -> None:
    shop.admin.settings(unknown_ids="refuse")
    shop.configure(max_remove_share=1.0, max_clear_share=1.0)
    shop.generate(6)
    shop.run()
    shop.change("UPDATE People SET city = NULL WHERE points = 2")
    shop.run()
    shop.admin.delete_profile("p2@mail.shop")
    shop.change("DELETE FROM People WHERE points IN (2, 4)")
    run = shop.run()
    assert run.error is None
    assert list(run.warnings) == ["1 person who was sent is no longer on the list: they left, or Klaviyo merged them."]
    assert shop.members() == {f"p{i}@mail.shop" for i in (0, 1, 3, 5)}


def test_a_refused_clear_is_owed_and_paid_later(shop: Shop) -> None:
    shop.configure(max_clear_share=1.0)
    shop.generate(5)
    shop.run()
    shop.change("UPDATE People SET city = NULL WHERE points = 2")
    shop.admin.fault("status", PROFILE_IMPORT, status=400, count=1)
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert run.counts["cleared"] == 0
    assert shop.profile("p2@mail.shop")["location"]["city"] == "Graz"
    again = shop.run()
    assert again.status is RunStatus.COMPLETED, (again.error, again.warnings)
    assert shop.profile("p2@mail.shop")["location"]["city"] is None
    quiet = shop.run()
    assert quiet.counts["unchanged"] == 5


def test_lists_that_lag_are_waited_for(shop: Shop) -> None:
    shop.admin.settings(list_lag=1)
    shop.generate(5)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, (run.error, run.warnings)


def test_somebody_else_changing_profiles_is_told(shop: Shop) -> None:
    shop.generate(5)
    shop.admin.settings(bulk_unset="ignore")
    shop.run()
    shop.configure(max_clear_share=1.0)
    shop.change("UPDATE People SET tier = NULL WHERE points = 2")
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert any("tier" in warning for warning in run.warnings)


def test_a_key_of_another_account_sends_everything_there(shop: Shop) -> None:
    shop.generate(5)
    shop.run()
    other = shop.admin.add_account("OTHER1", name="Other shop")
    other.add_key("pk_other")
    shop.key = "pk_other"
    shop.configure()
    run = shop.run()
    assert run.counts["added"] == 5
    assert run.status is RunStatus.WARNINGS
    assert len(other.emails("People")) == 5
    assert len(shop.members()) == 5


def test_real_windows_are_obeyed(shop: Shop) -> None:
    shop.admin.settings(limit_scale=1.0)
    shop.environment["SEGUE_RATE_SCALE"] = "1"
    shop.generate(60_000)
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    statuses = shop.admin.requests()["endpoints"][JOBS]["statuses"]
    assert statuses == {"202": 6}


def test_a_busy_database_is_said_and_nothing_begins(shop: Shop) -> None:
    import duckdb

    with duckdb.connect(str(shop.folder / "shop.duckdb")):
        run_or_error: object
        try:
            run_or_error = shop.run().error
        except BusyError as error:
            run_or_error = error
    assert run_or_error is not None
    assert shop.admin.lists() == []


def test_people_that_klaviyo_merges_are_missed(shop: Shop) -> None:
    """A new email with the phone of somebody else lands in that profile: one member where two were acknowledged."""
    shop.admin.seed(profiles=[{"phone_number": "+4366412345678"}], lists={"People": []})
    shop.generate(5)
    shop.change("UPDATE People SET phone_number = '+4366412345678' WHERE points = 3")
    shop.run()
    shop.admin.remove_members("People", ["p1@mail.shop"])
    shop.change("UPDATE People SET tier = 'blue' WHERE points = 4")
    run = shop.run()
    assert run.status is RunStatus.WARNINGS
    assert any("1 person who was sent is no longer on the list" in warning for warning in run.warnings)


@pytest.mark.parametrize("endpoint", ["GET /api/lists/{id}/profiles", "DELETE /api/lists/{id}/relationships/profiles"])
def test_a_list_that_goes_before_the_removes_ends_the_run_and_not_the_next(shop: Shop, endpoint: str) -> None:
    shop.configure(max_remove_share=1.0)
    shop.generate(6)
    shop.run()
    shop.change("DELETE FROM People WHERE points = 2")
    shop.admin.fault("status", endpoint, status=404, count=2)
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "list_gone"
    shop.admin.clear_faults()
    again = shop.run()
    assert again.id != run.id
    assert again.status is RunStatus.COMPLETED, again.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(6) if i != 2}
