"""An invented Customer 360 database to try Segue with: no real person is in it, and the flaws of real data are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import duckdb

from segue.errors import UsageError

_GENERATORS = Path(__file__).with_name("sample.sql")
_CUSTOMER_360 = """
CREATE OR REPLACE TABLE Customer360 AS
SELECT
    amperity_id,
    CASE WHEN customer_number % 1000 = 8 THEN lag(email) OVER (ORDER BY customer_number) ELSE email END AS email,
    given_name, surname, nullif(concat_ws(' ', given_name, surname), '') AS full_name, phone, city,
    country, birthdate, loyalty_tier, email_opt_in, lifetime_value, coalesce(order_count, 0) AS order_count,
    first_order_datetime, last_order_datetime
FROM Merged_Customers
LEFT JOIN (
    SELECT
        amperity_id, sum(order_revenue)::DECIMAL(12, 2) AS lifetime_value, count(*)::INTEGER AS order_count,
        min(order_datetime) AS first_order_datetime, max(order_datetime) AS last_order_datetime
    FROM (SELECT DISTINCT amperity_id, order_id, order_datetime, order_revenue FROM Unified_Transactions)
    GROUP BY amperity_id
) USING (amperity_id)
ORDER BY customer_number
"""
"""One row per customer, summed over the orders. A repeated order counts once. One customer in a thousand shares the
address of the customer before: a household. The merged customers have one address each."""


def create_sample(path: Path, *, rows: int = 10_000, seed: int = 1) -> None:
    """Write a DuckDB file with Customer360, Merged_Customers and Unified_Transactions.

    rows: customers, at least 1; each has three orders on average, one in seven has none. The same rows and seed make the
    same tables. The file appears whole or not at all. Raises UsageError when path exists.
    """
    if rows < 1:
        raise UsageError(f"a sample needs at least 1 row, not {rows}")
    if path.exists():
        raise UsageError(f"{path} is there already", steps=("choose another path", "or delete the file"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".segue-sample-", dir=path.parent) as folder:
        unfinished = Path(folder) / "sample.duckdb"
        with duckdb.connect(str(unfinished)) as con:
            prepare_generators(con, seed=seed)
            con.execute("CREATE TABLE Merged_Customers AS FROM people(1, $rows, true)", {"rows": rows})
            con.execute("CREATE TABLE Unified_Transactions AS FROM orders(1, $rows)", {"rows": rows})
            summarize_customers(con)
        os.replace(unfinished, path)  # noqa: PTH105 -- Path.replace says less: this is the rename that publishes


def prepare_generators(con: duckdb.DuckDBPyConnection, *, seed: int) -> None:
    """Give the connection the macros ``people(start, n, flaws)`` and ``orders(start, n)`` for a seed."""
    con.execute(f"SET VARIABLE seed = {int(seed)}")
    con.execute(_GENERATORS.read_text(encoding="utf-8"))


def summarize_customers(con: duckdb.DuckDBPyConnection) -> None:
    """Make Customer360 anew from the customers and their orders."""
    con.execute(_CUSTOMER_360)
