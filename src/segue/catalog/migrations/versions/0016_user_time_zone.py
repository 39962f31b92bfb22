"""The time zone in which a user reads times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_user_time_zone"
down_revision = "0015_workspace_settings"


def upgrade() -> None:
    """Add the column; nobody has chosen one, so each browser's own counts as before."""
    op.add_column("users", sa.Column("time_zone", sa.String(100), nullable=True))
