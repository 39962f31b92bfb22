"""`segue rejects`: what Segue's checks and Klaviyo's answers say of rows."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

# Segue takes any letter in an address. The emulator, like Klaviyo's documented pattern, takes those of ASCII.
FOREIGN = "zoë@mail.shop"


@pytest.fixture
def bad_rows(shop):
    shop.apply(sql="SELECT * FROM People ORDER BY points")
    shop.people(
        [
            {"points": 1, "email": "ada@mail.shop", "phone_number": "+14155550100"},
            {"points": 2, "email": "no-address"},
            {"points": 3, "email": "bo@mail.shop", "phone_number": "call me"},
            {"points": 4, "email": None},
            {"points": 5, "email": FOREIGN},
        ]
    )
    return shop


OURS: list[dict[str, Any]] = [
    {"row": 2, "key": None, "field": "email", "value": "no-address", "reason": "email_malformed"},
    {"row": 3, "key": "bo@mail.shop", "field": "phone_number", "value": "call me", "reason": "phone_not_e164"},
    {"row": 4, "key": None, "field": "email", "value": None, "reason": "email_missing"},
]


@pytest.mark.parametrize("row_errors", ["row", "job"])
def test_rejects_by_us_and_by_klaviyo(bad_rows, row_errors):
    bad_rows.admin.settings(row_errors=row_errors)
    run = bad_rows.send()
    assert (run["counts"]["rejected"], run["counts"]["added"]) == (3, 2)
    assert sorted(bad_rows.admin.emails("People")) == ["ada@mail.shop", "bo@mail.shop"]
    rejects = bad_rows.segue("rejects", run["run_id"], "--json").json
    assert rejects[:3] == [{**reject, "source": "segue", "detail": None} for reject in OURS]
    [klaviyo] = rejects[3:]
    assert {k: klaviyo[k] for k in ("row", "key", "field", "value", "source")} == {
        "row": 5,
        "key": FOREIGN,
        "field": "email",
        "value": FOREIGN,
        "source": "klaviyo",
    }
    assert klaviyo["detail"] == "Invalid email address"
    assert klaviyo["reason"]


def test_a_refused_row_is_tried_again_and_a_sound_one_is_not(bad_rows):
    bad_rows.send()
    run = bad_rows.send()
    assert (run["counts"]["unchanged"], run["counts"]["added"], run["counts"]["rejected"]) == (2, 0, 3)
    assert [r["source"] for r in bad_rows.segue("rejects", run["run_id"], "--json").json].count("klaviyo") == 1


def test_a_row_that_klaviyo_does_not_name_is_found_by_halving(bad_rows):
    bad_rows.admin.settings(error_pointers=False)
    run = bad_rows.send()
    [klaviyo] = [r for r in bad_rows.segue("rejects", run["run_id"], "--json").json if r["source"] == "klaviyo"]
    assert (klaviyo["row"], klaviyo["key"], klaviyo["value"]) == (5, FOREIGN, None)


def test_rejects_as_csv_and_with_a_limit(bad_rows):
    run = bad_rows.send()
    result = bad_rows.segue("rejects", run["run_id"], "--csv", "-")
    rows = list(csv.reader(io.StringIO(result.out)))
    assert rows[0] == ["row", "key", "field", "value", "reason", "source", "detail"]
    assert rows[2] == ["3", "bo@mail.shop", "phone_number", "call me", "phone_not_e164", "segue", ""]
    assert len(rows) == 5
    assert result.err == "4 rejects\n"
    assert bad_rows.segue("rejects", run["run_id"], "--csv", "r.csv", "--limit", "2").err == "2 rejects\n"
    assert len((bad_rows.folder / "r.csv").read_text().splitlines()) == 3


def test_rejects_as_a_grid(bad_rows):
    run = bad_rows.send()
    lines = bad_rows.segue("rejects", run["run_id"]).out.splitlines()
    assert lines[0].split() == ["row", "key", "field", "value", "reason", "source", "detail"]
    assert lines[3].split() == ["3", "bo@mail.shop", "phone_number", "call", "me", "phone_not_e164", "segue"]


def test_a_run_without_rejects(shop):
    shop.people([{"email": "ada@mail.shop"}])
    run = shop.send()
    assert shop.segue("rejects", run["run_id"], "--json").json == []
    assert shop.segue("rejects", run["run_id"], "--csv", "-").out.splitlines() == [
        '"row","key","field","value","reason","source","detail"'
    ]


def test_keys_with_differing_rows_are_named(shop):
    shop.apply(duplicates="fail")
    shop.people([{"email": "Ada@mail.shop", "tier": "gold"}, {"email": "ada@mail.shop", "tier": "silver"}])
    run = shop.send()
    assert run["error"]["code"] == "duplicate_keys"
    assert "ada@mail.shop" not in str(run["error"])
    [reject] = shop.segue("rejects", run["run_id"], "--json").json
    assert (reject["key"], reject["reason"], reject["source"]) == ("ada@mail.shop", "duplicate_key", "segue")


def test_rejects_that_were_cut_short_are_not_shown_as_whole(bad_rows):
    run = bad_rows.send()
    [path] = (bad_rows.folder / "home" / "runs").glob("*/rejects.parquet")
    path.write_bytes(path.read_bytes()[:-8])
    result = bad_rows.segue("rejects", run["run_id"])
    assert (result.code, "not whole" in result.err) == (1, True)


def test_rejects_by_klaviyo_outlive_the_files_of_the_run(bad_rows):
    run = bad_rows.send()
    for path in (bad_rows.folder / "home" / "runs" / run["run_id"]).glob("*"):
        path.unlink()
    [reject] = bad_rows.segue("rejects", run["run_id"], "--json").json
    assert (reject["row"], reject["key"], reject["value"], reject["source"]) == (None, FOREIGN, None, "klaviyo")


def test_clears_that_klaviyo_refuses(shop):
    person = {"email": "ada@mail.shop", "city": "Graz", "first_name": "Ada"}
    others = [{"email": f"p{i}@mail.shop", "city": "Wien"} for i in range(9)]
    shop.people([person, *others])
    shop.send()
    body = {"errors": [{"code": "invalid", "detail": "No.", "source": {"pointer": "/data/attributes"}}]}
    shop.admin.fault("status", "POST /api/profile-import", status=400, body=body)
    shop.people([{**person, "city": None}, *others])
    run = shop.send()
    assert (run["status"], run["counts"]["cleared"]) == ("completed with warnings", 0)
    [reject] = shop.segue("rejects", run["run_id"], "--json").json
    assert (reject["key"], reject["field"], reject["value"], reject["reason"], reject["detail"]) == (
        "ada@mail.shop",
        "city",
        None,
        "invalid",
        "No.",
    )
