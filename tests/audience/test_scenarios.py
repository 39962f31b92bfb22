"""What a run sends, in the words of a data template."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from segue.audience.packing import ChunkLimits
from segue.delivery.ledger import PartKind, PartState
from tests.audience.harness import Orchestration, Stage, everything, settings
from tests.delivery.memory_ledger import MemoryLedger


def people(**columns: list[Any]) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def one(stage: Stage) -> dict[str, Any]:
    [row] = stage.sent()
    return row


BOTH = people(email=["a@b.io"], first_name=["Ana"], tier=["gold"])
NULLS = pa.table({"email": ["a@b.io"], "first_name": pa.nulls(1, pa.string()), "tier": pa.nulls(1, pa.string())})


def test_the_same_data_again_sends_nothing(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    stage = loyalty.stage(BOTH)
    assert (stage.sent(), stage.removes(), stage.unchanged) == ([], set(), 1)
    assert stage.delta.digest == loyalty.stage(BOTH).delta.digest


def test_a_custom_property_is_unset_in_the_body_and_a_standard_field_cleared_by_itself(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    row = one(loyalty.stage(NULLS))
    assert (row["unset"], row["slow"]) == (["tier"], ["first_name"])
    assert row["data"] == {"email": "a@b.io"}
    assert row["fragment"] == (
        '{"type":"profile","meta":{"patch_properties":{"unset":["tier"]}},"attributes":{"email":"a@b.io"}},'
    )


def test_a_null_that_was_null_before_clears_nothing(loyalty: Orchestration) -> None:
    loyalty.run(NULLS)
    assert loyalty.stage(NULLS).sent() == []


@pytest.mark.parametrize(
    ("policy", "unset", "slow"), [("custom", ["tier"], []), ("all", ["tier"], ["first_name"]), ("keep", [], [])]
)
def test_nulls_of_a_first_send(loyalty: Orchestration, policy: str, unset: list[str], slow: list[str]) -> None:
    row = one(loyalty.stage(NULLS, settings(first_send_nulls=policy)))
    assert (row["unset"], row["slow"], row["data"]) == (unset, slow, {"email": "a@b.io"})


def test_a_first_send_of_all_nulls_leaves_identifiers_alone(loyalty: Orchestration) -> None:
    table = pa.table({"email": ["a@b.io"], **{n: pa.nulls(1, pa.string()) for n in ("phone_number", "external_id")}})
    assert one(loyalty.stage(table, settings(first_send_nulls="all")))["slow"] == []
    guarded = one(loyalty.stage(table, settings(first_send_nulls="all", clear_identifiers=True)))
    assert sorted(guarded["slow"]) == ["external_id", "phone_number"]


def test_what_was_kept_is_cleared_when_the_policy_changes(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    kept = loyalty.run(NULLS, settings(nulls="keep"))
    assert (kept.sent(), kept.delta.counts.kept_fields) == ([], {"first_name": 1, "tier": 1})
    assert loyalty.run(NULLS, settings(nulls="keep")).sent() == []
    row = one(loyalty.run(NULLS))
    assert (row["unset"], row["slow"]) == (["tier"], ["first_name"])
    assert loyalty.stage(NULLS).sent() == []


def test_a_kept_field_with_a_new_value_owes_nothing(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    loyalty.run(NULLS, settings(nulls="keep"))
    loyalty.run(BOTH)
    assert loyalty.members()["a@b.io"]["uncleared"] == []


def test_identifiers_are_cleared_only_where_the_template_says_so(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io"], phone_number=["+43664123456"], external_id=["x1"]))
    gone = pa.table({"email": ["a@b.io"], **{n: pa.nulls(1, pa.string()) for n in ("phone_number", "external_id")}})
    stage = loyalty.run(gone)
    assert (stage.sent(), stage.delta.counts.kept_fields) == ([], {"external_id": 1, "phone_number": 1})
    assert sorted(one(loyalty.stage(gone, settings(clear_identifiers=True)))["slow"]) == ["external_id", "phone_number"]


def test_a_row_that_keeps_owing_a_clear_is_not_written_again(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io"], external_id=["x1"]))
    gone = pa.table({"email": ["a@b.io"], "external_id": pa.nulls(1, pa.string())})
    loyalty.run(gone)
    segments = loyalty.snapshot.segments
    assert loyalty.run(gone).delta.counts.quiet == 1
    assert loyalty.snapshot.segments == segments
    loyalty.run(people(email=["a@b.io"]))
    assert loyalty.members()["a@b.io"]["uncleared"] == ["external_id", "external_id\x1fx1"]


def test_a_column_that_was_away_for_a_run_still_clears(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    bare = settings(use_full_profile=False)
    loyalty.run(BOTH, bare)
    segments = loyalty.snapshot.segments
    away = loyalty.run(BOTH, bare)
    assert (away.rows.candidates, away.delta.counts.kept_fields) == (0, {})
    assert loyalty.snapshot.segments == segments
    row = one(loyalty.run(NULLS))
    assert (row["unset"], row["slow"]) == (["tier"], ["first_name"])
    assert loyalty.members()["a@b.io"]["uncleared"] == []
    assert loyalty.stage(NULLS).sent() == []


def test_a_phone_that_cannot_be_sent_does_not_clear_the_one_that_was(loyalty: Orchestration) -> None:
    template = settings(clear_identifiers=True)
    loyalty.run(people(email=["a@b.io"], phone_number=["+43664123456"]), template)
    assert loyalty.run(people(email=["a@b.io"], phone_number=["unknown"]), template).sent() == []
    gone = pa.table({"email": ["a@b.io"], "phone_number": pa.nulls(1, pa.string())})
    assert one(loyalty.stage(gone, template))["slow"] == ["phone_number"]


def test_a_number_that_cannot_be_sent_does_not_unset_the_one_that_was(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io"], score=[1.5]))
    assert loyalty.run(people(email=["a@b.io"], score=[float("nan")])).sent() == []
    assert loyalty.run(people(email=["a@b.io"], score=[float("nan")])).sent() == []
    assert one(loyalty.stage(pa.table({"email": ["a@b.io"], "score": pa.nulls(1, pa.float64())})))["unset"] == ["score"]


def test_a_dropped_column_is_neither_sent_nor_cleared(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    stage = loyalty.run(people(email=["a@b.io"], tier=["gold"]))
    assert (stage.sent(), stage.removes(), stage.unchanged) == ([], set(), 1)
    assert loyalty.stage(people(email=["a@b.io"], tier=["gold"])).sent() == []


def test_an_added_column_is_sent_where_it_has_a_value(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io", "c@d.io"], tier=["gold", "gold"]))
    row = one(loyalty.stage(people(email=["a@b.io", "c@d.io"], tier=["gold", "gold"], city=["Graz", None])))
    assert (row["key"], row["changed"], row["data"]["location"]) == ("a@b.io", ["city"], {"city": "Graz"})


def test_from_email_only_to_the_full_profile_and_back(loyalty: Orchestration) -> None:
    bare = settings(use_full_profile=False)
    loyalty.run(BOTH, bare)
    assert one(loyalty.run(BOTH))["changed"] == ["first_name", "tier"]
    back = loyalty.run(BOTH, bare)
    assert (back.sent(), back.removes(), back.unchanged) == ([], set(), 1)
    assert loyalty.stage(BOTH, bare).sent() == []


def test_a_refused_row_keeps_its_person_on_the_list(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io", "c@d.io"], x=["small", "small"]))
    stage = loyalty.stage(people(email=["a@b.io"], x=["y" * 100_001]))
    assert (stage.sent(), stage.removes()) == ([], {"c@d.io"})
    assert [(r["key"], r["reason"]) for r in stage.rejects()] == [("a@b.io", "profile_too_large")]


def test_an_address_that_only_changes_its_case_stays(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["Ana@B.io"]))
    stage = loyalty.stage(people(email=["ana@b.IO "]))
    assert (stage.sent(), stage.removes()) == ([], set())


def test_a_test_send_adds_the_first_by_key_and_removes_nobody(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["z@b.io"]))
    stage = loyalty.stage(people(email=["d@b.io", "c@b.io", "b@b.io", "a@b.io"]), settings(max_rows=3))
    assert [row["key"] for row in stage.sent()] == ["a@b.io", "b@b.io", "c@b.io"]
    assert (stage.removes(), stage.delta.counts.held_back) == (set(), 1)
    assert (stage.delta.counts.added, stage.unchanged) == (3, 0)


def test_a_test_send_does_not_forget_the_columns_that_others_hold(loyalty: Orchestration) -> None:
    loyalty.run(people(email=["a@b.io", "c@d.io"], tier=["x", "y"], city=["Graz", "Linz"]))
    loyalty.run(people(email=["a@b.io", "c@d.io"], tier=["x2", "y2"]), settings(max_rows=1))
    assert set(loyalty.snapshot.columns) == {"email", "tier", "city"}


def test_who_comes_back_is_sent_as_for_the_first_time(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    loyalty.run(people(email=["c@d.io"], first_name=["C"], tier=["x"]))
    row = one(loyalty.stage(pa.concat_tables([NULLS, people(email=["c@d.io"], first_name=["C"], tier=["x"])])))
    assert (row["key"], row["kind"], row["unset"], row["slow"]) == ("a@b.io", 0, ["tier"], [])


def test_a_cancelled_part_and_an_unsure_one_are_sent_again(loyalty: Orchestration) -> None:
    loyalty.limits = ChunkLimits(rows=1, bytes=1_000_000)
    table = people(email=["a@b.io", "b@b.io", "c@b.io"])

    def deliver(stage: Stage) -> MemoryLedger:
        ledger = everything(stage)
        keys = [row["key"] for row in stage.sent()]
        states = {"a@b.io": PartState.CANCELLED, "b@b.io": PartState.UNSURE, "c@b.io": PartState.COMPLETE}
        for part in ledger.parts(PartKind.IMPORT):
            ledger.mark(part, states[keys[part.chunk]])
        return ledger

    loyalty.run(table, deliver=deliver)
    assert loyalty.snapshot.rows == 1
    assert {row["key"] for row in loyalty.stage(table).sent()} == {"a@b.io", "b@b.io"}


def test_a_run_without_changes_writes_no_segment(loyalty: Orchestration) -> None:
    loyalty.run(BOTH)
    segments = loyalty.snapshot.segments
    loyalty.run(BOTH)
    assert (loyalty.snapshot.segments, loyalty.snapshot.version, loyalty.snapshot.rows) == (segments, 2, 1)
    assert sorted(p.name for p in (loyalty.folder / "segments").iterdir()) == ["run-001.parquet"]


def test_folding_again_gives_the_same_baseline(loyalty: Orchestration) -> None:
    stage = loyalty.stage(BOTH)
    before = loyalty.snapshot
    loyalty.record(stage, everything(stage))
    once = loyalty.members()
    loyalty.snapshot = before
    loyalty.record(stage, everything(stage))
    assert loyalty.members() == once


def test_a_folder_with_quotes_and_wildcards_in_its_name_works(tmp_path: Any) -> None:
    odd = Orchestration(folder=tmp_path / "it's [a] *new* folder?")
    odd.run(BOTH)
    odd.run(people(email=["c@d.io"]))
    assert set(odd.members()) == {"c@d.io"}


def test_the_digest_tells_differences_apart_and_not_orders(loyalty: Orchestration) -> None:
    table = people(email=["a@b.io", "c@d.io"], tier=["x", "y"])
    digest = loyalty.stage(table).delta.digest
    assert loyalty.stage(table.take([1, 0])).delta.digest == digest
    assert loyalty.stage(people(email=["a@b.io", "c@d.io"], tier=["x", "z"])).delta.digest != digest
    loyalty.run(table)
    nobody = loyalty.stage(table).delta.digest
    assert loyalty.stage(table.slice(0, 1)).delta.digest not in (nobody, digest)
