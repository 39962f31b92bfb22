"""The list of runs by status reads in the order of its index, however many runs there are."""

from __future__ import annotations

from alembic import op

revision = "0012_run_list"
down_revision = "0011_recovery"


def upgrade() -> None:
    """Add the start of the runs to the index over their status."""
    op.drop_index("ix_runs_status", "runs")
    op.create_index("ix_runs_status_started_at", "runs", ["status", "started_at"])
