"""Rows of one key: which of them is sent, and when nobody can say."""

from __future__ import annotations

import itertools
import random
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.audience.duplicates import mask_email
from segue.errors import DataError
from tests.audience.harness import Orchestration, settings


def people(*rows: tuple[str, int | None, str | None], dates: bool = True) -> pa.Table:
    """email, tier, date."""
    columns = {"email": [r[0] for r in rows], "tier": pa.array([r[1] for r in rows], pa.int64())}
    if dates:
        columns["last_event_date"] = pa.array([r[2] for r in rows], pa.string())
    return pa.table(columns)


def tier_sent(loyalty: Orchestration, table: pa.Table) -> int | None:
    [row] = loyalty.stage(table).sent()
    found: int | None = row["data"].get("properties", {}).get("tier")
    return found


def test_identical_rows_collapse_even_where_repeated_keys_fail(loyalty: Orchestration) -> None:
    table = people(("a@b.io", 1, None), (" A@b.io ", 1, None), ("a@b.io", 1, None), dates=False)
    stage = loyalty.stage(table, settings(duplicates="fail"))
    assert (stage.duplicates.collapsed, stage.duplicates.replaced, stage.duplicates.kept) == (2, 0, 1)
    assert [row["key"] for row in stage.sent()] == ["a@b.io"]


def test_the_latest_row_wins_in_any_order(loyalty: Orchestration) -> None:
    rows = [("a@b.io", 1, "2024-01-01"), ("a@b.io", 2, "2024-03-01"), ("a@b.io", 3, None), ("a@b.io", 4, "2024-02-01")]
    for order in itertools.islice(itertools.permutations(rows), 0, 24, 5):
        assert tier_sent(loyalty, people(*order)) == 2


def dated(kind: pa.DataType, *values: object) -> pa.Table:
    """Rows of one person, with tiers 1, 2, ..."""
    tiers = list(range(1, len(values) + 1))
    return pa.table({"email": ["a@b.io"] * len(values), "tier": tiers, "last_event_date": pa.array(values, kind)})


@pytest.mark.parametrize(
    ("kind", "values", "wins"),
    [
        (pa.int64(), (9, 10), 2),
        (pa.decimal128(4, 1), (Decimal("9.5"), Decimal("10.5")), 2),
        (pa.date32(), (date(2024, 9, 1), date(2024, 10, 1)), 2),
        (pa.string(), ("2024-09-01", "2024-10-01"), 2),
        (pa.string(), ("2024-01-31T10:00:00Z", "2024-01-31 09:59:59.999"), 1),
        # 09:30 in Vienna in winter is 08:30 in UTC, and 09:00-05:00 is 14:00.
        (pa.string(), ("2024-01-31T09:30:00+01:00", "2024-01-31T09:00:00Z"), 2),
        (pa.string(), ("2024-01-31T10:00:00+0100", "2024-01-31T09:00:00-05"), 2),
        (pa.string(), ("", "2024-01-31", " "), 2),
    ],
)
def test_the_latest_is_told_by_what_a_value_means(
    loyalty: Orchestration, kind: pa.DataType, values: tuple[object, ...], wins: int
) -> None:
    assert tier_sent(loyalty, dated(kind, *values)) == wins


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.string(), ("91", "910")),
        (pa.string(), ("31.12.2023", "2023-12-30")),
        (pa.string(), ("2023-02-30", "2023-12-30")),
        (pa.string(), ("10 Jan 2023", "2023-12-30")),
        (pa.bool_(), (True, False)),
        (pa.list_(pa.int64()), ([9], [10])),
    ],
)
def test_a_column_without_order_settles_nothing(
    loyalty: Orchestration, kind: pa.DataType, values: tuple[object, ...]
) -> None:
    with pytest.raises(DataError) as refused:
        loyalty.stage(dated(kind, *values))
    assert refused.value.code == "latest_not_ordered"
    assert '"last_event_date"' in refused.value.message
    assert 'CAST(x AS timestamp) AS "last_event_date"' in refused.value.steps[0]
    assert not any(str(value) in refused.value.message + refused.value.cause for value in values)


def test_text_that_settles_nothing_may_be_anything(loyalty: Orchestration) -> None:
    table = people(("a@b.io", 1, "soon"), ("c@b.io", 2, "later"), ("c@b.io", 2, "later"))
    stage = loyalty.stage(table)
    assert (stage.duplicates.collapsed, len(stage.sent())) == (1, 2)


def test_fields_of_dropped_rows_are_counted_apart(loyalty: Orchestration) -> None:
    table = pa.table(
        {
            "email": ["a@b.io", "a@b.io", "c@b.io", "nobody"],
            "phone_number": ["bad", "+4366412345678", "bad", "bad"],
            "last_event_date": ["2024-01-01", "2024-02-01", "2024-01-01", None],
        }
    )
    stage = loyalty.stage(table)
    # Row 1 loses and row 4 is refused: only row 3 goes without its number.
    assert stage.rows.problems == {"phone_not_e164": 2, "email_malformed": 1}
    assert stage.duplicates.problems == {"phone_not_e164": 1}


def test_a_date_wins_over_none(loyalty: Orchestration) -> None:
    assert tier_sent(loyalty, people(("a@b.io", 1, None), ("a@b.io", 2, "0001-01-01"))) == 2


def test_equal_dates_give_the_same_row_in_any_order(loyalty: Orchestration) -> None:
    rows = [("a@b.io", tier, "2024-01-01") for tier in range(6)]
    chance = random.Random(7)
    assert len({tier_sent(loyalty, people(*chance.sample(rows, 6))) for _ in range(5)}) == 1


def test_only_missing_dates_still_give_one_row(loyalty: Orchestration) -> None:
    rows = [("a@b.io", tier, None) for tier in range(3)]
    assert tier_sent(loyalty, people(*rows)) == tier_sent(loyalty, people(*reversed(rows)))


def test_a_refused_row_does_not_win_over_a_sound_one(loyalty: Orchestration) -> None:
    table = pa.table(
        {"email": ["a@b.io"] * 2, "last_event_date": ["2024-02-01", "2024-01-01"], "x": ["y" * 100_001, "small"]}
    )
    stage = loyalty.stage(table)
    [row] = stage.sent()
    assert row["data"]["properties"]["x"] == "small"
    assert (stage.duplicates.dropped, stage.rows.refused) == (0, 1)


def test_a_loser_that_is_at_klaviyo_does_not_hide_the_winner(loyalty: Orchestration) -> None:
    loyalty.run(people(("a@b.io", 1, "2024-01-01")))
    stage = loyalty.stage(people(("a@b.io", 1, "2024-01-01"), ("a@b.io", 2, "2024-02-01")))
    assert [row["data"]["properties"]["tier"] for row in stage.sent()] == [2]


def test_a_winner_that_is_at_klaviyo_is_not_sent_again(loyalty: Orchestration) -> None:
    loyalty.run(people(("a@b.io", 2, "2024-02-01")))
    stage = loyalty.stage(people(("a@b.io", 1, "2024-01-01"), ("a@b.io", 2, "2024-02-01")))
    assert (stage.sent(), stage.removes(), stage.unchanged, stage.duplicates.dropped) == ([], set(), 1, 1)


@pytest.mark.parametrize(
    ("template", "says"), [({}, 'no column "last_event_date"'), ({"duplicates": "fail"}, "the template says")]
)
def test_without_a_date_the_run_fails_and_names_the_keys(
    loyalty: Orchestration, template: dict[str, str], says: str
) -> None:
    rows = [(f"person{i}@shop.io", tier, None) for i in range(7) for tier in (1, 2)]
    with pytest.raises(DataError) as failed:
        loyalty.stage(people(*rows, dates=False), settings(**template))
    assert failed.value.code == "duplicate_keys"
    assert failed.value.message.startswith("7 keys have rows that differ")
    assert says in failed.value.message
    assert "p***@shop.io" in failed.value.message
    assert "person0" not in failed.value.message
    [folder] = loyalty.folder.glob("run-*")
    rejected = pq.read_table(folder / "rejects.parquet").to_pylist()
    assert {(r["key"], r["reason"]) for r in rejected} == {(f"person{i}@shop.io", "duplicate_key") for i in range(7)}


def test_repeated_keys_are_added_to_the_other_rejects(loyalty: Orchestration) -> None:
    rows = [("a@b.io", 1, None), ("a@b.io", 2, None), ("nobody", 1, None)]
    with pytest.raises(DataError):
        loyalty.stage(people(*rows), settings(duplicates="fail"))
    [folder] = loyalty.folder.glob("run-*")
    rejected = pq.read_table(folder / "rejects.parquet").to_pylist()
    assert [(r["value"], r["reason"]) for r in rejected] == [("nobody", "email_malformed"), ("a@b.io", "duplicate_key")]


def test_email_only_rows_of_one_person_are_identical(loyalty: Orchestration) -> None:
    stage = loyalty.stage(
        people(("a@b.io", 1, None), ("a@b.io", 2, None), dates=False), settings(use_full_profile=False)
    )
    assert [row["data"] for row in stage.sent()] == [{"email": "a@b.io"}]
    assert stage.duplicates.collapsed == 1


def test_a_masked_address_shows_one_letter_and_the_domain() -> None:
    assert mask_email("ana@shop.io") == "a***@shop.io"
