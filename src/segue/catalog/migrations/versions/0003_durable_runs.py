"""Runs that wait for a worker: who asked for them, and the workers that carry them out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0003_durable_runs"
down_revision = "0002_runs"


def upgrade() -> None:
    """Add what a run needs to wait, to be taken over and to be watched."""
    # Earlier runs were all started by a person, in the process of the command.
    op.add_column("runs", sa.Column("started_by", sa.String(20), nullable=False, server_default="user"))
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="10"))
    op.add_column("runs", sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("runs", sa.Column("credential_id", sa.String(32), nullable=True))
    op.add_column("runs", sa.Column("worker_id", sa.String(32), nullable=True))
    op.add_column("tasks", sa.Column("progress", sa.JSON(), nullable=True))
    op.create_table(
        "workers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
