"""Each way out that can be provoked, against the emulator: the run fails, the cause is put right, the run ends well."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from segue.errors import CredentialError, UsageError
from segue.resolutions import Action
from segue.security import Secret
from segue.workflow.records import RunRecord
from segue.workflow.resolve import Offer, offer, resolve
from segue.workflow.status import RunStatus
from segue.workflow.ways import Here
from tests.e2e.shop import NAME, Shop

JOBS = "POST /api/profile-bulk-import-jobs"
READ = "GET /api/lists/{id}/profiles"
Prepare = Callable[[Shop], Any]


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


def fault(endpoint: str, status: int) -> Prepare:
    return lambda shop: shop.admin.fault("status", endpoint, status=status, count=1)


def sql(text: str) -> Prepare:
    return lambda shop: shop.change(text)


def nothing(shop: Shop) -> None:
    """The cause is gone by itself."""


def configured(**template: Any) -> Prepare:
    return lambda shop: shop.configure(**template)


def query(text: str) -> Prepare:
    def prepare(shop: Shop) -> None:
        shop.sql = text
        shop.configure()

    return prepare


def hidden(shop: Shop) -> None:
    (shop.folder / "shop.duckdb").rename(shop.folder / "elsewhere.duckdb")


def back(shop: Shop) -> None:
    (shop.folder / "elsewhere.duckdb").replace(shop.folder / "shop.duckdb")


def spoilt(shop: Shop) -> None:
    hidden(shop)
    (shop.folder / "shop.duckdb").write_bytes(b"no database at all, but long enough to look like one" * 400)


def impatient(shop: Shop) -> None:
    shop.environment["SEGUE_QUERY_SECONDS"] = "2"
    everybody = (
        "People a CROSS JOIN People b CROSS JOIN People c WHERE sin(a.points) + sin(b.points) + sin(c.points) > 3"
    )
    query(f"SELECT p.* FROM ({shop.sql}) p CROSS JOIN {everybody}")(shop)
    shop.generate(3000)


def patient(shop: Shop) -> None:
    query("SELECT email FROM People")(shop)
    shop.generate(12)


def doubled(shop: Shop) -> None:
    shop.configure(duplicates="fail")
    shop.change("INSERT INTO People SELECT * REPLACE ('other' AS city) FROM People WHERE points = 1")


def unordered(shop: Shop) -> None:
    shop.change("ALTER TABLE People ADD COLUMN seen VARCHAR")
    shop.change("UPDATE People SET seen = '9'")
    shop.change("INSERT INTO People SELECT * REPLACE ('other' AS tier, '10' AS seen) FROM People WHERE points = 1")
    query("SELECT email, tier, seen AS last_event_date FROM People")(shop)


def full(shop: Shop) -> None:
    shop.admin.settings(max_groups=1)
    shop.admin.seed(lists={"Other": []})


PEOPLE = "SELECT email, CAST(tier AS integer) AS tier FROM People"
RETRY, RESTART = Action.RETRY, Action.RESTART
CASES: dict[str, tuple[Prepare, Prepare, Action, str]] = {
    # code: (what goes wrong, what puts it right, the way out, the task that fails)
    "missing_table": (sql("ALTER TABLE People RENAME TO Moved"), sql("ALTER TABLE Moved RENAME TO People"), RETRY, "query"),
    "unresolved_column": (
        sql("ALTER TABLE People RENAME tier TO rank"),
        sql("ALTER TABLE People RENAME rank TO tier"),
        RESTART,
        "query",
    ),
    "invalid_cast": (query(PEOPLE), query("SELECT email, TRY_CAST(tier AS integer) AS tier FROM People"), RESTART, "query"),
    "division_by_zero": (
        query("SELECT email, 10 / points AS share FROM People"),
        query("SELECT email, 10 / nullif(points, 0) AS share FROM People"),
        RESTART,
        "query",
    ),
    "key_column_missing": (query("SELECT email AS mail FROM People"), query("SELECT email FROM People"), RESTART, "query"),
    "column_repeated": (
        query("SELECT email, tier, city AS tier FROM People"),
        query("SELECT email, tier, city FROM People"),
        RESTART,
        "query",
    ),
    "latest_not_ordered": (
        unordered,
        query("SELECT email, tier, CAST(seen AS integer) AS last_event_date FROM People"),
        RESTART,
        "query",
    ),
    "duplicate_keys": (doubled, configured(duplicates="latest_by: last_event_date"), RESTART, "query"),
    "database_missing": (hidden, back, RETRY, "query"),
    "database_invalid": (spoilt, back, RETRY, "query"),
    "query_timeout": (impatient, patient, RESTART, "query"),
    "fuse_blown": (configured(max_reject_share=0), nothing, Action.ALLOW_FUSE, "fuses"),
    "maximum_lists": (full, lambda shop: shop.admin.settings(max_groups=1000), RETRY, "list"),
    "list_refused": (fault("POST /api/lists", 400), nothing, RETRY, "list"),
    "key_refused": (fault(JOBS, 401), nothing, RETRY, "send"),
    "list_gone": (fault(JOBS, 404), nothing, RESTART, "send"),
    "unexpected_answer": (fault(READ, 418), nothing, Action.SKIP, "reconcile"),
    "revision_retired": (fault("GET /api/profile-bulk-import-jobs", 410), nothing, RETRY, "confirm"),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_a_run_that_failed_ends_well(shop: Shop, code: str) -> None:
    wrong, right, action, task = CASES[code]
    shop.generate(12)
    if code == "fuse_blown":
        shop.change("INSERT INTO People (email) VALUES ('no address')")
    wrong(shop)
    run = failing(shop, code)
    offers = offered(shop, run)
    assert (offers.code, offers.task) == (code, task)
    assert action in offers.actions
    jobs = len(shop.admin.jobs())
    right(shop)
    ended = take(shop, run, action)
    well(shop, ended)
    fresh = action is RESTART
    assert (ended.id == run.id) is not fresh
    if not fresh:
        done = [t.name for t in run.tasks if t.name != task]
        assert {t.name: t.attempts for t in ended.tasks if t.name in done} == dict.fromkeys(done, 1)
        assert len(shop.admin.jobs()) == max(jobs, 1)
    with pytest.raises(UsageError, match="nothing to resolve"):
        offered(shop, ended)


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


def test_the_daily_cap_is_waited_for(shop: Shop) -> None:
    shop.admin.settings(daily_lists=1)
    shop.admin.seed(lists={"Mine": []})
    shop.generate(12)
    shop.run()
    shop.configure(list_name="Second")
    run = failing(shop, "list_daily_cap")
    offers = offered(shop, run)
    assert offers.actions[0] is Action.WAIT
    assert offers.opens_at is not None
    assert run.ended_at is not None
    assert timedelta(minutes=15) < offers.opens_at - run.ended_at <= timedelta(days=1)
    shop.admin.advance(86_400)
    opens_at = offers.opens_at
    ended = shop._with_runner(
        lambda runner: resolve(runner, run.id, Action.WAIT, way=Here(runner=runner, clock=lambda: opens_at))
    )
    assert ended.status in (RunStatus.COMPLETED, RunStatus.WARNINGS), ended.error
    assert ended.id == run.id
    assert len(shop.members("Second")) == 12


def test_an_allowed_fuse_is_allowed_once(shop: Shop) -> None:
    shop.generate(12)
    shop.run()
    shop.generate(4)
    run = failing(shop, "fuse_blown")
    assert offered(shop, run).fuses == ("max_remove_share",)
    well(shop, take(shop, run, Action.ALLOW_FUSE), people=4)
    shop.generate(1)
    failing(shop, "fuse_blown")


def test_a_run_without_its_working_files_is_begun_anew(shop: Shop) -> None:
    shop.generate(12)
    shop.killed_at("import-accepted-after")
    [run] = shop._with_runner(lambda runner: runner.records.recent(limit=1))
    (shop.folder / "home" / "runs" / run.id / "staged.json").unlink()
    lost = failing(shop, "staging_lost")
    assert offered(shop, lost).actions[0] is Action.ANEW
    well(shop, take(shop, lost, Action.ANEW))


def test_a_key_of_another_account_does_not_finish_the_run(shop: Shop) -> None:
    shop.generate(12)
    shop.killed_at("import-accepted-after")
    shop.admin.add_account("OTHER1", name="Other shop").add_key("pk_other")
    shop.key = "pk_other"
    shop.configure()
    run = failing(shop, "another_account")
    assert offered(shop, run).actions == (Action.UPDATE_CREDENTIAL, RETRY, Action.ANEW)
    ended = take(shop, run, Action.UPDATE_CREDENTIAL, key=Secret("pk_test"))
    well(shop, ended)
    assert ended.id == run.id


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
    shop.killed_at("import-accepted-after")
    [run] = shop._with_runner(lambda runner: runner.records.recent(limit=1))
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


def test_the_command_shows_and_does_it(shop: Shop) -> None:
    shop.generate(12)
    shop.change("INSERT INTO People (email) VALUES ('no address')")
    shop.configure(max_reject_share=0)
    run = failing(shop, "fuse_blown")
    shown = shop.command("resolve", run.id)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"segue resolve {run.id} --with allow_fuse   (max_reject_share)" in shown.stdout
    facts = json.loads(shop.command("resolve", run.id, "--json").stdout)
    assert (facts["code"], facts["task"], facts["fuses"]) == ("fuse_blown", "fuses", ["max_reject_share"])
    assert [entry["action"] for entry in facts["actions"]] == ["allow_fuse", "restart"]
    wrong = shop.command("resolve", run.id, "--with", "alow_fuse")
    assert (wrong.returncode, 'did you mean "allow_fuse"?' in wrong.stderr) == (2, True)
    done = shop.command("resolve", run.id, "--with", "allow_fuse", "--json")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["run_id"] == run.id
    assert NAME in done.stdout


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
