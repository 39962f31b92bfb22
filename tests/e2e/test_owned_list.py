"""A list that Segue owns whole: who is on it beside the query's people leaves it, run after run."""

from __future__ import annotations

from segue.workflow.status import RunStatus

from .shop import Shop

ANA = {"email": "ana@mail.shop", "first_name": "Ana"}
BO = {"email": "bo@mail.shop", "first_name": "Bo"}


def test_a_later_run_removes_a_leaver_and_a_stranger_together(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.configure(own_whole_list=True, max_remove_share=1.0)
    shop.run()
    shop.admin.add_members("People", ["friend@else.shop"])
    shop.people([ANA])
    run = shop.run()
    assert run.status is RunStatus.COMPLETED, (run.error, run.warnings)
    assert shop.members() == {"ana@mail.shop"}
    assert run.counts["removed"] == 2
    # Nobody is left to remove, and both are forgotten.
    assert shop.run().counts["removed"] == 0


def test_a_plan_is_about_these_strangers_and_no_others(shop: Shop) -> None:
    shop.people([ANA])
    shop.configure(own_whole_list=True, max_remove_share=1.0)
    shop.run()
    shop.admin.add_members("People", ["friend@else.shop"])
    first = shop.plan()
    assert shop.plan().id == first.id
    shop.admin.remove_members("People", ["friend@else.shop"])
    shop.admin.add_members("People", ["other@else.shop"])
    second = shop.plan()
    assert (first.foreign, second.foreign) == (1, 1)
    assert second.id != first.id


def test_a_plan_says_the_requests_that_the_run_makes(shop: Shop) -> None:
    shop.people([ANA, BO])
    shop.configure(own_whole_list=True, max_remove_share=1.0)
    for friends in ([], ["friend@else.shop"]):
        if friends:
            shop.admin.add_members("People", friends)
            shop.people([ANA])
        plan = shop.plan()
        assert plan.foreign == len(friends)
        assert plan.requests == shop.run().requests
