"""Rows as JSON: the SQL against a reference in plain Python."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.audience.encode import EncodeOptions
from segue.audience.fields import place_columns
from segue.audience.packing import ChunkLimits, fragments_text
from segue.audience.rows import RowReader
from segue.audience.workbench import Workbench, open_rows
from segue.destinations.klaviyo.fields import FIELDS
from segue.errors import DataError
from tests.audience import reference_encoder as reference
from tests.audience.tables import tables


def read(
    folder: Path, table: pa.Table, *, region: str | None = None, unset: bool = True, full: bool = True
) -> dict[int, dict[str, Any]]:
    """A first reading: the sendable rows by number, as they were spooled."""
    with Workbench(folder, memory_bytes=400_000_000, threads=2) as bench:
        RowReader(
            bench=bench,
            folder=folder,
            placed=place_columns(table.schema.names, FIELDS, full_profile=full),
            fields=FIELDS,
            options=EncodeOptions(latest_by=None, unset_nulls=unset),
            limits=ChunkLimits(rows=1000, bytes=1_000_000),
            phone_region=region,
            snapshot_sql=None,
            clear_owed=True,
        ).read(table.to_reader(2))
    return {row["row"]: row for row in open_rows(folder / "candidates.arrow").read_all().to_pylist()}


def rejects(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / "rejects.parquet").to_pylist()
    return found


def attributes(folder: Path, **values: Any) -> dict[str, Any]:
    """The parsed payload of one row; a value may be an Arrow array of one element."""
    columns = {n: v if isinstance(v, pa.Array) else [v] for n, v in {"email": "a@shop.io", **values}.items()}
    [row] = read(folder, pa.table(columns)).values()
    found: dict[str, Any] = reference.parse(row["fragment"][:-1])["attributes"]
    return found


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tables(), st.sampled_from([None, "US", "GB"]), st.booleans(), st.booleans())
def test_every_row_equals_the_reference(table: pa.Table, region: str | None, unset: bool, full: bool) -> None:
    kinds = {f.name: f.type for f in table.schema}
    wanted = [reference.encode(row, kinds, full=full, region=region) for row in table.to_pylist()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sent = read(folder, table, region=region, unset=unset, full=full)
        problems = {(r["row"], r["field"], r["reason"]) for r in rejects(folder)}
        chunks = list(open_rows(folder / "candidates.arrow"))
    assert problems == {(i, *p) for i, profile in enumerate(wanted) for p in profile.problems}
    assert sent.keys() == {i for i, profile in enumerate(wanted) if not profile.refused}
    for number, row in sent.items():
        profile, found = wanted[number], reference.parse(row["fragment"][:-1])
        assert row["key"] == profile.key
        assert found["type"] == "profile"
        assert reference.same(profile.attributes, found["attributes"]), (profile.attributes, found["attributes"])
        assert sorted(found.get("meta", {}).get("patch_properties", {}).get("unset", [])) == profile.unset * unset
        assert set(found) - {"meta"} == {"type", "attributes"}
        payload = row["fragment"][row["head"] : -2]
        assert orjson.loads(payload) == orjson.loads(row["fragment"][:-1])["attributes"]
        assert row["hash"] == hashlib.sha256(payload.encode()).hexdigest()
    for chunk in chunks:
        for start in range(chunk.num_rows):
            for stop in range(start + 1, chunk.num_rows + 1):
                body = b"[" + bytes(fragments_text(chunk.slice(start, stop - start)))[:-1] + b"]"
                assert len(orjson.loads(body)) == stop - start


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        # Klaviyo recognises 2018-12-27, 2018-12-27T12:30:00Z and the same with .710 (fact sheet, section 9).
        (pa.array([date(2018, 12, 27)]), "2018-12-27"),
        (pa.array([1_545_913_800_000_000], pa.timestamp("us")), "2018-12-27T12:30:00Z"),
        (pa.array([1_545_913_800_710_999], pa.timestamp("us")), "2018-12-27T12:30:00.710Z"),
        (pa.array([1_545_913_800], pa.timestamp("s", tz="Europe/Vienna")), "2018-12-27T12:30:00Z"),
        (pa.array([-1500], pa.timestamp("us")), "1969-12-31T23:59:59.998Z"),
        (pa.array([0.1], pa.float32()), Decimal("0.1")),
        (pa.array([Decimal("12.50")]), reference.Scaled("12.50")),
        (pa.array([Decimal("0.25")], pa.decimal128(2, 2)), reference.Scaled("0.25")),
        (pa.array([Decimal("-0.05")], pa.decimal128(2, 2)), reference.Scaled("-0.05")),
        (pa.array([Decimal(0)], pa.decimal128(38, 38)), reference.Scaled("0." + "0" * 38)),
        (pa.array([2**63 - 1]), 2**63 - 1),
        (pa.array([Decimal(-(2**63))], pa.decimal128(38, 0)), -(2**63)),
        (pa.array([[1, None]]), [1, None]),
        (pa.array([[1.5, float("nan")]]), [Decimal("1.5"), None]),
        (pa.array([{"a": None}], pa.struct([("a", pa.string())])), {"a": None}),
        (pa.array([""]), ""),
        (pa.array([0]), 0),
    ],
)
def test_a_type_has_one_text(tmp_path: Path, value: pa.Array, sent: Any) -> None:
    assert reference.same({"x": sent}, attributes(tmp_path, x=value)["properties"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (pa.array([float("nan")]), "not_finite"),
        (pa.array([float("-inf")], pa.float32()), "not_finite"),
        (pa.array([2**63], pa.uint64()), "number_too_large"),
        (pa.array([Decimal(-(2**63) - 1)], pa.decimal128(38, 0)), "number_too_large"),
        (pa.array([2**31 - 1], pa.date32()), "date_out_of_range"),
        (pa.array([-800_000], pa.date32()), "date_out_of_range"),
        (pa.array([2**63 - 1], pa.timestamp("us")), "date_out_of_range"),
    ],
)
def test_an_unsendable_value_is_left_out_and_named_and_unsets_nothing(
    tmp_path: Path, value: pa.Array, reason: str
) -> None:
    [row] = read(tmp_path, pa.table({"email": ["a@shop.io"], "x": value})).values()
    assert orjson.loads(row["fragment"][:-1]) == {"type": "profile", "attributes": {"email": "a@shop.io"}}
    [reject] = rejects(tmp_path)
    assert (reject["field"], reject["reason"], reject["source"]) == ("x", reason, "segue")
    assert orjson.loads(row["dropped"]) == ["x"]


NAN, BIG = float("nan"), 2**63


@pytest.mark.parametrize(
    ("value", "sent", "reasons"),
    [
        (pa.array([[1.5, NAN, 2.5]]), [1.5, None, 2.5], ["not_finite"]),
        (pa.array([{"a": NAN, "b": 1, "c": None}]), {"b": 1, "c": None}, ["not_finite"]),
        (pa.array([[("a", float("inf")), ("b", 2.5)]], pa.map_(pa.string(), pa.float64())), {"b": 2.5}, ["not_finite"]),
        (pa.array([[[NAN], [1.5]]]), [[None], [1.5]], ["not_finite"]),
        (pa.array([[{"a": NAN}]]), [{}], ["not_finite"]),
        (pa.array([[BIG, 1]], pa.list_(pa.uint64())), [None, 1], ["number_too_large"]),
        (pa.array([[2**31 - 1]], pa.list_(pa.date32())), [None], ["date_out_of_range"]),
        (
            pa.array([{"a": NAN, "b": [BIG]}], pa.struct([("a", pa.float64()), ("b", pa.list_(pa.uint64()))])),
            {"b": [None]},
            ["not_finite", "number_too_large"],
        ),
    ],
)
def test_what_cannot_be_sent_inside_a_value_is_named_and_the_rest_goes(
    tmp_path: Path, value: pa.Array, sent: Any, reasons: list[str]
) -> None:
    [row] = read(tmp_path, pa.table({"email": ["a@shop.io"], "x": value})).values()
    assert orjson.loads(row["fragment"][:-1])["attributes"]["properties"] == {"x": sent}
    found = rejects(tmp_path)
    assert sorted(r["reason"] for r in found) == reasons
    assert all((r["row"], r["key"], r["field"], r["source"]) == (0, "a@shop.io", "x", "segue") for r in found)
    assert all(r["value"] for r in found)


def test_sound_and_missing_values_inside_values_are_no_problems(tmp_path: Path) -> None:
    table = pa.table({"email": ["a@b.io", "c@b.io"], "x": [[1.5, None], None], "y": [{"a": None}, {"a": 2.5}]})
    sent = [orjson.loads(row["fragment"][:-1])["attributes"]["properties"] for row in read(tmp_path, table).values()]
    assert sent == [{"x": [1.5, None], "y": {"a": None}}, {"y": {"a": 2.5}}]
    assert rejects(tmp_path) == []


def test_names_that_differ_by_case_keep_their_own_values(tmp_path: Path) -> None:
    found = attributes(tmp_path, Email="other", Tier=1, tier=2, TIER=3)
    assert found == {"email": "a@shop.io", "properties": {"Email": "other", "Tier": 1, "tier": 2, "TIER": 3}}


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    names = [
        "row",
        "key",
        "hash",
        "latest",
        "payload",
        "k",
        "c0",
        "s0",
        "sound",
        "source",
        "__segue_key",
        "__segue_row",
    ]
    found = attributes(tmp_path, **{name: i for i, name in enumerate(names)})
    assert found["properties"] == {name: i for i, name in enumerate(names)}


def test_the_order_of_columns_and_of_rows_does_not_change_the_hash(tmp_path: Path) -> None:
    one = read(tmp_path, pa.table({"email": ["a@b.io", "c@d.io"], "x": [1, 2], "city": ["Graz", "Linz"]}))
    two = read(tmp_path, pa.table({"city": ["Linz", "Graz"], "x": [2, 1], "email": ["C@D.io", " a@b.io"]}))
    assert [one[0]["hash"], one[1]["hash"]] == [two[1]["hash"], two[0]["hash"]]


@pytest.mark.parametrize(
    ("phone", "region", "sent"),
    [
        ("+43 664 123-456", None, "+43664123456"),
        ("0043664123456", None, "+43664123456"),
        ("4155550123", None, None),
        ("4155550123", "US", "+14155550123"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+442079460018", "US", "+442079460018"),
        ("12", "US", None),
    ],
)
def test_phone_numbers_are_repaired_where_that_is_safe(
    tmp_path: Path, phone: str, region: str | None, sent: str | None
) -> None:
    [row] = read(tmp_path, pa.table({"email": ["a@shop.io"], "phone_number": [phone]}), region=region).values()
    assert orjson.loads(row["fragment"][:-1])["attributes"].get("phone_number") == sent
    assert [(r["field"], r["value"], r["reason"]) for r in rejects(tmp_path)] == (
        [] if sent else [("phone_number", phone, "phone_not_e164")]
    )


@pytest.mark.parametrize(
    "phones",
    [
        pa.array([4155550123, None, 12]),
        pa.array(["4155550123", None, "12"]).dictionary_encode(),
        pa.array(["4155550123", None, "12"], pa.string()),
    ],
    ids=["number", "enum", "text"],
)
def test_a_region_works_on_phone_columns_of_any_type(tmp_path: Path, phones: pa.Array) -> None:
    table = pa.table({"email": ["a@b.io", "c@b.io", "d@b.io"], "phone_number": phones})
    sent = read(tmp_path, table, region="US")
    assert [orjson.loads(sent[i]["fragment"][:-1])["attributes"].get("phone_number") for i in range(3)] == [
        "+14155550123",
        None,
        None,
    ]


def test_a_profile_over_100_kb_is_refused_and_keeps_its_key(tmp_path: Path) -> None:
    table = pa.table({"email": ["a@shop.io", "b@shop.io"], "x": ["é" * 50_000, "y"]})
    assert read(tmp_path, table).keys() == {1}
    assert [(r["row"], r["key"], r["reason"]) for r in rejects(tmp_path)] == [(0, "a@shop.io", "profile_too_large")]
    assert open_rows(tmp_path / "keys.arrow").read_all().select(["key", "refused"]).to_pylist() == [
        {"key": "a@shop.io", "refused": True},
        {"key": "b@shop.io", "refused": False},
    ]


def test_only_the_email_is_sent_without_full_profile(tmp_path: Path) -> None:
    [row] = read(tmp_path, pa.table({"email": ["A@shop.io"], "x": [None], "first_name": ["A"]}), full=False).values()
    assert row["fragment"] == '{"type":"profile","attributes":{"email":"a@shop.io"}},'


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary(2)])
def test_a_type_without_json_form_is_refused_by_name(tmp_path: Path, kind: pa.DataType) -> None:
    with pytest.raises(DataError, match='"blob"') as refused:
        read(tmp_path, pa.table({"email": ["a@b.io"], "blob": pa.array([b"xx"], kind)}))
    assert refused.value.code == "unsupported_type"


def test_a_query_without_the_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, pa.table({"mail": ["a@b.io"]}))
    assert refused.value.code == "key_column_missing"
    assert refused.value.message == 'The query has no column "email".'


def test_a_key_in_other_letters_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, pa.table({"Email": ["a@b.io"]}))
    assert refused.value.code == "key_column_missing"
    assert refused.value.message == 'The query has no column "email", but "Email": names are taken as they are written.'
    assert refused.value.steps == ('Give it the alias: "Email" AS "email".',)
