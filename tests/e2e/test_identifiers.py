"""A phone number or an external id that moves between two people never makes one of them."""

from __future__ import annotations

from typing import Any

import pytest

from segue.workflow.status import RunStatus

from .shop import Shop

PHONE, OTHER = "+4366412345678", "+4366487654321"
ANA: dict[str, Any] = {"email": "ana@mail.shop", "first_name": "Ana", "city": "Graz", "tier": "gold", "points": 1}
BO: dict[str, Any] = {"email": "bo@mail.shop", "first_name": "Bo", "city": "Wien", "tier": "gold", "points": 2}
BOTH = {"ana@mail.shop", "bo@mail.shop"}


def phones(shop: Shop) -> list[str | None]:
    return [shop.profile(email)["phone_number"] for email in sorted(BOTH)]


@pytest.mark.parametrize("ana", [{}, {"points": 9}], ids=["alone", "with another change"])
def test_a_number_that_klaviyo_keeps_for_one_person_is_not_given_to_another(shop: Shop, ana: dict[str, Any]) -> None:
    shop.people([{**ANA, "phone_number": PHONE}, BO])
    shop.run()
    shop.people([{**ANA, **ana}, {**BO, "phone_number": PHONE}])
    # Ana keeps the number at Klaviyo for ever, so no later run may give it away either.
    for _ in range(3):
        run = shop.run()
        assert run.status is RunStatus.WARNINGS, run.error
        assert shop.plan().problems == {"phone_number_held": 1}
        assert phones(shop) == [PHONE, None]
        assert shop.members() == BOTH
    assert (shop.profile("ana@mail.shop")["first_name"], shop.profile("bo@mail.shop")["first_name"]) == ("Ana", "Bo")


def test_a_number_is_given_on_once_its_holder_has_another(shop: Shop) -> None:
    shop.people([{**ANA, "phone_number": PHONE}, BO])
    shop.run()
    shop.people([{**ANA, "phone_number": OTHER}, {**BO, "phone_number": PHONE}])
    shop.run()
    assert phones(shop) == [OTHER, None]
    shop.run()
    assert phones(shop) == [OTHER, PHONE]
    assert shop.run().counts["unchanged"] == 2
    assert shop.members() == BOTH


def test_a_number_is_given_on_once_it_is_cleared(shop: Shop) -> None:
    shop.configure(clear_identifiers=True, max_clear_share=1.0)
    shop.people([{**ANA, "phone_number": PHONE}, BO])
    shop.run()
    shop.people([ANA, {**BO, "phone_number": PHONE}])
    shop.run()
    assert phones(shop) == [None, None]
    shop.run()
    assert phones(shop) == [None, PHONE]
    assert shop.members() == BOTH


def test_two_who_change_numbers_stay_two(shop: Shop) -> None:
    shop.people([{**ANA, "phone_number": PHONE}, {**BO, "phone_number": OTHER}])
    shop.run()
    shop.people([{**ANA, "phone_number": OTHER}, {**BO, "phone_number": PHONE}])
    for _ in range(2):
        shop.run()
        assert phones(shop) == [PHONE, OTHER]
        assert shop.members() == BOTH


def test_an_external_id_of_somebody_who_leaves_waits(shop: Shop) -> None:
    shop.people([{**ANA, "external_id": "c-1"}, BO])
    shop.run()
    shop.configure(max_remove_share=1.0)
    shop.people([{**BO, "external_id": "c-1"}])
    run = shop.run()
    assert run.status is RunStatus.WARNINGS, run.error
    assert shop.members() == {"bo@mail.shop"}
    assert shop.profile("ana@mail.shop")["external_id"] == "c-1"
    assert shop.profile("bo@mail.shop")["external_id"] is None


def test_a_number_stays_held_while_its_column_is_away(shop: Shop) -> None:
    shop.people([{**ANA, "phone_number": PHONE}, BO])
    shop.run()
    shop.configure(use_full_profile=False)
    shop.run()
    shop.configure(use_full_profile=True)
    shop.people([ANA, {**BO, "phone_number": PHONE}])
    shop.run()
    assert phones(shop) == [PHONE, None]
    assert shop.members() == BOTH
