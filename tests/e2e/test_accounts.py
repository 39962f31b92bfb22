"""A run and its undo stay in the account and on the list for which they were made, whatever is configured meanwhile."""

from __future__ import annotations

import json
import shutil

import pytest

from segue.errors import UsageError
from segue.workflow.status import RunStatus

from .shop import NAME, Shop


def test_an_undo_leaves_another_list_alone(shop: Shop) -> None:
    shop.generate(20)
    first = shop.run()
    shop.configure(list_name="VIP")
    shop.run()
    undone = shop.undo(first.id, allowed=["max_remove_share"])
    assert undone.error is not None
    assert undone.error["code"] == "list_moved"
    assert len(shop.members("VIP")) == 20
    assert len(shop.members("People")) == 20


def test_an_undo_that_empties_the_list_must_be_allowed(shop: Shop) -> None:
    shop.generate(20)
    first = shop.run()
    undone = shop.undo(first.id)
    assert undone.error is not None
    assert undone.error["code"] == "fuse_blown"
    assert len(shop.members()) == 20
    assert shop.undo(first.id, allowed=["max_remove_share"]).error is None
    assert shop.members() == set()


def test_an_unfinished_run_does_nothing_in_another_account(shop: Shop) -> None:
    shop.configure(max_clear_share=1.0)
    shop.generate(200)
    shop.run()
    shop.change("UPDATE People SET city = NULL")
    shop.killed_at("clear-complete-after")
    other = shop.admin.add_account("OTHER1", name="Other shop")
    other.add_key("pk_other")
    other.seed(profiles=[{"email": "p150@mail.shop", "location": {"city": "Paris"}}])
    shop.key = "pk_other"
    shop.configure()
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "another_account"
    stranger = other.profile("p150@mail.shop")
    assert stranger is not None
    assert stranger["location"]["city"] == "Paris"
    assert other.profile("p151@mail.shop") is None
    # The first key finishes the run where it began.
    shop.key = "pk_test"
    shop.configure()
    assert shop.run().status is RunStatus.COMPLETED
    assert shop.profile("p151@mail.shop")["location"]["city"] is None


def test_giving_up_begins_anew_in_the_other_account(shop: Shop) -> None:
    shop.generate(20)
    shop.killed_at("import-accepted-after")
    other = shop.admin.add_account("OTHER1", name="Other shop")
    other.add_key("pk_other")
    shop.key = "pk_other"
    shop.configure()
    run = shop.run(restart=True)
    assert run.error is None, run.error
    assert len(other.emails("People")) == 20


def test_a_key_that_cannot_show_its_account_keeps_the_baseline(shop: Shop) -> None:
    scopes = ["lists:read", "lists:write", "profiles:read", "profiles:write"]
    for key in ("pk_one", "pk_two"):
        shop.admin.add_key(key, scopes=scopes)
    shop.generate(20)
    shop.key = "pk_one"
    shop.configure()
    shop.run()
    shop.change("DELETE FROM People WHERE points = 1")
    shop.key = "pk_two"
    shop.configure()
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["removed"]) == (19, 1)
    assert shop.members() == {f"p{i}@mail.shop" for i in range(20) if i != 1}
    shop.key = "pk_test"
    shop.configure()
    assert shop.run().counts["unchanged"] == 19


def test_lost_working_files_are_said_and_given_up(shop: Shop) -> None:
    shop.generate(20)
    shop.killed_at("import-accepted-after")
    for folder in (shop.folder / "home" / "runs").iterdir():
        shutil.rmtree(folder)
    run = shop.run()
    assert run.error is not None
    assert run.error["code"] == "staging_lost"
    assert "--restart" in run.error["steps"][0]
    again = shop.run(restart=True)
    assert again.error is None, again.error
    assert len(shop.members()) == 20


def test_a_plan_or_an_undo_beside_an_unfinished_run_is_refused(shop: Shop) -> None:
    shop.generate(20)
    first = shop.run()
    shop.change("DELETE FROM People WHERE points = 1")
    shop.change("UPDATE People SET tier = 'blue' WHERE points = 2")
    shop.killed_at("import-accepted-after")
    with pytest.raises(UsageError, match="unfinished"):
        shop.run(plan_id="0" * 16)
    with pytest.raises(UsageError, match="unfinished"):
        shop.undo(first.id)
    done = shop.command("run", NAME, "--plan", "0" * 16, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "unfinished_run"
    assert shop.run().counts["removed"] == 1


def test_a_refused_run_says_its_counts(shop: Shop) -> None:
    shop.generate(20)
    shop.admin.fault("status", "POST /api/profile-bulk-import-jobs", status=401, count=1)
    run = shop.run()
    assert run.status is RunStatus.FAILED
    assert (run.counts["source"], run.counts["added"], run.counts["warned"]) == (20, 0, 20)
