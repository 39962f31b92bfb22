"""What ways out do beyond passing a fault (that is in ``test_ways_out``), and what they refuse to do."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from segue.cli.main import run as command
from segue.errors import CredentialError, UsageError
from segue.resolutions import Action
from segue.security import Secret
from segue.workflow.records import RunRecord
from segue.workflow.resolve import Offer, offer, resolve
from segue.workflow.status import RunStatus
from tests.e2e.shop import NAME, Shop

JOBS = "POST /api/profile-bulk-import-jobs"
READ = "GET /api/lists/{id}/profiles"


def offered(shop: Shop, run: RunRecord) -> Offer:
    return shop._with_runner(lambda runner: offer(runner, run.id))


def take(shop: Shop, run: RunRecord, action: Action, **given: Any) -> RunRecord:
    return shop._with_runner(lambda runner: resolve(runner, run.id, action, **given))


def failing(shop: Shop, code: str) -> RunRecord:
    run = shop.run()
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error["code"] == code, run.error
    return run


def well(shop: Shop, run: RunRecord, *, people: int = 12) -> None:
    assert run.status in (RunStatus.COMPLETED, RunStatus.WARNINGS), run.error
    assert shop.members() == {f"p{i}@mail.shop" for i in range(people)}


def test_a_skipped_read_back_is_said(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", READ, status=418, count=1)
    ended = take(shop, failing(shop, "unexpected_answer"), Action.SKIP)
    assert any("not read back" in warning for warning in ended.warnings)
    assert ended.counts["added"] == 12


def test_the_sending_of_rows_is_never_skipped(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", JOBS, status=418, count=1)
    run = failing(shop, "unexpected_answer")
    assert Action.SKIP not in offered(shop, run).actions
    with pytest.raises(UsageError, match="does not fit"):
        take(shop, run, Action.SKIP)


def test_a_new_key_is_tried_before_it_is_kept(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.add_key("pk_reader", scopes=["accounts:read", "lists:read", "profiles:read"])
    shop.key = "pk_reader"
    shop.configure()
    run = failing(shop, "scope_missing")
    shop.admin.add_account("OTHER1", name="Other shop").add_key("pk_other")
    for key, code in (("pk_wrong", "key_refused"), ("pk_reader", "scope_missing"), ("pk_other", "other_account")):
        with pytest.raises(CredentialError) as caught:
            take(shop, run, Action.UPDATE_CREDENTIAL, key=Secret(key))
        assert caught.value.code == code
    with pytest.raises(UsageError, match="no new key"):
        take(shop, run, Action.UPDATE_CREDENTIAL)
    ended = take(shop, run, Action.UPDATE_CREDENTIAL, key=Secret("pk_test"))
    well(shop, ended)
    assert ended.id == run.id
    assert shop.run().counts["unchanged"] == 12


def test_one_of_two_lists_is_chosen_for_good(shop: Shop) -> None:
    shop.generate(12)
    head = {"authorization": "Klaviyo-API-Key pk_test", "revision": "2026-07-15"}
    for _ in range(2):
        body = {"data": {"type": "list", "attributes": {"name": "People"}}}
        httpx.post(f"{shop.emulator.url}/api/lists", json=body, headers=head).raise_for_status()
    run = failing(shop, "list_ambiguous")
    first, second = (entry["id"] for entry in shop.admin.lists())
    offers = offered(shop, run)
    assert set(offers.lists) == {first, second}
    with pytest.raises(UsageError, match="none of the lists"):
        take(shop, run, Action.CHOOSE_LIST, list_id="Nowhere")
    ended = take(shop, run, Action.CHOOSE_LIST, list_id=second)
    assert ended.status is RunStatus.COMPLETED, ended.error
    assert (ended.id, ended.list_id) == (run.id, second)
    assert len(shop.admin.emails(second)) == 12
    assert shop.admin.emails(first) == []
    assert shop.run().counts["unchanged"] == 12


def test_an_allowed_fuse_is_allowed_once(shop: Shop) -> None:
    shop.generate(12)
    shop.run()
    shop.generate(4)
    run = failing(shop, "fuse_blown")
    assert offered(shop, run).fuses == ("max_remove_share",)
    well(shop, take(shop, run, Action.ALLOW_FUSE), people=4)
    shop.generate(1)
    failing(shop, "fuse_blown")


def test_a_killed_run_is_taken_up(shop: Shop) -> None:
    shop.generate(12)
    shop.killed_at("import-accepted-after")
    [run] = shop._with_runner(lambda runner: runner.records.recent(limit=1))
    assert offered(shop, run).code == "stopped"
    ended = take(shop, run, Action.RETRY)
    well(shop, ended)
    assert len(shop.admin.jobs()) == 1


def test_a_run_is_given_up_and_begun_anew(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", "GET /api/profile-bulk-import-jobs", status=400, count=1)
    run = failing(shop, "refused")
    ended = take(shop, run, Action.ANEW)
    well(shop, ended)
    assert ended.id != run.id
    assert ended.counts["unchanged"] == 12


def test_restart_takes_todays_settings_where_they_do_not_shape_what_is_sent(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", READ, status=400, count=1)
    run = failing(shop, "refused")
    shop.configure(read_back=0)
    ended = take(shop, run, Action.RESTART)
    well(shop, ended)
    assert (ended.id, run.settings["read_back"], ended.settings["read_back"]) == (run.id, 100, 0)
    assert len(shop.admin.jobs()) == 1


def test_restart_begins_a_run_where_todays_settings_shape_what_is_sent(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", READ, status=400, count=1)
    run = failing(shop, "refused")
    shop.configure(list_name="Second")
    ended = take(shop, run, Action.RESTART)
    assert ended.status in (RunStatus.COMPLETED, RunStatus.WARNINGS), ended.error
    assert (ended.id != run.id, ended.list_name) == (True, "Second")
    assert len(shop.members("Second")) == 12


def test_an_overtaken_run_is_left_alone(shop: Shop) -> None:
    first = failing(shop, "fuse_blown")
    second = failing(shop, "fuse_blown")
    assert offered(shop, first).actions == (Action.RESTART,)
    assert Action.ALLOW_FUSE in offered(shop, second).actions
    with pytest.raises(UsageError, match="overtaken"):
        shop._with_runner(lambda runner: runner.resume(first.id))


def test_the_command_shows_and_does_it(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)

    def segue(*arguments: str) -> tuple[int, str, str]:
        code = command(["resolve", *arguments])
        return code, *capsys.readouterr()

    shop.generate(12)
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    shop.configure(max_reject_share=0)
    run = failing(shop, "fuse_blown")
    code, out, err = segue(run.id)
    assert (code, err) == (0, "")
    assert f"segue resolve {run.id} --with allow_fuse   (max_reject_share)" in out
    facts = json.loads(segue(run.id, "--json")[1])
    assert (facts["code"], facts["task"], facts["fuses"]) == ("fuse_blown", "fuses", ["max_reject_share"])
    assert [entry["action"] for entry in facts["actions"]] == ["allow_fuse", "restart"]
    code, _, err = segue(run.id, "--with", "alow_fuse")
    assert (code, 'did you mean "allow_fuse"?' in err) == (2, True)
    code, out, err = segue(run.id, "--with", "allow_fuse", "--json")
    assert code == 3, err
    assert json.loads(out)["run_id"] == run.id
    assert NAME in out


@pytest.mark.parametrize("action", [Action.RETRY, Action.RESTART])
def test_what_comes_of_a_test_send_is_one_again(shop: Shop, action: Action) -> None:
    shop.generate(12)
    shop.admin.fault("status", READ, status=400, count=1)
    run = shop.run(max_rows=5)
    assert run.status is RunStatus.FAILED
    ended = take(shop, run, action)
    assert (ended.id, ended.status) == (run.id, RunStatus.WARNINGS)
    assert len(shop.members()) == 5
    assert shop.run().counts["added"] == 7


def test_a_test_send_that_is_begun_anew_stays_one(shop: Shop) -> None:
    shop.generate(12)
    shop.admin.fault("status", "GET /api/lists", status=400, count=1)
    run = shop.run(max_rows=5)
    assert run.status is RunStatus.FAILED
    ended = take(shop, run, Action.RESTART)
    assert (ended.status, len(shop.members())) == (RunStatus.WARNINGS, 5)
