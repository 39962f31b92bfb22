"""What is sent: an invented Customer 360, made once per size and kept under ``.bench/``."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from segue.database.sample import create_sample, prepare_generators

PROFILES = """SELECT
    amperity_id AS "external_id", email AS "email", given_name AS "first_name", surname AS "last_name", phone AS "phone_number",
    company AS "organization", locale, address AS "address1", city, state AS "region", postal AS "zip", country,
    loyalty_tier, loyalty_points, email_opt_in, birthdate, created_at AS "customer_since"
FROM Merged_Customers mc"""
"""17 columns, 415 bytes of JSON a row: 7 profile fields, 5 location fields, 5 custom properties. Valid in Trino and DuckDB."""
EMAILS = "SELECT email AS email FROM Merged_Customers"


def database(folder: Path, rows: int) -> Path:
    """The database file of ``create_sample`` with so many customers, flaws included."""
    path = folder / f"customers-{rows}.duckdb"
    if not path.exists():
        create_sample(path, rows=rows)
    return path


def customers_alone(folder: Path, rows: int) -> Path:
    """The same customers without their orders, which nothing here reads: ten million have thirty million."""
    path = folder / f"customers-alone-{rows}.duckdb"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(str(unfinished)) as con:
            prepare_generators(con, seed=1)
            con.execute("CREATE TABLE Merged_Customers AS FROM people(1, $rows, true)", {"rows": rows})
        unfinished.rename(path)
    return path


def arrow_file(folder: Path, rows: int) -> Path:
    """The result of ``PROFILES`` as an Arrow file of 10,000-row batches."""
    path = folder / f"profiles-{rows}.arrow"
    if path.exists():
        return path
    unfinished = path.with_suffix(".part")
    with duckdb.connect(str(database(folder, rows)), read_only=True) as con:
        reader = con.sql(PROFILES).to_arrow_reader(10_000)
        with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    return unfinished.replace(path)
