"""The three queries of the guide, as written, on the sample of 200 customers."""

from __future__ import annotations

import pytest

EMAIL_ONLY = "SELECT email AS email FROM Customer360"
PROFILE = """SELECT
amperity_id AS "external_id"
,given_name AS "first_name"
,surname AS "last_name"
,address AS "address1"
,address2 AS "address2"
,city
,state AS "region"
,postal AS "zip"
,country
,email AS "email"
,phone AS "phone_number"
,company AS "organization"
"""
FULL = PROFILE + "FROM Merged_Customers mc\n"
JOINED = (
    PROFILE
    + """,order_datetime AS "last_event_date"
,product AS "product"
FROM Merged_Customers mc
LEFT JOIN Unified_Transactions ut ON mc.amperity_id = ut.amperity_id
"""
)
# A sound address as the sample makes them; what else it has are NULLs and spoiled ones.
SOUND = r"regexp_full_match(lower(trim(email)), '[a-z]+[.][0-9]+@[a-z]+([.-][a-z]+)*[.]test')"


@pytest.fixture
def emails(sample):
    return {email for (email,) in sample.database(f"SELECT lower(trim(email)) FROM Merged_Customers WHERE {SOUND}")}


def test_email_only(sample):
    sample.apply(sql=EMAIL_ONLY, use_full_profile=False)
    run = sample.send()
    # Households share an address in Customer360.
    shared = {email for (email,) in sample.database(f"SELECT lower(trim(email)) FROM Customer360 WHERE {SOUND}")}
    assert (run["counts"]["source"], run["counts"]["added"]) == (200, len(shared))
    assert set(sample.admin.emails("People")) == shared
    assert sample.admin.profile(min(shared))["first_name"] is None


def test_full_profile(sample, emails):
    sample.apply(sql=FULL, use_full_profile=True)
    assert sample.send()["counts"]["added"] == len(emails)
    assert set(sample.admin.emails("People")) == emails
    rows = sample.database(f"""SELECT lower(trim(email)), amperity_id, given_name, surname, company, address, address2,
        city, state, postal, country FROM Merged_Customers WHERE {SOUND} ORDER BY 1 LIMIT 40""")
    for email, *expected in rows:
        found = sample.admin.profile(email)
        own = [found[n] for n in ("external_id", "first_name", "last_name", "organization")]
        names = ("address1", "address2", "city", "region", "zip", "country")
        assert [*own, *(found["location"][n] for n in names)] == expected
        assert found["properties"] == {}


def test_the_join_leaves_one_row_a_customer_the_latest(sample, emails):
    sample.apply(sql=JOINED, use_full_profile=True)
    run = sample.send()
    [(source,)] = sample.database(
        "SELECT count(*) FROM Merged_Customers mc LEFT JOIN Unified_Transactions ut ON mc.amperity_id = ut.amperity_id"
    )
    counts = run["counts"]
    assert source > 400
    assert (counts["source"], counts["added"]) == (source, len(emails))
    assert source == counts["duplicates"] + counts["rejected"] + counts["added"]
    assert any("a later row has the same email" in warning for warning in run["warnings"])
    latest = sample.database(f"""
        SELECT lower(trim(email)), strftime(max(order_datetime), '%Y-%m-%dT%H:%M:%SZ'), arg_max_null(product, order_datetime)
        FROM Merged_Customers LEFT JOIN Unified_Transactions USING (amperity_id) WHERE {SOUND} GROUP BY 1""")
    assert len(latest) == len(emails)
    for email, date, product in latest:
        properties = sample.admin.profile(email)["properties"]
        assert (properties.get("last_event_date"), properties.get("product")) == (date, product)


@pytest.mark.parametrize("sql", [EMAIL_ONLY, FULL, JOINED])
def test_they_explain_themselves(sample, sql):
    sample.apply(sql=sql)
    answer = sample.segue("query", "explain", "--sql", sql, "--json").json
    assert answer["warnings"] == []
    places = {c["name"]: c["full_profile"]["place"] for c in answer["columns"]}
    assert places["email"] == "key"
    assert {n for n, place in places.items() if place == "property"} <= {"last_event_date", "product"}


def test_a_second_run_sends_nothing(sample, emails):
    sample.apply(sql=JOINED, use_full_profile=True)
    sample.send()
    run = sample.send()
    assert (run["counts"]["unchanged"], run["counts"]["added"], run["counts"]["changed"]) == (len(emails), 0, 0)
    assert "POST /api/profile-bulk-import-jobs" not in run["requests"]
