"""When each run called its destination."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_run_timelines"
down_revision = "0018_connection_checks"


def upgrade() -> None:
    """Make the table. Of runs before it nothing is known."""
    op.create_table(
        "run_timelines",
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_timelines_run_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_timelines"),
    )
