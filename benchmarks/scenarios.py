"""Everything that is measured, in the order in which a round does it."""

from __future__ import annotations

from benchmarks.product import (
    churn,
    diff_floor,
    emulated,
    encode_submit,
    first_run,
    floor,
    large,
    peer,
    rerun,
    windows,
)
from benchmarks.sample import Scenario

_RUN = "the whole `segue run`: start of Python, query process, staging, list, send, confirm, reconcile, next baseline"

SCENARIOS = (
    Scenario(
        name="floor",
        title="Floor: DuckDB COPY TO JSON",
        in_it="opening the database and COPY of the query to a file, without the start of Python",
        measure=floor,
    ),
    Scenario(
        name="encode_submit",
        title="Encode and submit",
        in_it="Arrow reader, checks, encoding, hashes, duplicates, staged files, ledger, bulk jobs; no query, no confirming",
        measure=encode_submit,
    ),
    Scenario(
        name="first_run", title="First run", in_it=f"{_RUN}; nothing is read back from the sink", measure=first_run
    ),
    Scenario(
        name="diff_floor",
        title="Floor: DuckDB query and diff",
        in_it="opening the database, query, JSON text and sha256 of each row, full outer join with key and hash, counts",
        measure=diff_floor,
    ),
    Scenario(name="rerun", title="Rerun, nothing changed", in_it=_RUN, measure=rerun),
    Scenario(
        name="rerun_again",
        title="Rerun, still nothing changed",
        in_it="the whole `segue run`: the rows are those of the rerun before, so they are not compared again",
        measure=rerun,
    ),
    Scenario(name="churn", title="Rerun, 1 % churn", in_it=_RUN, measure=churn),
    Scenario(
        name="windows",
        title="Email only, real rate windows",
        in_it=f"{_RUN}, waiting for the windows of 10 a second and 150 a minute",
        measure=windows,
    ),
    Scenario(
        name="emulated",
        title="First run, into the emulator",
        in_it=f"{_RUN}; 100 profiles are read back; the emulator keeps every profile and shares the cores",
        measure=emulated,
    ),
    Scenario(
        name="peer_stdlib",
        title="Peer: json + http.client, bulk",
        in_it="query, dicts, json.dumps, one request a chunk; nothing is checked, compared or confirmed",
        measure=peer("stdlib-bulk", 200_000),
    ),
    Scenario(
        name="peer_sdk_bulk",
        title="Peer: official SDK, bulk",
        in_it="query, dicts, the SDK's models, one call a chunk; nothing is checked, compared or confirmed",
        measure=peer("sdk-bulk", 100_000),
    ),
    Scenario(
        name="peer_sdk_one",
        title="Peer: official SDK, one by one",
        in_it="query, dicts, one create_or_update_profile call a row; nobody joins a list",
        measure=peer("sdk-one", 10_000),
    ),
)
LARGE = Scenario(name="large", title="First run, ten times the rows", in_it=f"{_RUN}", measure=large)
