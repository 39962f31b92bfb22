"""Settings of the workspace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from segue.catalog.base import UtcDateTime

revision = "0015_workspace_settings"
down_revision = "0014_activity_seen"


def upgrade() -> None:
    """Make the table; nothing is set yet, so the environment counts as before."""
    op.create_table(
        "workspace_settings",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workspace_settings"),
    )
