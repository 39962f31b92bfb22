"""What runs stored goes after its time, and nothing that is needed goes with it."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from segue.catalog.base import now
from segue.catalog.locks import FileLocks
from segue.catalog.models import Orchestration
from segue.catalog.runs import AudienceSnapshot, DeliveryReject, ProfileId, Run, Task
from segue.errors import UsageError
from segue.services.history import history
from segue.services.retention import retention_entry, set_retention
from segue.services.workspace import Workspace, open_workspace
from segue.workflow.garbage import Collected, collect
from segue.workflow.housekeeping import collect_daily
from segue.workflow.records import RunRecord, RunRecords
from segue.workflow.status import RunStatus

from .shop import NAME, Shop

PAYLOADS = timedelta(days=91)
"""After this long people's data of a run have expired, its record has not."""
YEARS = timedelta(days=800)


@contextmanager
def opened(shop: Shop) -> Iterator[Workspace]:
    workspace = open_workspace(shop.settings)
    try:
        yield workspace
    finally:
        workspace.close()


def gc(shop: Shop, *, later: timedelta, since: datetime | None = None, dry_run: bool = False) -> Collected:
    """A collection so long after a moment, which is now where none is given."""
    with opened(shop) as workspace:
        return collect(workspace, shop.settings, at=(since or now()) + later, dry_run=dry_run)


def people(*numbers: int, tier: str = "gold") -> list[dict[str, object]]:
    return [{"email": f"p{n}@mail.shop", "first_name": f"Ana{n}", "tier": tier} for n in numbers]


def addresses(*numbers: int) -> set[str]:
    return {f"p{n}@mail.shop" for n in numbers}


def stored(shop: Shop) -> str:
    """The text of everything that Parquet files of the workspace hold, and of the metadata database."""
    home = shop.folder / "home"
    texts = [str(pq.read_table(path).to_pylist()) for path in home.rglob("*.parquet")]
    texts += [path.read_bytes().decode("latin-1") for path in home.glob("segue.db*")]
    return "\n".join(texts)


def segments(shop: Shop) -> list[Path]:
    return sorted((shop.folder / "home" / "snapshots").glob("*/*.parquet"))


def ended(run: RunRecord) -> datetime:
    assert run.ended_at is not None
    return run.ended_at


def test_who_was_removed_long_ago_is_nowhere_in_the_workspace(shop: Shop) -> None:
    shop.people([*people(1, 2), {"email": "quixote@mail.shop", "first_name": "Zuzanna", "city": "Zwettl"}])
    shop.configure(max_remove_share=1.0, max_clear_share=1.0, max_reject_share=1.0)
    shop.run()
    # Standard fields are cleared one by one, which keeps profile ids by address.
    shop.change("UPDATE People SET city = NULL, phone_number = 'quixote-0' WHERE email LIKE 'quixote%'")
    shop.run()
    shop.people(people(1, 2))
    shop.run()
    assert "quixote" in stored(shop)

    assert gc(shop, later=timedelta(days=89)).removed == {}
    assert "quixote" in stored(shop)

    done = gc(shop, later=PAYLOADS)
    assert done.merged == (NAME,)
    assert done.bytes > 0
    assert "quixote" not in stored(shop)
    assert "Zuzanna" not in stored(shop)
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["added"], run.counts["removed"]) == (2, 0, 0)
    assert shop.members() == addresses(1, 2)


def test_a_dry_run_says_what_the_next_one_removes_and_removes_nothing(shop: Shop) -> None:
    shop.people([*people(1, 2, 3), {"email": "nobody"}])
    shop.configure(max_remove_share=1.0, max_reject_share=1.0)
    shop.run()
    shop.people(people(1))
    shop.run()
    before = {path: path.read_bytes() for path in (shop.folder / "home").rglob("*.parquet")}
    said = gc(shop, later=PAYLOADS, dry_run=True)
    assert {path: path.read_bytes() for path in (shop.folder / "home").rglob("*.parquet")} == before
    assert said.removed == {"folders of runs": 2}
    assert said.bytes == sum(len(content) for path, content in before.items() if path.parent.parent.name == "runs")
    assert said.merged == (NAME,)
    done = gc(shop, later=PAYLOADS)
    assert done.merged == said.merged
    # Nobody reads the segments before the merged one after so long a time, so they go with it.
    assert done.removed == {"folders of runs": 2, "changes of runs": 2}
    assert gc(shop, later=PAYLOADS).removed == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_after_any_collection_the_next_run_sends_the_changes_alone(shop: Shop, seed: int) -> None:
    dice = random.Random(seed)
    shop.configure(max_remove_share=1.0, max_clear_share=1.0)
    held: dict[int, str] = {}
    runs: list[RunRecord] = []
    for _ in range(10):
        wanted = {n: dice.choice(("gold", "blue")) for n in dice.sample(range(30), dice.randint(10, 25))}
        shop.people([row for n, tier in wanted.items() for row in people(n, tier=tier)])
        run = shop.run()
        assert run.error is None
        runs.append(run)
        both = wanted.keys() & held.keys()
        assert (run.counts["added"], run.counts["changed"], run.counts["removed"]) == (
            len(wanted.keys() - held.keys()),
            sum(wanted[n] != held[n] for n in both),
            len(held.keys() - wanted.keys()),
        )
        assert shop.members() == addresses(*wanted)
        held = wanted
        if dice.random() < 0.6:
            # Some of the runs so far have expired, the later ones have not.
            gc(shop, later=timedelta(days=90), since=ended(dice.choice(runs)))

    before = shop.members()
    shop.people(people(*range(40, 50)))
    shop.run()
    gc(shop, later=timedelta(days=90), since=ended(runs[-1]) + timedelta(milliseconds=1))
    last = shop._with_runner(lambda runner: runner.records.recent(limit=1))[0]
    assert shop.undo(last.id, allowed=["max_remove_share"]).error is None
    assert shop.members() == before


def test_an_undo_of_what_is_no_longer_stored_says_so(shop: Shop) -> None:
    shop.environment["SEGUE_KEEP_PAYLOADS"] = "0.001"
    shop.configure(max_remove_share=1.0)
    shop.people(people(1, 2))
    shop.run()
    shop.people(people(1))
    removal = shop.run()
    gc(shop, later=PAYLOADS)
    undone = shop.undo(removal.id)
    assert undone.error is not None
    assert undone.error["code"] == "changes_expired"
    assert "no longer stored" in undone.error["message"]
    assert shop.members() == addresses(1)
    assert shop.run().counts["unchanged"] == 1


def test_records_stay_longer_than_data_and_the_latest_ones_for_good(shop: Shop) -> None:
    shop.environment["SEGUE_KEEP_LAST_RUNS"] = "2"
    shop.people(people(1))
    runs = [shop.run() for _ in range(4)]
    gc(shop, later=PAYLOADS)
    with opened(shop) as workspace:
        assert len(RunRecords(workspace.catalog).recent()) == 4
    assert gc(shop, later=YEARS).removed == {"records of runs": 2}
    with opened(shop) as workspace:
        assert [run.id for run in RunRecords(workspace.catalog).recent()] == [runs[3].id, runs[2].id]
        with workspace.catalog.session(read_only=True) as session:
            assert set(session.scalars(select(Task.run_id))) == {runs[3].id, runs[2].id}
        with pytest.raises(UsageError, match=runs[0].id) as caught:
            RunRecords(workspace.catalog).get(runs[0].id)
    assert caught.value.code == "unknown_run"
    assert shop.run().counts["unchanged"] == 1


def test_by_count_the_latest_runs_keep_what_they_stored_and_the_next_run_goes_on(shop: Shop) -> None:
    with opened(shop) as workspace:
        set_retention(workspace, retention_entry({"most_payloads": 2, "most_runs": 3, "keep_last_runs": 1}), tag=None)
    shop.configure(max_remove_share=1.0, max_reject_share=1.0)
    runs = []
    for number in range(2, 7):
        shop.people([*people(*range(number)), {"email": "nobody"}])
        runs.append(shop.run())
    done = gc(shop, later=timedelta(hours=7))  # files that somebody may be reading are left alone for six hours
    assert done.removed["records of runs"] == 2
    assert done.removed["folders of runs"] == 3
    with opened(shop) as workspace:
        assert [run.id for run in RunRecords(workspace.catalog).recent()] == [run.id for run in reversed(runs[2:])]
    kept = {path.parent.name for path in (shop.folder / "home" / "runs").glob("*/rejects.parquet")}
    assert kept == {runs[3].id, runs[4].id}
    assert shop.run().counts["unchanged"] == 6
    undone = shop.undo(runs[2].id)
    assert undone.error is not None
    assert undone.error["code"] == "changes_expired"
    assert "latest 2 runs" in undone.error["cause"]
    assert shop.undo(runs[4].id, allowed=["max_remove_share"]).error is None
    assert shop.members() == addresses(*range(5))


def test_an_unfinished_run_is_kept_whatever_the_count(shop: Shop) -> None:
    with opened(shop) as workspace:
        set_retention(workspace, retention_entry({"most_runs": 1, "keep_payloads": "1s", "keep_runs": "1s"}), tag=None)
    shop.generate(100)
    shop.killed_at("import-accepted-after")
    assert gc(shop, later=YEARS).removed == {}
    shop.run()
    assert len(shop.members()) == 100
    assert sum(job["status"] == "complete" for job in shop.admin.jobs()) == 1


def test_the_last_good_run_stays_because_a_fuse_looks_at_it(shop: Shop) -> None:
    shop.environment["SEGUE_KEEP_LAST_RUNS"] = "1"
    shop.people(people(1, 2))
    good = shop.run()
    shop.people([])
    assert shop.run().status is RunStatus.FAILED
    gc(shop, later=YEARS)
    with opened(shop) as workspace:
        assert RunRecords(workspace.catalog).get(good.id).counts["source"] == 2


def test_an_unfinished_run_keeps_everything_and_is_finished_after_years(shop: Shop) -> None:
    shop.generate(100)
    shop.killed_at("import-accepted-after")
    done = gc(shop, later=YEARS)
    assert done.removed == {}
    [kept] = done.kept
    assert kept.orchestration == NAME
    assert "segue run --restart" in kept.why
    shop.run()
    assert len(shop.members()) == 100
    assert sum(job["status"] == "complete" for job in shop.admin.jobs()) == 1


def test_a_failed_run_that_sent_nothing_is_given_up_with_its_data(shop: Shop) -> None:
    shop.people(people(*range(10)))
    shop.run()
    shop.people(people(1))
    failed = shop.run()
    assert failed.error is not None
    assert failed.error["code"] == "fuse_blown"
    assert list((shop.folder / "home" / "runs" / failed.id).iterdir())
    gc(shop, later=PAYLOADS)
    assert not (shop.folder / "home" / "runs" / failed.id).exists()
    with pytest.raises(UsageError) as caught:
        shop._with_runner(lambda runner: runner.resume(failed.id, allowed=["max_remove_share"]))
    assert caught.value.code == "run_over"
    shop.run(allowed=["max_remove_share"])
    assert shop.members() == addresses(1)


def test_what_klaviyo_refused_goes_and_with_it_the_profile_ids_of_strangers(shop: Shop) -> None:
    shop.people(people(1, 2))
    run = shop.run()
    with opened(shop) as workspace, workspace.catalog.session() as session:
        session.add_all(
            ProfileId(account_id="A", key=key, profile_id=f"id of {key}") for key in ("p1@mail.shop", "gone@mail.shop")
        )
        session.add(
            DeliveryReject(
                run_id=run.id, kind="import", chunk=0, position=0, at_submit=False,
                key="p2@mail.shop", field="email", reason="invalid", detail="",
            )
        )  # fmt: skip
    done = gc(shop, later=PAYLOADS)
    assert done.removed["refused rows"] == 1
    assert done.removed["profile ids"] == 1
    with opened(shop) as workspace, workspace.catalog.session(read_only=True) as session:
        assert list(session.scalars(select(ProfileId.key))) == ["p1@mail.shop"]
        assert session.scalars(select(func.count()).select_from(DeliveryReject)).one() == 0


def test_history_shows_what_is_kept(shop: Shop) -> None:
    shop.configure(max_remove_share=1.0)
    shop.people(people(1, 2, tier="blue"))
    first = shop.run()
    shop.people(people(1, 2))
    second = shop.run()
    gc(shop, later=timedelta(days=90), since=ended(first) + timedelta(milliseconds=1))
    with opened(shop) as workspace:
        entries = history(workspace, shop.settings, "p1@mail.shop")
    assert entries[0].run_id == second.id
    assert entries[0].changed == ("tier",)


def test_of_a_deleted_orchestration_nothing_is_left(shop: Shop) -> None:
    shop.people(people(1, 2))
    shop.run()
    with opened(shop) as workspace, workspace.catalog.session() as session:
        session.delete(session.scalars(select(Orchestration)).one())
    gc(shop, later=timedelta(days=89))
    assert segments(shop)
    gc(shop, later=PAYLOADS)
    assert segments(shop) == []
    assert "p1@mail.shop" not in stored(shop)
    gc(shop, later=YEARS)
    with opened(shop) as workspace, workspace.catalog.session(read_only=True) as session:
        assert session.scalars(select(Run.id)).all() == []
        assert session.scalars(select(AudienceSnapshot.orchestration_id)).all() == []


def test_an_orchestration_that_runs_is_left_alone(shop: Shop) -> None:
    shop.people(people(1))
    shop.run()
    with opened(shop) as workspace:
        with workspace.catalog.session(read_only=True) as session:
            orchestration = session.scalars(select(Orchestration.id)).one()
        with workspace.locks.hold(orchestration):
            done = gc(shop, later=YEARS)
    assert done.removed == {}
    assert [kept.run_id for kept in done.kept] == [None]


def test_where_nothing_has_expired_nobody_is_kept_from_running(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.people(people(1))
    shop.run()
    taken: list[str] = []
    hold = FileLocks.hold

    def note(locks: FileLocks, name: str, *, shared: bool = False) -> AbstractContextManager[bool]:
        taken.append(name)
        return hold(locks, name, shared=shared)

    monkeypatch.setattr(FileLocks, "hold", note)
    assert gc(shop, later=timedelta(days=1)).removed == {}
    assert taken == []
    assert gc(shop, later=YEARS).removed != {}
    assert len(taken) == 1


@pytest.mark.parametrize("failpoint", ["gc-merged", "gc-files-removed"])
def test_a_killed_collection_is_done_again(shop: Shop, failpoint: str) -> None:
    shop.environment |= {"SEGUE_KEEP_PAYLOADS": "0.001", "SEGUE_KEEP_RUNS": "0.001"}
    shop.environment["SEGUE_KEEP_LAST_RUNS"] = "1"
    shop.configure(max_remove_share=1.0, max_reject_share=1.0)
    shop.people([*people(1, 2, 3), {"email": "nobody"}])
    shop.run()
    shop.people(people(1, 2))
    shop.run()
    done = shop.command("gc", SEGUE_FAILPOINT=failpoint)
    assert done.returncode == -signal.SIGKILL, done.stderr
    gc(shop, later=YEARS)
    assert len(segments(shop)) == 1
    assert "p3@mail.shop" not in stored(shop)
    run = shop.run()
    assert (run.counts["unchanged"], run.counts["added"], run.counts["removed"]) == (2, 0, 0)


def test_the_command_says_what_it_removed(shop: Shop) -> None:
    shop.environment |= {"SEGUE_KEEP_PAYLOADS": "0.001", "SEGUE_KEEP_RUNS": "0.001"}
    shop.configure(max_reject_share=1.0)
    shop.people([*people(1), {"email": "nobody"}])
    shop.run()
    [rejects] = (shop.folder / "home" / "runs").glob("*/rejects.parquet")
    size = sum(path.stat().st_size for path in rejects.parent.iterdir())
    said = json.loads(shop.command("gc", "--dry-run", "--json").stdout)
    assert (said["dry_run"], said["bytes"]) == (True, size)
    assert rejects.exists()
    done = shop.command("gc")
    assert "removed: 1 folders of runs" in done.stdout
    assert not rejects.exists()
    assert shop.command("gc").stdout == "nothing to remove\n"


def test_once_a_day_is_enough(shop: Shop) -> None:
    with opened(shop) as workspace:
        assert collect_daily(workspace, shop.settings)
        assert not collect_daily(workspace, shop.settings)


def test_a_record_cannot_go_before_its_data(shop: Shop) -> None:
    done = shop.command("gc", SEGUE_KEEP_RUNS="30d")
    assert done.returncode == 2
    assert "SEGUE_KEEP_RUNS" in done.stderr


def test_copies_of_the_metadata_go_too(shop: Shop) -> None:
    copy = shop.folder / "home" / "segue.db.0005_activity.bak"
    copy.write_text("p1@mail.shop", encoding="utf-8")
    gc(shop, later=timedelta(days=89))
    assert copy.exists()
    assert gc(shop, later=PAYLOADS).removed == {"leftovers": 1}
    assert not copy.exists()
