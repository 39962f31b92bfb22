"""Two orchestrations that send to one list: whatever runs when, the list has the people of both."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
import yaml

from segue.delivery.progress import Quiet
from segue.services.configuration import apply_files
from segue.services.workspace import open_workspace
from segue.workflow.records import RunRecord
from segue.workflow.run import Runner
from segue.workflow.sync import plan

from .shop import NAME, Shop

OTHER = "Others to Klaviyo"
STAYS = "on the list: another orchestration has them there"


def send_others_too(shop: Shop, **settings: Any) -> None:
    """The shop's orchestration sends who has a `first` in the tier, a second one sends to the same list who has an `other`."""
    shop.sql = "SELECT email, first_name FROM People WHERE tier LIKE '%first%'"
    shop.configure(max_remove_share=1.0, allow_empty=True, read_back=0)
    template = {"list_name": "People", "max_remove_share": 1.0, "allow_empty": True, "read_back": 0}
    document = {
        "version": 1,
        "queries": [
            {
                "name": "Others",
                "database": "shop",
                "status": "active",
                "sql": "SELECT email FROM People WHERE tier LIKE '%other%'",
            }
        ],
        "data_templates": [{"name": "Others", "destination": "Klaviyo", **template}],
        "orchestrations": [
            {
                "name": OTHER,
                "query": "Others",
                "destination": "Klaviyo",
                "data_template": "Others",
                "settings": settings,
            }
        ],
    }
    path = shop.folder / "others.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    workspace = open_workspace(shop.settings)
    try:
        apply_files(workspace, [path], environ={})
    finally:
        workspace.close()


def run(shop: Shop, name: str) -> RunRecord:
    record: RunRecord = shop._with_runner(lambda runner: runner.run(name).run)
    assert record.error is None, record.error
    return record


def people(shop: Shop, **tiers: str) -> None:
    shop.people([{"email": f"{name}@mail.shop", "first_name": name, "tier": tier} for name, tier in tiers.items()])


def members(shop: Shop) -> set[str]:
    return {email.partition("@")[0] for email in shop.members()}


def test_who_leaves_one_orchestration_stays_for_the_other(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other", di="other")
    run(shop, NAME)
    run(shop, OTHER)
    people(shop, ana="first", bo="first", cy="other")
    planned = shop._with_runner(lambda runner: plan(runner, OTHER))
    assert planned.removed == 1
    assert any(text.startswith("1 person who leaves stays on the list: another") for text in planned.warnings)
    ended = run(shop, OTHER)
    assert members(shop) == {"ana", "bo", "cy"}
    assert ended.counts["removed"] == 1
    assert any(STAYS in text for text in ended.warnings)
    # The second one has forgotten Bo: when the first one drops her too, she leaves.
    assert not run(shop, OTHER).warnings
    people(shop, ana="first", cy="other")
    assert run(shop, NAME).counts["removed"] == 1
    assert members(shop) == {"ana", "cy"}


def test_who_is_released_may_come_back(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other")
    run(shop, NAME)
    run(shop, OTHER)
    people(shop, ana="first", bo="first")
    run(shop, OTHER)
    people(shop, ana="first", bo="other")
    run(shop, OTHER)
    run(shop, NAME)
    assert members(shop) == {"ana", "bo"}


@pytest.mark.parametrize("order", list(product((NAME, OTHER), repeat=2)))
def test_after_any_order_of_runs_the_list_has_everybody(shop: Shop, order: tuple[str, str]) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other", di="first other")
    run(shop, NAME)
    run(shop, OTHER)
    people(shop, ana="other", bo="first", cy="first other", ed="other")
    for name in (*order, NAME, OTHER):
        run(shop, name)
    assert members(shop) == {"ana", "bo", "cy", "ed"}


@pytest.mark.parametrize("order", [(NAME, OTHER), (OTHER, NAME)])
def test_people_of_another_orchestration_are_no_strangers(shop: Shop, order: tuple[str, str]) -> None:
    send_others_too(shop, own_whole_list=True)
    people(shop, ana="first", bo="first other", cy="other")
    for name in order:
        run(shop, name)
    shop.admin.add_members("People", ["friend@else.shop"])
    assert run(shop, OTHER).counts["removed"] == 1
    assert members(shop) == {"ana", "bo", "cy"}


def test_a_deleted_orchestration_keeps_nobody(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other")
    run(shop, NAME)
    run(shop, OTHER)
    apply_pruned(shop)
    people(shop, ana="first")
    run(shop, NAME)
    assert members(shop) == {"ana", "cy"}


def test_who_leaves_after_a_rename_leaves_the_list(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    people(shop, ana="first", bo="first")
    before = shop.run()
    path = shop.folder / "segue.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(NAME, OTHER), encoding="utf-8")
    apply_pruned(shop)
    people(shop, ana="first")
    assert run(shop, OTHER).counts["removed"] == 1
    assert members(shop) == {"ana"}
    # Its earlier runs are still its own: the one that added Ana can be undone.
    assert shop.undo(before.id).error is None
    assert members(shop) == set()


def test_an_undo_leaves_whom_another_orchestration_has(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other")
    run(shop, OTHER)
    first = run(shop, NAME)
    undone = shop.undo(first.id)
    assert undone.error is None
    assert members(shop) == {"bo"}
    assert undone.counts["removed"] == 1
    assert any(STAYS in text for text in undone.warnings)


def apply_pruned(shop: Shop) -> None:
    workspace = open_workspace(shop.settings)
    try:
        apply_files(workspace, [shop.folder / "segue.yaml"], environ={}, prune=True)
    finally:
        workspace.close()


def test_who_another_orchestration_sends_meanwhile_is_not_removed(shop: Shop) -> None:
    """The first one dies with Bo staged as a leaver, the second one sends her, the first one goes on."""
    send_others_too(shop)
    people(shop, ana="first", bo="first")
    run(shop, NAME)
    people(shop, ana="first", bo="other", cy="other")
    shop.killed_at("remove-complete-before")
    shop.admin.add_members("People", ["bo@mail.shop"])  # as if the kill had come before the request
    run(shop, OTHER)
    ended = run(shop, NAME)
    assert members(shop) == {"ana", "bo", "cy"}
    assert any(text.startswith("1 person who left stays on the list: another orch") for text in ended.warnings)
    # The first one has forgotten her: when the second one drops her, she leaves.
    people(shop, ana="first", cy="other")
    run(shop, NAME)
    run(shop, OTHER)
    assert members(shop) == {"ana", "cy"}


class Seen(Quiet):
    """One of two runs at once: it does not go past its comparison before the other one has compared, or waits."""

    def __init__(self) -> None:
        self.compared = threading.Event()
        self.other: Seen | None = None
        self.said: list[str] = []

    def end(self, task: str, summary: str) -> None:
        if task == "fuses":
            self.compared.set()
            assert self.other is not None
            assert self.other.compared.wait(60)

    def tell(self, text: str) -> None:
        self.said.append(text)
        self.compared.set()


def both_at_once(shop: Shop) -> list[str]:
    """Run both orchestrations side by side; what they said while they waited."""
    seen = Seen(), Seen()
    seen[0].other, seen[1].other = seen[1], seen[0]

    def begin(name: str, progress: Seen) -> RunRecord:
        workspace = open_workspace(shop.settings)
        try:
            runner = Runner(workspace=workspace, settings=shop.settings, progress=progress, stop=threading.Event())
            return runner.run(name).run
        finally:
            workspace.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(begin, *each) for each in zip((NAME, OTHER), seen, strict=True)]:
            record = future.result()
            assert record.error is None, record.error
    return [*seen[0].said, *seen[1].said]


WAITS = ["Another run sends to the same list: this one waits until it has ended."]


def test_two_runs_at_once_make_one_list(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other")
    assert both_at_once(shop) == WAITS
    assert len(shop.admin.lists()) == 1
    assert members(shop) == {"ana", "bo", "cy"}


def test_who_leaves_both_at_once_leaves_the_list(shop: Shop) -> None:
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other")
    run(shop, NAME)
    run(shop, OTHER)
    people(shop, ana="first", cy="other")
    assert both_at_once(shop) == WAITS
    assert members(shop) == {"ana", "cy"}


def test_who_was_left_to_the_other_one_and_leaves_it_too_is_removed(shop: Shop) -> None:
    """The first run dies with Bo left to the second one, which drops her before the first goes on."""
    send_others_too(shop)
    people(shop, ana="first", bo="first other", cy="other")
    run(shop, NAME)
    run(shop, OTHER)
    people(shop, ana="first", bo="other", cy="other", di="first")
    shop.killed_at("import-complete-after")
    people(shop, ana="first", cy="other", di="first")
    run(shop, OTHER)
    run(shop, NAME)
    run(shop, NAME)
    assert members(shop) == {"ana", "cy", "di"}
