"""A day in the life of the sample database: some customers come, some change, some lose a field, some go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from segue.database.sample import prepare_generators, summarize_customers
from segue.errors import UsageError

_PICK = """
CREATE TEMP TABLE picked AS
SELECT amperity_id, row_number() OVER (ORDER BY hash(amperity_id, $seed, $start), amperity_id) AS place
FROM (
    SELECT amperity_id FROM Merged_Customers
    WHERE regexp_full_match(email, '[a-z]+[.][0-9]+@[a-z.-]*[a-z]') AND city IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY email) = 1
)
ORDER BY place LIMIT $wanted
"""
"""Customers whose email is good and theirs alone: what happens to them is seen at the destination."""
_MEMBERS = "amperity_id IN (SELECT amperity_id FROM picked WHERE place % 3 = {})"
_CHANGE = f"""
UPDATE Merged_Customers
SET loyalty_points = coalesce(loyalty_points, 0) + 250, address = concat(customer_number % 97 + 1, ' New Street'),
    address2 = concat('Floor ', coalesce(loyalty_points, 0) % 9), company = coalesce(company, '') || ' II'
WHERE {_MEMBERS.format(0)}
"""
_CLEAR = f"""
UPDATE Merged_Customers SET city = NULL, state = NULL, phone = NULL, company = NULL, loyalty_tier = NULL
WHERE {_MEMBERS.format(1)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnCounts:
    """How many customers each kind of change has met; no customer is met twice."""

    added: int
    changed: int
    """Other values in at least ``address`` and ``company``."""
    cleared: int
    """NULL in ``city`` where a value was, and in further fields."""
    removed: int


def churn_sample(path: Path, *, share: float = 0.01, seed: int = 2) -> ChurnCounts:
    """Change a database of ``create_sample`` in place, as one transaction.

    share: customers that something happens to, as a share of all, 0 to 1; a quarter each is added, changed, cleared and
    removed, at least one. The same file and seed give the same result; the next call changes other customers.
    Raises UsageError when path is not there.
    """
    if not path.is_file():
        raise UsageError(f"there is no sample database at {path}", steps=("make one with `segue init --sample`",))
    if not 0 < share <= 1:
        raise UsageError(f"the share of customers to change must be above 0 and at most 1, not {share}")
    with duckdb.connect(str(path)) as con:
        prepare_generators(con, seed=seed)
        con.begin()
        counts = _churn(con, share=share, seed=seed)
        summarize_customers(con)
        con.commit()
    return counts


def _churn(con: duckdb.DuckDBPyConnection, *, share: float, seed: int) -> ChurnCounts:
    rows, start = con.execute("SELECT count(*), max(customer_number) + 1 FROM Merged_Customers").fetchall()[0]
    part = max(1, round(rows * share / 4))
    con.execute(_PICK, {"seed": seed, "start": start, "wanted": 3 * part})
    changed, cleared = _count(con, _CHANGE), _count(con, _CLEAR)
    con.execute(f"DELETE FROM Unified_Transactions WHERE {_MEMBERS.format(2)}")
    removed = _count(con, f"DELETE FROM Merged_Customers WHERE {_MEMBERS.format(2)}")
    added = _count(con, f"INSERT INTO Merged_Customers FROM people({start}, {part}, false)")
    con.execute(f"INSERT INTO Unified_Transactions FROM orders({start}, {part})")
    return ChurnCounts(added=added, changed=changed, cleared=cleared, removed=removed)


def _count(con: duckdb.DuckDBPyConnection, change: str) -> int:
    """Run a change and tell how many rows it met."""
    return int(con.execute(change).fetchall()[0][0])
