"""What a first send takes away from profiles that were there before: it is shown before it happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from segue.workflow.status import RunStatus

from .shop import Shop

SEEN = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
ANA: dict[str, Any] = {"email": "ana@mail.shop", "last_event_date": SEEN, "tier": "gold", "points": 1}
BO: dict[str, Any] = {"email": "bo@mail.shop", "last_event_date": SEEN, "points": 2}
CY: dict[str, Any] = {"email": "cy@mail.shop", "last_event_date": SEEN}
DATE = "2026-01-01T00:00:00Z"
WARNING = (
    "On a first send NULL custom properties are unset: points (1), tier (2); "
    "set first_send_nulls: keep to leave them alone."
)


def test_what_a_first_send_unsets_is_planned_and_told(shop: Shop) -> None:
    shop.admin.seed(profiles=[{"email": "bo@mail.shop", "properties": {"tier": "old", "colour": "red"}}])
    shop.people([ANA, BO, CY])
    plan = shop.plan()
    assert plan.first_send_unset == {"points": 1, "tier": 2}
    assert (plan.cleared, plan.cleared_fields) == (0, {})
    assert WARNING in plan.warnings
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, run.error
    assert not run.warnings
    # Bo has no tier, Cy has neither.
    assert (run.counts["cleared"], run.counts["unset"]) == (0, 2)
    compare = run.task("compare")
    assert compare is not None
    assert compare.outcome["notes"] == [WARNING]
    [bo], [ana] = shop.history("bo@mail.shop"), shop.history("ana@mail.shop")
    assert (bo.actions, bo.unset, bo.cleared) == (("added",), ("tier",), ())
    assert ana.unset == ()
    assert shop.profile("bo@mail.shop")["properties"] == {"colour": "red", "points": 2, "last_event_date": DATE}


def test_a_first_send_that_keeps_unsets_nothing(shop: Shop) -> None:
    shop.admin.seed(profiles=[{"email": "bo@mail.shop", "properties": {"tier": "old"}}])
    shop.configure(first_send_nulls="keep")
    shop.people([ANA, BO])
    plan = shop.plan()
    assert (plan.first_send_unset, plan.warnings) == ({}, ())
    shop.run()
    assert shop.profile("bo@mail.shop")["properties"] == {"tier": "old", "points": 2, "last_event_date": DATE}


def test_new_people_of_a_later_run_are_counted(shop: Shop) -> None:
    shop.people([ANA])
    shop.run()
    shop.people([{**ANA, "tier": None}, BO])
    plan = shop.plan()
    assert (plan.first_send_unset, plan.cleared_fields) == ({"tier": 1}, {"tier": 1})
    assert not any("first send" in warning for warning in plan.warnings)


def test_rows_that_share_and_repeat_are_counted_once(shop: Shop) -> None:
    phone = "+4366412345678"
    shop.people([ANA, {**BO, "phone_number": phone}, {**CY, "phone_number": phone}, BO | {"phone_number": phone}])
    assert shop.plan().first_send_unset == {"points": 1, "tier": 2}
    assert shop.run().counts["unset"] == 2
    assert [entry.unset for entry in shop.history("cy@mail.shop")] == [("points", "tier")]


def test_a_refused_person_unsets_nothing(shop: Shop) -> None:
    # Klaviyo refuses a row with letters beyond ASCII in its address.
    shop.people([BO, {**CY, "email": "cü@mail.shop"}])
    run = shop.run()
    assert (run.counts["added"], run.counts["rejected"], run.counts["unset"]) == (1, 1, 1)


def test_a_number_as_zip_is_told_and_no_warning_of_the_run(shop: Shop) -> None:
    shop.sql = "SELECT email, 2138 AS zip, tier FROM People"
    shop.configure(first_send_nulls="keep")
    shop.people([ANA])
    [told] = shop.plan().warnings
    assert told.startswith('"zip" is a number: leading zeros are lost, 02138 is sent as 2138.')
    run = shop.run()
    assert (run.status, list(run.warnings)) == (RunStatus.COMPLETED, [])
    compare = run.task("compare")
    assert compare is not None
    assert compare.outcome["notes"] == [told]
    assert shop.profile("ana@mail.shop")["location"]["zip"] == "2138"


def test_what_is_told_of_columns_concerns_full_profiles_only(shop: Shop) -> None:
    shop.sql = 'SELECT email, 2138 AS zip, first_name AS "First_Name" FROM People'
    shop.configure(use_full_profile=False)
    shop.people([ANA])
    assert shop.plan().warnings == ()
    shop.configure(use_full_profile=True)
    assert any('"First_Name" becomes a custom property' in warning for warning in shop.plan().warnings)
