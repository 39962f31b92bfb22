"""A run of unchanged data after one that found nothing to send: it takes that run's word, and only then."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from segue.services.rejects import rejects
from segue.services.workspace import open_workspace
from segue.workflow.records import RunRecord

from .shop import Shop

ANA: dict[str, Any] = {"email": "ana@mail.shop", "first_name": "Ana", "tier": "gold", "points": 7}
BO: dict[str, Any] = {"email": "bo@mail.shop", "first_name": "Bo", "tier": "blue", "points": 3}
LOST: dict[str, Any] = {"email": "not an address", "first_name": "Cy"}


def same_as(run: RunRecord) -> str | None:
    """The run whose word was taken."""
    task = run.task("query")
    assert task is not None
    return task.outcome.get("same_as")


def write_anew(shop: Shop, people: Sequence[dict[str, Any]]) -> None:
    """A new file, of the same size for as few people."""
    (shop.folder / "shop.duckdb").unlink()
    shop.people(people)


def settled(shop: Shop, *people: dict[str, Any]) -> RunRecord:
    """Send them, and run once more: the run that found nothing to send."""
    shop.configure(max_reject_share=1.0, max_remove_share=1.0, max_clear_share=1.0)
    write_anew(shop, people)
    shop.run()
    run = shop.run()
    assert same_as(run) is None
    return run


def rejected(shop: Shop, run: RunRecord) -> list[str | None]:
    workspace = open_workspace(shop.settings)
    try:
        return [reject.value for reject in rejects(workspace, run.id)]
    finally:
        workspace.close()


def write_unseen(shop: Shop, people: Sequence[dict[str, Any]]) -> None:
    """Write to the database, and let its file look as if nobody had."""
    file = shop.folder / "shop.duckdb"
    before = file.stat()
    write_anew(shop, people)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def test_the_third_run_of_the_same_data_says_what_the_second_said(shop: Shop) -> None:
    second = settled(shop, ANA, BO, LOST)
    before = shop.calls()
    third, fourth = shop.run(), shop.run()
    assert same_as(third) == same_as(fourth) == second.id
    assert third.counts == fourth.counts == second.counts
    assert (third.counts["source"], third.counts["unchanged"], third.counts["rejected"]) == (3, 2, 1)
    assert third.status == fourth.status == second.status
    assert third.warnings == second.warnings
    assert rejected(shop, fourth) == ["not an address"]
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}
    writes = {
        name for name, calls in shop.calls().items() if calls != before.get(name, 0) and not name.startswith("GET")
    }
    assert writes == set()


@pytest.mark.parametrize(
    "people",
    [
        pytest.param(({**ANA, "points": 8}, BO, LOST), id="a value"),
        pytest.param(({**ANA, "points": 3}, {**BO, "points": 7}, LOST), id="two values exchanged"),
        pytest.param(({**ANA, "tier": None}, BO, LOST), id="a value that is gone"),
        pytest.param((ANA, LOST), id="a person who left"),
    ],
)
def test_a_change_is_sent(shop: Shop, people: tuple[dict[str, Any], ...]) -> None:
    settled(shop, ANA, BO, LOST)
    write_unseen(shop, people)
    run = shop.run()
    assert same_as(run) is None
    assert shop.members() == {p["email"] for p in people if "@" in p["email"]}
    for person in people:
        if "@" in person["email"]:
            wanted = {name: person[name] for name in ("tier", "points") if person[name] is not None}
            assert shop.profile(person["email"])["properties"] == wanted


def test_data_written_anew_without_a_change_are_compared(shop: Shop) -> None:
    settled(shop, ANA, BO)
    shop.people([ANA, BO])  # other files: only a comparison can say that they hold the same
    run = shop.run()
    assert same_as(run) is None
    assert run.counts["unchanged"] == 2


def test_a_query_that_tells_the_time_is_compared_each_time(shop: Shop) -> None:
    # The moment is not sent, so nothing changes there; the rows are others all the same.
    shop.sql = "SELECT email, CAST(now() AS timestamp) AS last_event_date FROM People"
    shop.configure(use_full_profile=False)
    for run in (settled(shop, ANA), shop.run(), shop.run()):
        assert same_as(run) is None
        assert run.counts["unchanged"] == 1


def test_other_settings_are_compared(shop: Shop) -> None:
    settled(shop, ANA, BO)
    shop.configure(nulls="keep")
    assert same_as(shop.run()) is None


def test_what_an_undo_took_back_is_sent_again(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people([ANA, BO])
    first = shop.run()
    shop.run()
    shop.undo(first.id)
    assert shop.members() == set()
    again = shop.run()
    assert same_as(again) is None
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}


def test_a_list_that_is_owned_whole_is_looked_at_each_time(shop: Shop) -> None:
    shop.configure(own_whole_list=True, max_remove_share=1.0)
    settled(shop, ANA, BO)
    shop.admin.add_members("People", ["friend@else.shop"])
    run = shop.run()
    assert same_as(run) is None
    assert shop.members() == {"ana@mail.shop", "bo@mail.shop"}


def test_without_the_rejects_of_the_run_before_the_rows_are_compared(shop: Shop) -> None:
    second = settled(shop, ANA, LOST)
    (shop.folder / "home" / "runs" / second.id / "rejects.parquet").unlink()
    run = shop.run()
    assert same_as(run) is None
    assert rejected(shop, run) == ["not an address"]


def test_a_plan_of_unchanged_data_is_that_of_a_comparison(shop: Shop) -> None:
    settled(shop, ANA, BO, LOST)
    short = shop.plan()
    shop.people([ANA, BO, LOST])  # written anew, so it is compared
    assert shop.plan() == short
