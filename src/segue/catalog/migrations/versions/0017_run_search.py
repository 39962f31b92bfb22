"""A search among the runs reads an index, not the rows."""

from __future__ import annotations

from alembic import op

revision = "0017_run_search"
down_revision = "0016_user_time_zone"


def upgrade() -> None:
    """Put what a search looks at beside the start of the runs."""
    op.drop_index("ix_runs_started_at", "runs")
    op.create_index("ix_runs_search", "runs", ["started_at", "id", "orchestration", "list_name"])
