"""The least that Klaviyo's limits allow, by arithmetic; nothing here is taken from Segue.

The numbers are those of Klaviyo's OpenAPI document of revision 2026-07-15: a bulk job takes 10,000 profiles or 5 MB and
joins them to a list; it cannot clear a standard field, which takes one ``profile-import`` a person; a removal takes ids,
1,000 a call, and an address is turned into an id through a filter of 100 values.
"""

from __future__ import annotations

from math import ceil

from segue.database.churn import ChurnCounts

JOB_ROWS, JOB_BYTES, IDS_A_CALL, VALUES_A_FILTER = 10_000, 5_000_000, 1_000, 100
JOBS_A_SECOND, JOBS_A_MINUTE = 10, 150


def churn_minimum(counts: ChurnCounts, *, row_bytes: int = 500) -> dict[str, int]:
    """Requests by kind for a churned sample. A cleared customer changes too: the city went, and a property went, which the
    bulk job unsets; so it is a row of a job and a call of its own."""
    rows = counts.added + counts.changed + counts.cleared
    return {
        "account": 1,
        "list": 1,
        "jobs": ceil(rows / min(JOB_ROWS, JOB_BYTES // row_bytes)),
        "polls": 1,
        "clears": counts.cleared,
        "look-ups": ceil(counts.removed / VALUES_A_FILTER),
        "removes": ceil(counts.removed / IDS_A_CALL),
    }


def fewest_seconds(jobs: int) -> float:
    """From the first to the last of so many jobs at 10 a second and 150 a minute."""
    minutes, rest = divmod(max(jobs - 1, 0), JOBS_A_MINUTE)
    return minutes * 60 + rest / JOBS_A_SECOND
