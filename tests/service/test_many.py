"""Many orchestrations over five accounts in one group at Klaviyo's own limits; `make soak` has fifty."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.many import Size, many


@pytest.mark.timeout(600)  # ten queries, each in a process of its own
def test_a_large_group_ends_within_the_limits_of_each_account(tmp_path: Path) -> None:
    # It raises where a run failed, or where a list is not the query.
    report = many(Size(orchestrations=10, accounts=5, rows=200), tmp_path)
    assert report.refused == 0
    # 10 orchestrations / 5 accounts, one bulk request of 200 rows each.
    assert report.jobs == 2
    assert report.peak < 1.5e9
